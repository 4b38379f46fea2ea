package config

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// source is a workspace's directory without any variable set.
func source(dir string) Source {
	return Source{
		Dir: dir, Getenv: func(string) string { return "" },
		Read: func(name string) ([]byte, error) {
			path := filepath.Join(dir, name)
			if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
				return nil, errors.New("symbolic link")
			}
			return os.ReadFile(path)
		},
	}
}

// load reads text as daemon.yaml of a fresh workspace.
func load(t *testing.T, text string, env map[string]string) (Daemon, error) {
	t.Helper()
	s := source(t.TempDir())
	if err := os.WriteFile(filepath.Join(s.Dir, DaemonName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Getenv = func(key string) string { return env[key] }
	return LoadDaemon(s, nil)
}

// whole is the example of the documentation: every key with its default.
const whole = `# the daemon
daemon:
  enabled: true
  foreground: false
  auto_start: false
  idle_exit: 0s              # never
  log_level: info
  log_format: text
  debounce_interval: 5s
  max_sync_frequency: 30s
  auto_sync: true
  sync_on_startup: true
  watch_patterns: [issues.jsonl, config.yaml, routes.jsonl, interactions.jsonl]
  batch_size: 100
  max_memory: 100MB
  max_cpu_percent: 10
  max_file_descriptors: 256
  enable_metrics: true
  metrics_interval: 30s
  enable_health_checks: true
  health_interval: 60s
  export: ""
`

func TestConfigDefaults(t *testing.T) {
	none, err := LoadDaemon(source(t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := load(t, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.DebounceInterval != 5*time.Second || c.MaxSyncFrequency != 30*time.Second || !c.AutoSync || !c.Enabled {
		t.Errorf("got %+v", c)
	}
	c.Path, c.EnabledBy, c.settings = "", "", nil
	if !reflect.DeepEqual(none, c) {
		t.Errorf("without a file: %+v; with the documented defaults: %+v", none, c)
	}
	for _, k := range keys() {
		if !strings.Contains(whole, "  "+k.name+":") {
			t.Errorf("%s is not in the documented example", k.name)
		}
	}
}

func TestConfigValues(t *testing.T) {
	c, err := load(t, `daemon:
  enabled: false
  log_level: "debug"
  log_format: json
  debounce_interval: 200ms
  idle_exit: 1h30m
  auto_sync: false
  watch_patterns:
    - issues.jsonl   # the log
    - "*.yaml"
  max_cpu_percent: 5
  auto_start: true
`, map[string]string{"BEADS_DAEMON_DEBOUNCE_INTERVAL": "1s", "BEADS_DAEMON_WATCH_PATTERNS": "a.jsonl, b*"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Enabled || !strings.HasSuffix(c.EnabledBy, DaemonName) || c.LogLevel != slog.LevelDebug || c.LogFormat != "json" ||
		c.IdleExit != 90*time.Minute || c.AutoSync {
		t.Errorf("got %+v", c)
	}
	if c.DebounceInterval != time.Second || !slices.Equal(c.WatchPatterns, []string{"a.jsonl", "b*"}) {
		t.Errorf("the environment comes before the file: %v %q", c.DebounceInterval, c.WatchPatterns)
	}
	if c.MaxCPUPercent != 5 || !c.AutoStart {
		t.Errorf("got %+v", c)
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"slip in a key", "daemon:\n  debounce_intervall: 5s", 2, "did you mean debounce_interval?"},
		{"case of a key", "daemon:\n  Enabled: true", 2, "did you mean enabled?"},
		{"unknown key", "daemon:\n  colour: red", 2, "known are enabled, foreground"},
		{"unknown key at the top", "enabled: true", 1, `below "daemon:"`},
		{"duration without a unit", "daemon:\n  debounce_interval: 5", 2, "a duration such as 5s"},
		{"negative duration", "daemon:\n  idle_exit: -1s", 2, "a duration"},
		{"debounce of nothing", "daemon:\n  debounce_interval: 0s", 2, "at least 10ms"},
		{"bad boolean", "daemon:\n  enabled: yes", 2, "true or false"},
		{"no value", "daemon:\n  enabled:", 2, "true or false"},
		{"list for a value", "daemon:\n  log_level: [info]", 2, "debug, info, warn or error"},
		{"value for a list", "daemon:\n  watch_patterns: issues.jsonl", 2, "a list"},
		{"pattern with a separator", "daemon:\n  watch_patterns: [a/b]", 2, "without a separator"},
		{"pattern that leaves", "daemon:\n  watch_patterns: ['..']", 2, "without a separator"},
		{"pattern that is none", "daemon:\n  watch_patterns: ['[']", 2, "not a glob"},
		{"no pattern", "daemon:\n  watch_patterns: []", 2, "auto_sync: false"},
		{"key given twice", "daemon:\n  enabled: true\n  enabled: true", 3, "already defined"},
		{"limit with a bad value", "daemon:\n  max_memory: lots", 2, "a size such as 100MB"},
		{"limit out of range", "daemon:\n  max_cpu_percent: 0", 2, "from 1 to 100"},
		{"a snapshot elsewhere", "daemon:\n  export: ../x.jsonl", 2, "below the workspace's root"},
		{"alias", "daemon:\n  log_level: &x info", 2, "must be debug"},
		{"broken YAML", "daemon:\n\tx: 1", 2, "token"},
		{"not a mapping", "daemon", 1, "a mapping"},
		{"a list at the top", "- daemon", 1, "a mapping"},
		{"two documents", "daemon:\n  enabled: true\n---\ndaemon:\n  enabled: false", 4, "one document"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, test.text, nil)
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a Error", err)
			}
			if bad.Line != test.line || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got line %d, %q, want line %d, %q", bad.Line, err, test.line, test.want)
			}
		})
	}
}

func TestConfigFiles(t *testing.T) {
	p := source(t.TempDir())
	named := func(file string) Source { s := p; s.File = file; return s }
	if _, err := LoadDaemon(named(filepath.Join(p.Dir, "missing.yaml")), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was named and is missing: %v", err)
	}
	other := filepath.Join(p.Dir, "other.yaml")
	if err := os.WriteFile(other, []byte("daemon: {log_level: warn}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadDaemon(named(other), nil); err != nil || c.LogLevel != slog.LevelWarn || c.Path != other {
		t.Errorf("a named file: %+v %v", c, err)
	}
	large := filepath.Join(p.Dir, DaemonName)
	if err := os.WriteFile(large, []byte("# "+strings.Repeat("x", maxFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"", large} {
		if _, err := LoadDaemon(named(file), nil); err == nil || !strings.Contains(err.Error(), "is larger than") {
			t.Errorf("a file that is too large, named %q: %v", file, err)
		}
	}
	if err := os.Remove(large); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, filepath.Join(p.Dir, DaemonName)); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadDaemon(p, nil); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link in the workspace: %v", err)
	}
	p = source(t.TempDir())
	p.Getenv = func(key string) string {
		return map[string]string{"BEADS_DAEMON_ENABLED": "maybe"}[key]
	}
	_, err := LoadDaemon(p, nil)
	if err == nil || err.Error() != `BEADS_DAEMON_ENABLED: enabled: "maybe" is not allowed: must be true or false` {
		t.Errorf("a bad variable: %v", err)
	}
}

func TestOwnFilesNeverCount(t *testing.T) {
	c := Default()
	c.WatchPatterns = []string{"*"}
	for name, want := range map[string]bool{
		"issues.jsonl": true, "config.yaml": true, "daemon.yaml": true,
		".lock": false, "db.lock": false, "beads.db": false, "beads.db-wal": false, "beads.db-shm": false,
		"daemon.json": false, "daemon.log": false, "daemon-2026-11-23T00-00-00.000.log": false, "local.json": false,
		".daemon.json.123": false, ".gitignore": false,
	} {
		if c.Watches(name) != want {
			t.Errorf("%s: counts = %t, want %t", name, !want, want)
		}
	}
	if Default().Watches("notes.txt") {
		t.Error("a file that no pattern names counts")
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("daemon: {a: [b, {c: &d *d}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := Default()
		if err := c.readYAML("f", data); err == nil && (c.DebounceInterval <= 0 || len(c.WatchPatterns) == 0) {
			t.Errorf("accepted %+v", c)
		}
	})
}
