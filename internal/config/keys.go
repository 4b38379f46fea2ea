package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// value is a setting as it was written.
type value struct {
	list  bool
	items []string
}

func (v value) text() string { return v.items[0] }

// errNotAllowed asks for the message that tells what is allowed.
var errNotAllowed = errors.New("not allowed")

// key is one known setting.
type key struct {
	name    string
	allowed string
	list    bool
	set     func(*Daemon, value) error
}

// keys is the whole table of daemon.yaml.
func keys() []key {
	return []key{
		boolean("enabled", func(c *Daemon) *bool { return &c.Enabled }),
		boolean("foreground", func(c *Daemon) *bool { return &c.Foreground }),
		duration("idle_exit", 0, 0, func(c *Daemon) *time.Duration { return &c.IdleExit }),
		{name: "log_level", allowed: "debug, info, warn or error", set: func(c *Daemon, v value) error {
			levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
			level, ok := levels[v.text()]
			if !ok {
				return errNotAllowed
			}
			c.LogLevel = level
			return nil
		}},
		{name: "log_format", allowed: "text or json", set: func(c *Daemon, v value) error {
			if v.text() != "text" && v.text() != "json" {
				return errNotAllowed
			}
			c.LogFormat = v.text()
			return nil
		}},
		duration("debounce_interval", 10*time.Millisecond, time.Hour, func(c *Daemon) *time.Duration { return &c.DebounceInterval }),
		duration("max_sync_frequency", 0, 24*time.Hour, func(c *Daemon) *time.Duration { return &c.MaxSyncFrequency }),
		boolean("auto_sync", func(c *Daemon) *bool { return &c.AutoSync }),
		boolean("sync_on_startup", func(c *Daemon) *bool { return &c.SyncOnStartup }),
		{name: "watch_patterns", list: true, allowed: "a list of file names or globs within the workspace's directory", set: setPatterns},
		boolean("auto_start", func(c *Daemon) *bool { return &c.AutoStart }),
		number("batch_size", 1, 100_000, func(c *Daemon) *int { return &c.BatchSize }),
		{name: "max_memory", allowed: "a size such as 100MB, at least 32MB", set: setMemory},
		number("max_cpu_percent", 1, 100, func(c *Daemon) *int { return &c.MaxCPUPercent }),
		number("max_file_descriptors", 64, 1<<20, func(c *Daemon) *int { return &c.MaxFileDescriptors }),
		boolean("enable_metrics", func(c *Daemon) *bool { return &c.EnableMetrics }),
		duration("metrics_interval", time.Second, 24*time.Hour, func(c *Daemon) *time.Duration { return &c.MetricsInterval }),
		boolean("enable_health_checks", func(c *Daemon) *bool { return &c.EnableHealthChecks }),
		duration("health_interval", time.Second, 24*time.Hour, func(c *Daemon) *time.Duration { return &c.HealthInterval }),
		{name: "export", allowed: "a file below the workspace's root, such as export/issues.jsonl", set: setExport},
	}
}

func boolean(name string, field func(*Daemon) *bool) key {
	return key{name: name, allowed: "true or false", set: func(c *Daemon, v value) error {
		switch v.text() {
		case "true":
			*field(c) = true
		case "false":
			*field(c) = false
		default:
			return errNotAllowed
		}
		return nil
	}}
}

// duration is a span of at least least and, unless most is 0, at most most.
func duration(name string, least, most time.Duration, field func(*Daemon) *time.Duration) key {
	allowed := "a duration such as 5s or 1m30s"
	if least > 0 {
		allowed += ", at least " + least.String()
	}
	if most > 0 {
		allowed += ", at most " + most.String()
	}
	return key{name: name, allowed: allowed, set: func(c *Daemon, v value) error {
		d, err := time.ParseDuration(v.text())
		if err != nil || d < least || most > 0 && d > most {
			return errNotAllowed
		}
		*field(c) = d
		return nil
	}}
}

func number(name string, least, most int, field func(*Daemon) *int) key {
	return key{name: name, allowed: fmt.Sprintf("a whole number from %d to %d", least, most), set: func(c *Daemon, v value) error {
		n, err := strconv.Atoi(v.text())
		if err != nil || n < least || n > most {
			return errNotAllowed
		}
		*field(c) = n
		return nil
	}}
}

func setMemory(c *Daemon, v value) error {
	n, err := humanize.ParseBytes(v.text())
	if err != nil || n < 32_000_000 || n > 1<<50 {
		return errNotAllowed
	}
	c.MaxMemory = int64(n)
	return nil
}

// setExport keeps the snapshot within the workspace's root: the file may come
// with a repository, and must not name places elsewhere.
func setExport(c *Daemon, v value) error {
	if v.text() != "" && !filepath.IsLocal(v.text()) {
		return errNotAllowed
	}
	c.Export = v.text()
	return nil
}

func setPatterns(c *Daemon, v value) error {
	patterns := make([]string, 0, len(v.items))
	for _, item := range v.items {
		pattern := strings.TrimSpace(item)
		switch {
		case pattern == "":
			return errors.New("a pattern must not be empty")
		case strings.ContainsAny(pattern, `/\`), strings.Contains(pattern, ".."):
			return fmt.Errorf("%q is not allowed: a name or glob within the workspace's directory, without a separator or \"..\"", pattern)
		}
		if _, err := filepath.Match(pattern, ""); err != nil {
			return fmt.Errorf("%q is not a glob", pattern)
		}
		if !slices.Contains(patterns, pattern) {
			patterns = append(patterns, pattern)
		}
	}
	if len(patterns) == 0 {
		return errors.New("must name at least one file; to refresh only when asked set auto_sync: false")
	}
	c.WatchPatterns = patterns
	return nil
}
