package daemon

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
	set     func(*Config, value) error
	// check is for settings that this version does not act on. It validates,
	// and reports whether the value asks for something that is therefore
	// missing.
	check func(value) (missing bool, err error)
}

// keys is the whole table of daemon.yaml. Settings that later versions act on
// are known and validated too: with their default value they are silent, with
// another one they are named as without effect (Config.NoEffect); one that
// would have people rely on a file that nobody writes is refused.
func keys() []key {
	return []key{
		boolean("enabled", func(c *Config) *bool { return &c.Enabled }),
		boolean("foreground", func(c *Config) *bool { return &c.Foreground }),
		duration("idle_exit", 0, 0, func(c *Config) *time.Duration { return &c.IdleExit }),
		{name: "log_level", allowed: "debug, info, warn or error", set: func(c *Config, v value) error {
			levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
			level, ok := levels[v.text()]
			if !ok {
				return errNotAllowed
			}
			c.LogLevel = level
			return nil
		}},
		{name: "log_format", allowed: "text or json", set: func(c *Config, v value) error {
			if v.text() != "text" && v.text() != "json" {
				return errNotAllowed
			}
			c.LogFormat = v.text()
			return nil
		}},
		duration("debounce_interval", 10*time.Millisecond, time.Hour, func(c *Config) *time.Duration { return &c.DebounceInterval }),
		duration("max_sync_frequency", 0, 24*time.Hour, func(c *Config) *time.Duration { return &c.MaxSyncFrequency }),
		boolean("auto_sync", func(c *Config) *bool { return &c.AutoSync }),
		boolean("sync_on_startup", func(c *Config) *bool { return &c.SyncOnStartup }),
		{name: "watch_patterns", list: true, allowed: "a list of file names or globs within the workspace's directory", set: setPatterns},

		later(boolean("auto_start", func(*Config) *bool { return new(bool) }), "false"),
		later(number("batch_size", 1, 100_000), "100"),
		later(key{name: "max_memory", allowed: "a size such as 100MB, at least 32MB", set: checkSize}, "100MB"),
		later(number("max_cpu_percent", 1, 100), "10"),
		later(number("max_file_descriptors", 64, 1<<20), "256"),
		later(boolean("enable_metrics", func(*Config) *bool { return new(bool) }), "true"),
		later(duration("metrics_interval", time.Second, 24*time.Hour, nil), "30s"),
		later(boolean("enable_health_checks", func(*Config) *bool { return new(bool) }), "true"),
		later(duration("health_interval", time.Second, 24*time.Hour, nil), "60s"),
		{name: "export", allowed: "a file name", set: func(_ *Config, v value) error {
			if v.text() != "" {
				return errors.New("this version keeps no snapshot up to date: leave it empty and use bd export")
			}
			return nil
		}},
	}
}

// later turns a key into one that is only checked.
func later(k key, standard string) key {
	set := k.set
	k.set = nil
	k.check = func(v value) (bool, error) {
		if err := set(new(Config), v); err != nil {
			if errors.Is(err, errNotAllowed) {
				err = fmt.Errorf("%q is not allowed: must be %s", v.text(), k.allowed)
			}
			return false, err
		}
		return v.text() != standard, nil
	}
	return k
}

func boolean(name string, field func(*Config) *bool) key {
	return key{name: name, allowed: "true or false", set: func(c *Config, v value) error {
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
func duration(name string, least, most time.Duration, field func(*Config) *time.Duration) key {
	allowed := "a duration such as 5s or 1m30s"
	if least > 0 {
		allowed += ", at least " + least.String()
	}
	if most > 0 {
		allowed += ", at most " + most.String()
	}
	return key{name: name, allowed: allowed, set: func(c *Config, v value) error {
		d, err := time.ParseDuration(v.text())
		if err != nil || d < least || most > 0 && d > most {
			return errNotAllowed
		}
		if field != nil {
			*field(c) = d
		}
		return nil
	}}
}

func number(name string, least, most int) key {
	return key{name: name, allowed: fmt.Sprintf("a whole number from %d to %d", least, most), set: func(_ *Config, v value) error {
		if n, err := strconv.Atoi(v.text()); err != nil || n < least || n > most {
			return errNotAllowed
		}
		return nil
	}}
}

func checkSize(_ *Config, v value) error {
	if n, err := humanize.ParseBytes(v.text()); err != nil || n < 32_000_000 || n > 1<<50 {
		return errNotAllowed
	}
	return nil
}

func setPatterns(c *Config, v value) error {
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
