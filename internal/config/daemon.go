package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// DaemonName is the configuration file in the workspace's directory.
const DaemonName = "daemon.yaml"

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

	settings map[string]Setting // what was set; not changed after loading
}

// Setting is one value as it was written. Source is the file or the variable; ""
// is the default.
type Setting struct{ Key, Value, Source string }

// Default are the settings where nobody says anything else.
func Default() Daemon {
	var c Daemon
	for _, k := range keys() {
		_ = k.set(&c, k.read(k.def)) // a test sees that every default is allowed
	}
	return c
}

// Setting is the value that counts of the key name, and who says so.
func (c Daemon) Setting(name string) Setting {
	if s, set := c.settings[name]; set {
		return s
	}
	for _, k := range keys() {
		if k.name == name {
			return Setting{Key: name, Value: k.def}
		}
	}
	return Setting{Key: name}
}

// Changed names the keys whose values differ from those of old.
func (c Daemon) Changed(old Daemon) []string {
	var changed []string
	for _, k := range keys() {
		if c.Setting(k.name).Value != old.Setting(k.name).Value {
			changed = append(changed, k.name)
		}
	}
	return changed
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
	Dir    string                            // the workspace's directory; "": none
	Read   func(name string) ([]byte, error) // a file in it; refuses links, since Dir may come from a hostile repository
	User   string                            // the user's own config.yaml; "": none
	Getenv func(string) string
	File   string // --config; "": daemon.yaml in Dir, which may be missing
}

// LoadDaemon reads the settings: the environment
// (BEADS_DAEMON_DEBOUNCE_INTERVAL and so on) over daemon.yaml over layers, which
// are those of Layers, over the defaults; the caller applies flags. Everything
// that is not understood is an Error, but for the keys of a config.yaml that are
// not the daemon's.
func LoadDaemon(s Source, layers []*File) (Daemon, error) {
	c := Default()
	for _, layer := range slices.Backward(layers) {
		if err := c.readFile(layer); err != nil {
			return Daemon{}, err
		}
	}
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
		name := Variable(k.name)
		if text := s.Getenv(name); text != "" {
			if err := c.set(k, k.read(text), name, 0); err != nil {
				return Daemon{}, err
			}
		}
	}
	return c, nil
}

// Variable is the environment's variable for the daemon's key name.
func Variable(name string) string { return "BEADS_DAEMON_" + strings.ToUpper(name) }

// Section begins the daemon's keys in a config.yaml.
const Section = "daemon."

// readFile applies the daemon's keys of a config.yaml. One without a value says
// nothing, as everywhere in that file.
func (c *Daemon) readFile(f *File) error {
	for _, k := range keys() {
		text := f.Value(Section + k.name)
		if text == "" {
			continue
		}
		err := c.set(k, k.read(text), f.Name, f.Line(Section+k.name))
		var bad *Error
		if errors.As(err, &bad) {
			bad.Key = Section + k.name // as it stands there
		}
		if err != nil {
			return err
		}
	}
	return nil
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
		err = tooLarge(path)
	}
	return data, path, err
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
	if c.settings == nil {
		c.settings = map[string]Setting{}
	}
	c.settings[k.name] = Setting{k.name, strings.Join(v.items, ","), where}
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
