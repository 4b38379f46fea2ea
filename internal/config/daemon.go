package config

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
)

// DaemonName is the configuration file in the workspace's directory.
const DaemonName = "daemon.yaml"

// maxFile bounds the file, in bytes: the workspace may come from a hostile
// repository, and the parser's time grows faster than its input.
const maxFile = 32 << 10

// Daemon is what daemon.yaml, the environment and flags say.
type Daemon struct {
	Path string // the file that was read; "" if there was none

	Enabled          bool
	EnabledBy        string // the file or variable that said so; "" by default
	Foreground       bool
	AutoStart        bool          // ordinary commands start a daemon
	IdleExit         time.Duration // 0: never
	LogLevel         slog.Level
	LogFormat        string        // text or json
	DebounceInterval time.Duration // quiet time before a refresh
	MaxSyncFrequency time.Duration // least time between two cycles
	AutoSync         bool          // false: refresh only when asked
	SyncOnStartup    bool
	WatchPatterns    []string

	BatchSize          int   // operations in one transaction of a refresh
	MaxMemory          int64 // bytes, resident
	MaxCPUPercent      int   // of one processor, on average
	MaxFileDescriptors int

	EnableMetrics      bool
	MetricsInterval    time.Duration
	EnableHealthChecks bool
	HealthInterval     time.Duration

	Export string // a snapshot that is kept current, below the workspace's root; "": none
}

// Default are the settings where nobody says anything else.
func Default() Daemon {
	return Daemon{
		Enabled:            true,
		LogLevel:           slog.LevelInfo,
		LogFormat:          "text",
		DebounceInterval:   5 * time.Second,
		MaxSyncFrequency:   30 * time.Second,
		AutoSync:           true,
		SyncOnStartup:      true,
		WatchPatterns:      []string{"issues.jsonl", "config.yaml", "routes.jsonl", "interactions.jsonl"},
		BatchSize:          100,
		MaxMemory:          100_000_000,
		MaxCPUPercent:      10,
		MaxFileDescriptors: 256,
		EnableMetrics:      true,
		MetricsInterval:    30 * time.Second,
		EnableHealthChecks: true,
		HealthInterval:     60 * time.Second,
	}
}

// Error says what is wrong with one setting, where, and what is allowed.
type Error struct {
	File   string // or the variable's name
	Line   int    // 0: none
	Key    string
	Reason string
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Key == "" || e.Key == e.File {
		return where + ": " + e.Reason
	}
	return fmt.Sprintf("%s: %s: %s", where, e.Key, e.Reason)
}

// Source is where a process finds the settings of one workspace.
type Source struct {
	Dir    string                            // the workspace's directory
	Read   func(name string) ([]byte, error) // a file in it; refuses links, since Dir may come from a hostile repository
	Getenv func(string) string
	File   string // --config; "": daemon.yaml in Dir, which may be missing
}

// LoadDaemon reads the settings: the environment
// (BEADS_DAEMON_DEBOUNCE_INTERVAL and so on) over the file over the defaults;
// the caller applies flags. Everything that is not understood is an Error.
func LoadDaemon(s Source) (Daemon, error) {
	c := Default()
	data, path, err := s.daemonFile()
	switch {
	case err == nil:
		c.Path = path
		if err := c.readYAML(path, data); err != nil {
			return Daemon{}, err
		}
	case s.File != "" || !errors.Is(err, fs.ErrNotExist):
		return Daemon{}, fmt.Errorf("daemon configuration: %w", err)
	}
	for _, k := range keys() {
		name := "BEADS_DAEMON_" + strings.ToUpper(k.name)
		text := s.Getenv(name)
		if text == "" {
			continue
		}
		v := value{items: []string{text}}
		if k.list {
			v = value{list: true, items: strings.Split(text, ",")}
		}
		if err := c.set(k, v, name, 0); err != nil {
			return Daemon{}, err
		}
	}
	return c, nil
}

// daemonFile reads what a person named as it is, but follows no link in the
// workspace.
func (s Source) daemonFile() (data []byte, path string, err error) {
	if s.File != "" {
		path = s.File
		data, err = readBounded(s.File)
	} else {
		path = filepath.Join(s.Dir, DaemonName)
		data, err = s.Read(DaemonName)
	}
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, path, err
}

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// set applies one value that came from the file (and line) or variable where.
func (c *Daemon) set(k key, v value, where string, line int) error {
	fail := func(reason string) error {
		return &Error{File: where, Line: line, Key: k.name, Reason: reason}
	}
	if v.list != k.list {
		return fail("must be " + k.allowed)
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
func (c Daemon) Watches(name string) bool {
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
	case ".lock", "db.lock", "daemon.json", "daemon.log", "local.json", ".gitignore":
		return true
	}
	return strings.HasPrefix(name, ".") ||
		strings.HasPrefix(name, "daemon-") && strings.HasSuffix(name, ".log") ||
		strings.HasPrefix(name, "beads.db")
}
