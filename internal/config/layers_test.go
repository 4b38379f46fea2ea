package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrecedence takes the stronger places away one after another.
func TestPrecedence(t *testing.T) {
	s := source(t.TempDir())
	s.User = filepath.Join(t.TempDir(), FileName)
	variable := "json"
	s.Getenv = func(name string) string {
		return map[string]string{"BEADS_DAEMON_LOG_FORMAT": variable, "BEADS_DAEMON_LOG_LEVEL": "debug"}[name]
	}
	files := []struct{ path, text string }{
		{filepath.Join(s.Dir, DaemonName), "daemon:\n  log_format: text\n  log_level: warn\n"},
		{filepath.Join(s.Dir, FileName), "daemon.log_format: json\ndaemon:\n  batch_size: 7\n"},
		{s.User, "daemon:\n  log_format: text\n  batch_size: 8\n  watch_patterns: [a, b]\n"},
	}
	for _, f := range files {
		if err := os.WriteFile(f.path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...Setting) {
		t.Helper()
		layers, err := s.Layers()
		if err != nil {
			t.Fatal(err)
		}
		c, err := LoadDaemon(s, layers)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if got := c.Setting(w.Key); got != w {
				t.Errorf("got %+v, want %+v", got, w)
			}
		}
		if got := c.Setting("log_format"); got.Value != c.LogFormat {
			t.Errorf("it says %s and is %s", got.Value, c.LogFormat)
		}
	}
	check(Setting{"log_format", "json", "BEADS_DAEMON_LOG_FORMAT"}, Setting{"log_level", "debug", "BEADS_DAEMON_LOG_LEVEL"},
		Setting{"batch_size", "7", files[1].path}, Setting{"watch_patterns", "a,b", s.User}, Setting{"max_memory", "100MB", ""})
	variable = ""
	check(Setting{"log_format", "text", files[0].path})
	for i, next := range []Setting{
		{"log_format", "json", files[1].path}, {"log_format", "text", files[2].path}, {"log_format", "text", ""},
	} {
		if err := os.Remove(files[i].path); err != nil {
			t.Fatal(err)
		}
		check(next)
	}
}

func TestLayersAreChecked(t *testing.T) {
	for _, test := range []struct{ about, text, want string }{
		{"a bad value", "actor: x\ndaemon:\n  max_memory: lots\n", ":3: daemon.max_memory: \"lots\" is not allowed: must be a size"},
		{"a bad value of a dotted key", "daemon.health_interval: 5\n", ":1: daemon.health_interval: \"5\" is not allowed: must be a duration"},
		{"an unknown key is for others to say", "daemon:\n  nonsense: 1\n", ""},
		{"a key without a value says nothing", "daemon:\n  log_level:\n", ""},
		{"no YAML", "daemon: [\n", ":1: "},
		{"nesting without end", "a:\n b:\n  c:\n   d:\n    e:\n     f:\n      g: 1\n", "must be a single value or a list"},
		{"too large", "# " + strings.Repeat("x", maxFile), "is larger than"},
	} {
		s := source(t.TempDir())
		if err := os.WriteFile(filepath.Join(s.Dir, FileName), []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		layers, err := s.Layers()
		if err == nil {
			_, err = LoadDaemon(s, layers)
		}
		if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), s.Dir)) {
			t.Errorf("%s: %v", test.about, err)
		}
	}
}

func TestMayAutoStart(t *testing.T) {
	s := source(t.TempDir())
	if s.MayAutoStart() {
		t.Error("nobody mentions it")
	}
	s.User = filepath.Join(t.TempDir(), FileName)
	for _, path := range []string{filepath.Join(s.Dir, DaemonName), filepath.Join(s.Dir, FileName), s.User} {
		if err := os.WriteFile(path, []byte("daemon:\n  auto_start: true\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if !s.MayAutoStart() {
			t.Errorf("%s mentions it", path)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	s.Getenv = func(string) string { return "true" }
	if !s.MayAutoStart() {
		t.Error("the environment says so")
	}
}

func TestDefaultsAreAllowed(t *testing.T) {
	for _, k := range Keys() {
		if err := Check(k.Name, k.Default); err != nil {
			t.Errorf("the default of %s: %v", k.Name, err)
		}
		if k.Allowed == "" {
			t.Errorf("%s does not say what is allowed", k.Name)
		}
	}
	if err := Check("nonsense", "1"); err == nil {
		t.Error("an unknown key has a value")
	}
}

// TestExportPaths: the file may come with a repository.
func TestExportPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "issues.jsonl": true, "export/issues.jsonl": true, ".github/issues.jsonl": true,
		"/etc/passwd": false, "..": false, ".": false, "../x": false, "a/../../x": false, "a/../b": false, "a/": false, "./a": false, "a//b": false,
		".git/config": false, "sub/.git/config": false, ".GIT/config": false, ".beads/issues.jsonl": false, ".Beads/x": false, ".beads": false,
	} {
		if err := Check("export", path); (err == nil) != want {
			t.Errorf("%q: %v, want it allowed: %t", path, err, want)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte("actor: alice # me\n\noutput:\n  color: \"never\"\ndaemon.log_level: debug\n"))
	f.Add([]byte("daemon: {watch_patterns: [a, b], export: ~}\n"))
	f.Add([]byte("a: &x [1]\nb: *x\n? c\n: |\n  d\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ParseFile("f", data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
			return
		}
		c := Default()
		_ = c.readFile(file) // it must only come back
		if text, err := SetKey("f", data, "actor", "bob"); err == nil {
			if again, err := ParseFile("f", text); err != nil || again.Value("actor") != "bob" {
				t.Errorf("%q after setting actor: %v", text, err)
			}
		}
		_, _ = UnsetKey("f", data, "actor")
	})
}
