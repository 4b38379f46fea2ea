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
	def     string // what counts where nobody says anything else
	allowed string
	list    bool
	set     func(*Daemon, value) error
}

// read is text as a value of k, in the form of the environment and of
// config.yaml: a list with commas.
func (k key) read(text string) value {
	if k.list {
		return value{list: true, items: strings.Split(text, ",")}
	}
	return value{items: []string{text}}
}

// keys is the whole table of daemon.yaml.
func keys() []key {
	return []key{
		boolean("enabled", "true", func(c *Daemon) *bool { return &c.Enabled }),
		boolean("foreground", "false", func(c *Daemon) *bool { return &c.Foreground }),
		boolean("auto_start", "false", func(c *Daemon) *bool { return &c.AutoStart }),
		duration("idle_exit", "0s", 0, 0, func(c *Daemon) *time.Duration { return &c.IdleExit }),
		{name: "log_level", def: "info", allowed: "debug, info, warn or error", set: setLevel},
		{name: "log_format", def: "text", allowed: "text or json", set: setFormat},
		duration("debounce_interval", "5s", 10*time.Millisecond, time.Hour, func(c *Daemon) *time.Duration { return &c.DebounceInterval }),
		duration("max_sync_frequency", "30s", 0, 24*time.Hour, func(c *Daemon) *time.Duration { return &c.MaxSyncFrequency }),
		boolean("auto_sync", "true", func(c *Daemon) *bool { return &c.AutoSync }),
		boolean("sync_on_startup", "true", func(c *Daemon) *bool { return &c.SyncOnStartup }),
		{name: "watch_patterns", def: "issues.jsonl,config.yaml,routes.jsonl,interactions.jsonl", list: true,
			allowed: "a list of file names or globs within the workspace's directory", set: setPatterns},
		number("batch_size", "100", 1, 100_000, func(c *Daemon) *int { return &c.BatchSize }),
		{name: "max_memory", def: "100MB", allowed: "a size such as 100MB, at least 32MB", set: setMemory},
		number("max_cpu_percent", "10", 1, 100, func(c *Daemon) *int { return &c.MaxCPUPercent }),
		number("max_file_descriptors", "256", 64, 1<<20, func(c *Daemon) *int { return &c.MaxFileDescriptors }),
		boolean("enable_metrics", "true", func(c *Daemon) *bool { return &c.EnableMetrics }),
		duration("metrics_interval", "30s", time.Second, 24*time.Hour, func(c *Daemon) *time.Duration { return &c.MetricsInterval }),
		boolean("enable_health_checks", "true", func(c *Daemon) *bool { return &c.EnableHealthChecks }),
		duration("health_interval", "60s", time.Second, 24*time.Hour, func(c *Daemon) *time.Duration { return &c.HealthInterval }),
		{name: "export", def: "", allowed: "a file below the workspace's root, such as export/issues.jsonl, outside .git and .beads", set: setExport},
	}
}

// Key is one setting of the daemon, for people.
type Key struct{ Name, Default, Allowed string }

// Keys are the settings of the daemon, in the order of the documentation.
func Keys() []Key {
	var all []Key
	for _, k := range keys() {
		all = append(all, Key{k.name, k.def, k.allowed})
	}
	return all
}

// Check reports, as an Error without a file, why text is no value of the
// daemon's setting name. A list has commas.
func Check(name, text string) error {
	c := Default()
	for _, k := range keys() {
		if k.name == name {
			return c.set(k, k.read(text), "", 0)
		}
	}
	return &Error{Key: name, Reason: "unknown key"}
}

func setLevel(c *Daemon, v value) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[v.text()]
	if !ok {
		return errNotAllowed
	}
	c.LogLevel = level
	return nil
}

func setFormat(c *Daemon, v value) error {
	if v.text() != "text" && v.text() != "json" {
		return errNotAllowed
	}
	c.LogFormat = v.text()
	return nil
}

func boolean(name, def string, field func(*Daemon) *bool) key {
	return key{name: name, def: def, allowed: "true or false", set: func(c *Daemon, v value) error {
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
func duration(name, def string, least, most time.Duration, field func(*Daemon) *time.Duration) key {
	allowed := "a duration such as 5s or 1m30s"
	if least > 0 {
		allowed += ", at least " + least.String()
	}
	if most > 0 {
		allowed += ", at most " + most.String()
	}
	return key{name: name, def: def, allowed: allowed, set: func(c *Daemon, v value) error {
		d, err := time.ParseDuration(v.text())
		if err != nil || d < least || most > 0 && d > most {
			return errNotAllowed
		}
		*field(c) = d
		return nil
	}}
}

func number(name, def string, least, most int, field func(*Daemon) *int) key {
	return key{name: name, def: def, allowed: fmt.Sprintf("a whole number from %d to %d", least, most), set: func(c *Daemon, v value) error {
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

// setExport keeps the snapshot within the workspace's root and out of what is
// Git's or ours: the file may come with a repository, and must not name places
// elsewhere. Letter case does not matter, since on some systems it does not.
func setExport(c *Daemon, v value) error {
	path := v.text()
	if path != "" {
		if !filepath.IsLocal(path) || filepath.Clean(path) != filepath.FromSlash(path) || path == "." {
			return errNotAllowed
		}
		elements := strings.Split(strings.ToLower(filepath.ToSlash(path)), "/")
		if slices.Contains(elements, ".git") || slices.Contains(elements, ".beads") {
			return errNotAllowed
		}
	}
	c.Export = path
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
