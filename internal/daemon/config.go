package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"beads/internal/workspace"
)

// ConfigName is the configuration file in the workspace's directory.
const ConfigName = "daemon.yaml"

// maxConfig bounds the file, in bytes: the workspace may come from a hostile
// repository, and the parser's time grows faster than its input.
const maxConfig = 32 << 10

// Config is what daemon.yaml, the environment and flags say.
type Config struct {
	Path string // the file that was read; "" if there was none

	Enabled          bool
	EnabledBy        string // the file or variable that said so; "" by default
	Foreground       bool
	IdleExit         time.Duration // 0: never
	LogLevel         slog.Level
	LogFormat        string        // text or json
	DebounceInterval time.Duration // quiet time before a refresh
	MaxSyncFrequency time.Duration // least time between two cycles
	AutoSync         bool          // false: refresh only when asked
	SyncOnStartup    bool
	WatchPatterns    []string

	// NoEffect names, with their place, settings that are valid but that this
	// version does not act on, so that nobody believes in a limit that is not
	// there.
	NoEffect []string
}

func defaultConfig() Config {
	return Config{
		Enabled:          true,
		LogLevel:         slog.LevelInfo,
		LogFormat:        "text",
		DebounceInterval: 5 * time.Second,
		MaxSyncFrequency: 30 * time.Second,
		AutoSync:         true,
		SyncOnStartup:    true,
		WatchPatterns:    []string{"issues.jsonl", "config.yaml", "routes.jsonl", "interactions.jsonl"},
	}
}

// ConfigError says what is wrong with one setting, where, and what is allowed.
type ConfigError struct {
	File   string // or the variable's name
	Line   int    // 0: none
	Key    string
	Reason string
}

func (e *ConfigError) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Key == "" || e.Key == e.File {
		return where + ": " + e.Reason
	}
	return fmt.Sprintf("%s: %s: %s", where, e.Key, e.Reason)
}

// LoadConfig reads the settings of the workspace at p: the environment
// (BEADS_DAEMON_DEBOUNCE_INTERVAL and so on) over the file over the defaults;
// the caller applies flags. file is --config; "" means daemon.yaml in the
// workspace, which may be missing. Everything that is not understood is a
// ConfigError.
func LoadConfig(p workspace.Place, file string, getenv func(string) string) (Config, error) {
	c := defaultConfig()
	data, err := readConfig(p, file)
	switch {
	case err == nil:
		c.Path = file
		if file == "" {
			c.Path = filepath.Join(p.Dir, ConfigName)
		}
		if err := c.readYAML(c.Path, data); err != nil {
			return Config{}, err
		}
	case file != "" || !errors.Is(err, fs.ErrNotExist):
		return Config{}, fmt.Errorf("daemon configuration: %w", err)
	}
	for _, k := range keys() {
		name := "BEADS_DAEMON_" + strings.ToUpper(k.name)
		text := getenv(name)
		if text == "" {
			continue
		}
		v := value{items: []string{text}}
		if k.list {
			v = value{list: true, items: strings.Split(text, ",")}
		}
		if err := c.set(k, v, name, 0); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// readConfig refuses links only in the workspace, which may come from a hostile
// repository; what a person names is opened as it is.
func readConfig(p workspace.Place, file string) (data []byte, err error) {
	name := file
	if file == "" {
		name = filepath.Join(p.Dir, ConfigName)
		data, err = p.ReadFile(ConfigName)
	} else {
		data, err = readBounded(file)
	}
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxConfig)
	}
	return data, err
}

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxConfig+1))
}

// set applies one value that came from the file (and line) or variable where.
func (c *Config) set(k key, v value, where string, line int) error {
	fail := func(reason string) error {
		return &ConfigError{File: where, Line: line, Key: k.name, Reason: reason}
	}
	if v.list != k.list {
		return fail("must be " + k.allowed)
	}
	if k.check != nil {
		missing, err := k.check(v)
		if err != nil {
			return fail(err.Error())
		}
		if missing {
			place := where
			if line > 0 {
				place = fmt.Sprintf("%s:%d", where, line)
			}
			c.NoEffect = append(c.NoEffect, fmt.Sprintf("%s: %s has no effect in this version", place, k.name))
		}
		return nil
	}
	if err := k.set(c, v); err != nil {
		if errors.Is(err, errNotAllowed) {
			return fail(fmt.Sprintf("%q is not allowed: must be %s", strings.Join(v.items, ","), k.allowed))
		}
		return fail(err.Error())
	}
	if k.name == "enabled" {
		c.EnabledBy = where
	}
	return nil
}

// Watches reports whether a change of the file name in the workspace counts.
// Our own files never do.
func (c Config) Watches(name string) bool {
	if ownFile(name) {
		return false
	}
	return slices.ContainsFunc(c.WatchPatterns, func(pattern string) bool {
		ok, err := filepath.Match(pattern, name)
		return err == nil && ok
	})
}

// ownFile reports whether name is written by ourselves: events for it would
// follow from events.
func ownFile(name string) bool {
	switch name {
	case ".lock", "db.lock", StateName, LogName, "local.json", ".gitignore":
		return true
	}
	return strings.HasPrefix(name, ".") ||
		strings.HasPrefix(name, "daemon-") && strings.HasSuffix(name, ".log") ||
		strings.HasPrefix(name, "beads.db")
}
