//go:build unix

package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/control"
	"beads/internal/fleet"
	"beads/internal/projection"
)

// install puts an executable in the daemon's place, as an upgrade does: by
// rename.
func (f *fixture) install(t *testing.T, script string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(f.opts.Place.Root, "bd")
	f.opts.Program = Program{Path: path, Environ: os.Environ()}
	if err := os.WriteFile(path+".new", []byte(script), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// upgrade is a tick with a look at the executable.
func (f *fixture) upgrade(t *testing.T) error {
	t.Helper()
	f.now = f.now.Add(lookInterval)
	return f.Tick(t.Context())
}

// versionScript answers as bd version --json does.
func versionScript(version string) string {
	return "#!/bin/sh\necho '{\"version\":\"" + version + "\"}'\n"
}

func TestUpgrade(t *testing.T) {
	f := newFixture(t)
	f.install(t, versionScript("1"), 0o755)
	f.start(t)
	if err := f.upgrade(t); err != nil || !f.look.Equal(f.now.Add(lookInterval)) {
		t.Fatalf("nothing was replaced: %v", err)
	}
	f.install(t, versionScript("2"), 0o755)
	if err := f.upgrade(t); err != nil {
		t.Fatal(err)
	}
	if !f.look.Equal(f.now.Add(settleTime)) {
		t.Errorf("the next look is in %s", f.look.Sub(f.now))
	}
	if err := os.Chtimes(f.opts.Program.Path, time.Time{}, f.now); err != nil {
		t.Fatal(err)
	}
	if err := f.upgrade(t); err != nil {
		t.Fatalf("it is still being written: %v", err)
	}
	var leave leaveError
	if err := f.upgrade(t); !errors.As(err, &leave) || !strings.Contains(err.Error(), "replaced by version 2") {
		t.Fatalf("got %v, want to leave", err)
	}
	f.look = f.now // Run finds it again
	if err := f.Run(t.Context()); err != nil || !f.Replaced() {
		t.Errorf("Run: %v, replaced: %t", err, f.Replaced())
	}
	if isHeld, _ := fleet.Running(f.opts.Place); isHeld || f.ws.closed != 1 {
		t.Error("not everything is closed")
	}
	if s := f.left(t); s.Status != control.Stopped || s.PID != 0 {
		t.Errorf("state %+v", s)
	}
}

func TestUpgradeRefused(t *testing.T) {
	for _, test := range []struct {
		name, script string
		mode         os.FileMode
		said         int
	}{
		{"does not run", "#!/bin/sh\nexit 3\n", 0o755, 1},
		{"is no bd", "#!/bin/sh\necho hello\n", 0o755, 1},
		{"is no program", "\x7fELF", 0o755, 1},
		{"is empty", "", 0o755, 0},
		{"is not executable", versionScript("2"), 0o644, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.install(t, versionScript("1"), 0o755)
			f.start(t)
			defer f.stop(t)
			f.install(t, test.script, test.mode)
			for range 4 {
				if err := f.upgrade(t); err != nil {
					t.Fatal(err)
				}
			}
			if n := strings.Count(f.log.String(), "does not work"); n != test.said {
				t.Errorf("said %d times: %s", n, f.log.String())
			}
			remove(t, f.opts.Program.Path)
			if err := f.upgrade(t); err != nil {
				t.Errorf("removed: %v", err)
			}
		})
	}
}

// TestStopBeatsUpgrade: who stopped the daemon is told that it is gone.
func TestStopBeatsUpgrade(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.Daemon.program.next = "2"
	if err := (handler{f.Daemon, ""}).Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.handOver(); f.Replaced() {
		t.Error("a stopped daemon becomes another one")
	}
}

// TestNewerDatabase: a newer bd has rebuilt the database under the daemon.
func TestNewerDatabase(t *testing.T) {
	for _, upgraded := range []bool{false, true} {
		f := newFixture(t)
		f.install(t, versionScript("1"), 0o755)
		f.start(t)
		f.ws.err = projection.ErrNewer
		if upgraded {
			f.install(t, versionScript("2"), 0o755) // not looked at yet
		}
		err := f.Run(t.Context())
		s := f.left(t)
		if err != nil || f.Replaced() != upgraded || f.ws.refreshes != 1 {
			t.Errorf("upgraded %t: %v, replaced %t, %d refreshes", upgraded, err, f.Replaced(), f.ws.refreshes)
		}
		if failing := s.Status == control.Failing && strings.Contains(s.LastError, "written by a newer bd"); failing == upgraded {
			t.Errorf("upgraded %t: state %+v", upgraded, s)
		}
	}
}

func TestStablePath(t *testing.T) {
	dir := t.TempDir()
	path := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	for _, name := range []string{"v1", "bin", "other"} {
		if err := os.Mkdir(path(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"v1", "other"} {
		if err := os.WriteFile(path(name, "bd"), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(path("v1", "bd"), path("bin", "bd")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ search, want string }{
		{"", path("v1", "bd")},
		{path("other"), path("v1", "bd")},
		{path("other") + ":" + path("bin"), path("bin", "bd")},
		{"bin:.", path("v1", "bd")},
	} {
		if got := StablePath(path("v1", "bd"), test.search); got != test.want {
			t.Errorf("in %q: %s, want %s", test.search, got, test.want)
		}
	}
}
