package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"beads/internal/control"
	"beads/internal/fleet"
	"beads/internal/registry"
)

// newFleetFixture is a daemon that is recorded in a registry of its own.
func newFleetFixture(t *testing.T) (*fixture, fleet.Fleet) {
	t.Helper()
	f := newFixture(t)
	f.opts.Config.SyncOnStartup = false
	f.opts.Registry = registry.Registry{Dir: filepath.Join(f.opts.Place.Root, "state"), UID: os.Getuid()}
	return f, fleet.Fleet{Registry: f.opts.Registry, Sockets: f.opts.Sockets, Hostname: "host"}
}

func members(t *testing.T, f fleet.Fleet) []fleet.Member {
	t.Helper()
	members, skipped, err := f.List(t.Context())
	if err != nil || len(skipped) > 0 {
		t.Fatalf("list: %v %v", skipped, err)
	}
	return members
}

func recorded(t *testing.T, f fleet.Fleet) []registry.Entry {
	t.Helper()
	entries, _, err := f.Registry.List()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestFleet(t *testing.T) {
	f, all := newFleetFixture(t)
	if found := members(t, all); len(found) > 0 {
		t.Fatalf("before any start: %+v", found)
	}
	f.start(t)
	ended := make(chan error, 1)
	go func() { ended <- f.Run(t.Context()) }()
	entries := recorded(t, all)
	if len(entries) != 1 || entries[0].PID != 7 || entries[0].Socket != f.socket.Path() || !entries[0].StartTime.Equal(f.now) {
		t.Fatalf("entries %+v", entries)
	}
	// The PID is the kernel's, not the file's. The environment is another one.
	all.Sockets.Runtime = "/nowhere"
	found := members(t, all)
	for len(found) == 1 && found[0].State == fleet.Silent { // a busy machine: a look waits 800 ms at most
		found = members(t, all)
	}
	if len(found) != 1 || found[0].State != fleet.Answering || found[0].PID != os.Getpid() || found[0].Status.Status != control.Running {
		t.Fatalf("members %+v", found)
	}
	outcomes, _, err := all.StopAll(t.Context(), false)
	if err != nil || len(outcomes) != 1 || outcomes[0].Err != nil || outcomes[0].PID != os.Getpid() {
		t.Fatalf("outcomes %+v, %v", outcomes, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if entries := recorded(t, all); len(entries) > 0 {
		t.Errorf("left: %+v", entries)
	}
	if outcomes, _, err := all.StopAll(t.Context(), false); err != nil || len(outcomes) > 0 {
		t.Errorf("again: %+v %v", outcomes, err)
	}
}

// TestStaleEntries: what is removed is what provably no daemon of this machine
// stands behind.
func TestStaleEntries(t *testing.T) {
	for about, test := range map[string]struct {
		spoil   func(t *testing.T, f *fixture, e *registry.Entry)
		shown   string
		reason  string
		removed bool
	}{
		"a killed daemon's":           {func(*testing.T, *fixture, *registry.Entry) {}, "", "", true},
		"without a lock file":         {func(t *testing.T, f *fixture, _ *registry.Entry) { remove(t, f.opts.Place.DaemonLock()) }, "", "", true},
		"without its directory":       {func(t *testing.T, f *fixture, _ *registry.Entry) { os.RemoveAll(f.opts.Place.Dir) }, "", "", true},
		"with a file in place of it":  {func(t *testing.T, _ *fixture, e *registry.Entry) { relocate(t, e, 0) }, fleet.Unknown, "not a directory", false},
		"with a link in place of it":  {func(t *testing.T, _ *fixture, e *registry.Entry) { relocate(t, e, os.ModeSymlink) }, fleet.Unknown, "not a directory", false},
		"another machine's":           {func(_ *testing.T, _ *fixture, e *registry.Entry) { e.Hostname = "other" }, "", "", false},
		"with another version's lock": {func(_ *testing.T, _ *fixture, e *registry.Entry) { e.Lock += "2" }, fleet.Unknown, "not one that this version knows", false},
		"with a directory in the lock's place": {func(t *testing.T, f *fixture, _ *registry.Entry) {
			remove(t, f.opts.Place.DaemonLock())
			if err := os.Mkdir(f.opts.Place.DaemonLock(), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "", "", true},
	} {
		t.Run(about, func(t *testing.T) {
			f, all := newFleetFixture(t)
			f.start(t)
			e := f.entry()
			f.stop(t)
			test.spoil(t, f, &e)
			if err := all.Registry.Put(e); err != nil {
				t.Fatal(err)
			}
			all.ReadOnly = true
			members(t, all)
			if len(recorded(t, all)) != 1 {
				t.Fatal("a look that may not write removed it")
			}
			all.ReadOnly = false
			found := members(t, all)
			switch {
			case test.shown == "" && len(found) > 0:
				t.Errorf("shown: %+v", found)
			case test.shown != "" && (len(found) != 1 || found[0].State != test.shown || !strings.Contains(found[0].Reason, test.reason)):
				t.Errorf("members %+v, want one that is %s", found, test.shown)
			}
			if removed := len(recorded(t, all)) == 0; removed != test.removed {
				t.Errorf("removed: %t", removed)
			}
			outcomes, _, err := all.StopAll(t.Context(), true)
			if err != nil || len(outcomes) != len(found) || len(outcomes) == 1 && outcomes[0].Err == nil {
				t.Errorf("killall: %+v, %v", outcomes, err)
			}
		})
	}
}

// relocate gives the entry a workspace that is no directory.
func relocate(t *testing.T, e *registry.Entry, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w")
	err := os.WriteFile(path, nil, 0o600)
	if mode == os.ModeSymlink {
		err = os.Symlink(e.Workspace, path+"l")
		path += "l"
	}
	if err != nil {
		t.Fatal(err)
	}
	e.Workspace, e.Lock = path, filepath.Join(path, filepath.Base(e.Lock))
}

func TestRegistryIsNoReasonNotToRun(t *testing.T) {
	f, all := newFleetFixture(t)
	if err := os.WriteFile(all.Registry.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	f.stop(t)
	if !strings.Contains(f.log.String(), "Not recorded among this machine's daemons") {
		t.Error(f.log.String())
	}
}

// TestSilentDaemon: who holds its lock is there, whatever else.
func TestSilentDaemon(t *testing.T) {
	f, all := newFleetFixture(t)
	f.start(t) // and not Run: nobody answers
	defer f.stop(t)
	found := members(t, all)
	if len(found) != 1 || found[0].State != fleet.Silent || found[0].PID == 0 || !strings.Contains(found[0].Reason, "does not answer") {
		t.Errorf("members %+v", found)
	}
	if len(recorded(t, all)) != 1 {
		t.Error("the entry of a daemon that holds its lock was removed")
	}
	all.Hostname = "another"
	if found = members(t, all); len(found) != 1 || found[0].State != fleet.Unknown || found[0].Reason != "it runs on host" {
		t.Errorf("seen from another machine: %+v", found)
	}
}
