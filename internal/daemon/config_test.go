package daemon

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/workspace"
)

// load reads text as daemon.yaml of a fresh workspace.
func load(t *testing.T, text string, env map[string]string) (Config, error) {
	t.Helper()
	p := workspace.Place{Dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(p.Dir, ConfigName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadConfig(p, "", func(key string) string { return env[key] })
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
	none, err := LoadConfig(workspace.Place{Dir: t.TempDir()}, "", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	c, err := load(t, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.NoEffect) > 0 {
		t.Errorf("defaults are named as without effect: %q", c.NoEffect)
	}
	if c.DebounceInterval != 5*time.Second || c.MaxSyncFrequency != 30*time.Second || !c.AutoSync || !c.Enabled {
		t.Errorf("got %+v", c)
	}
	if none.DebounceInterval != c.DebounceInterval || none.LogLevel != c.LogLevel || none.Enabled != c.Enabled ||
		none.SyncOnStartup != c.SyncOnStartup || !slices.Equal(none.WatchPatterns, c.WatchPatterns) {
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
	if c.Enabled || !strings.HasSuffix(c.EnabledBy, ConfigName) || c.LogLevel != slog.LevelDebug || c.LogFormat != "json" ||
		c.IdleExit != 90*time.Minute || c.AutoSync {
		t.Errorf("got %+v", c)
	}
	if c.DebounceInterval != time.Second || !slices.Equal(c.WatchPatterns, []string{"a.jsonl", "b*"}) {
		t.Errorf("the environment comes before the file: %v %q", c.DebounceInterval, c.WatchPatterns)
	}
	if len(c.NoEffect) != 2 || !strings.Contains(c.NoEffect[0], ":11: max_cpu_percent has no effect") || !strings.Contains(c.NoEffect[1], ":12: auto_start") {
		t.Errorf("without effect: %q", c.NoEffect)
	}
}

func TestConfigErrors(t *testing.T) {
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
		{"later key with a bad value", "daemon:\n  max_memory: lots", 2, "a size such as 100MB"},
		{"later key out of range", "daemon:\n  max_cpu_percent: 0", 2, "from 1 to 100"},
		{"a snapshot that nobody would write", "daemon:\n  export: x.jsonl", 2, "use bd export"},
		{"alias", "daemon:\n  log_level: &x info", 2, "must be debug"},
		{"broken YAML", "daemon:\n\tx: 1", 2, "token"},
		{"not a mapping", "daemon", 1, "a mapping"},
		{"a list at the top", "- daemon", 1, "a mapping"},
		{"two documents", "daemon:\n  enabled: true\n---\ndaemon:\n  enabled: false", 4, "one document"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, test.text, nil)
			var bad *ConfigError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a ConfigError", err)
			}
			if bad.Line != test.line || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got line %d, %q, want line %d, %q", bad.Line, err, test.line, test.want)
			}
		})
	}
}

func TestConfigFiles(t *testing.T) {
	none := func(string) string { return "" }
	p := workspace.Place{Dir: t.TempDir()}
	if _, err := LoadConfig(p, filepath.Join(p.Dir, "missing.yaml"), none); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was named and is missing: %v", err)
	}
	other := filepath.Join(p.Dir, "other.yaml")
	if err := os.WriteFile(other, []byte("daemon: {log_level: warn}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadConfig(p, other, none); err != nil || c.LogLevel != slog.LevelWarn || c.Path != other {
		t.Errorf("a named file: %+v %v", c, err)
	}
	large := filepath.Join(p.Dir, ConfigName)
	if err := os.WriteFile(large, []byte("# "+strings.Repeat("x", maxConfig)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"", large} {
		if _, err := LoadConfig(p, file, none); err == nil || !strings.Contains(err.Error(), "is larger than") {
			t.Errorf("a file that is too large, named %q: %v", file, err)
		}
	}
	remove(t, large)
	if err := os.Symlink(other, filepath.Join(p.Dir, ConfigName)); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(p, "", none); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link in the workspace: %v", err)
	}
	_, err := LoadConfig(workspace.Place{Dir: t.TempDir()}, "", func(key string) string {
		return map[string]string{"BEADS_DAEMON_ENABLED": "maybe"}[key]
	})
	if err == nil || err.Error() != `BEADS_DAEMON_ENABLED: enabled: "maybe" is not allowed: must be true or false` {
		t.Errorf("a bad variable: %v", err)
	}
}

func TestOwnFilesNeverCount(t *testing.T) {
	c := defaultConfig()
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
	if defaultConfig().Watches("notes.txt") {
		t.Error("a file that no pattern names counts")
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("daemon: {a: [b, {c: &d *d}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := defaultConfig()
		if err := c.readYAML("f", data); err == nil && (c.DebounceInterval <= 0 || len(c.WatchPatterns) == 0) {
			t.Errorf("accepted %+v", c)
		}
	})
}
