package daemon

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"beads/internal/control"
	"beads/internal/registry"
)

// newFleetFixture is a daemon that is recorded in a registry of its own.
func newFleetFixture(t *testing.T) (*fixture, Fleet) {
	t.Helper()
	f := newFixture(t)
	f.opts.Config.SyncOnStartup = false
	f.opts.Registry = registry.Registry{Dir: filepath.Join(f.opts.Place.Root, "state"), UID: os.Getuid()}
	return f, Fleet{Registry: f.opts.Registry, Sockets: f.opts.Sockets, Hostname: "host"}
}

func (f Fleet) members(t *testing.T) []Member {
	t.Helper()
	members, skipped, err := f.List(t.Context())
	if err != nil || len(skipped) > 0 {
		t.Fatalf("list: %v %v", skipped, err)
	}
	return members
}

func (f Fleet) recorded(t *testing.T) []registry.Entry {
	t.Helper()
	entries, _, err := f.Registry.List()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestFleet(t *testing.T) {
	f, fleet := newFleetFixture(t)
	if members := fleet.members(t); len(members) > 0 {
		t.Fatalf("before any start: %+v", members)
	}
	f.start(t)
	ended := make(chan error, 1)
	go func() { ended <- f.Run(t.Context()) }()
	entries := fleet.recorded(t)
	if len(entries) != 1 || entries[0].PID != 7 || entries[0].Socket != f.socket.Path() || !entries[0].StartTime.Equal(f.now) {
		t.Fatalf("entries %+v", entries)
	}
	// The PID is the kernel's, not the file's. The environment is another one.
	fleet.Sockets.Runtime = "/nowhere"
	members := fleet.members(t)
	if len(members) != 1 || members[0].State != Answering || members[0].PID != os.Getpid() || members[0].Status.Status != control.Running {
		t.Fatalf("members %+v", members)
	}
	outcomes, _, err := fleet.StopAll(t.Context(), false)
	if err != nil || len(outcomes) != 1 || outcomes[0].Err != nil || outcomes[0].PID != os.Getpid() {
		t.Fatalf("outcomes %+v, %v", outcomes, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if entries := fleet.recorded(t); len(entries) > 0 {
		t.Errorf("left: %+v", entries)
	}
	if outcomes, _, err := fleet.StopAll(t.Context(), false); err != nil || len(outcomes) > 0 {
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
		"with a file in place of it":  {func(t *testing.T, _ *fixture, e *registry.Entry) { relocate(t, e, 0) }, Unknown, "not a directory", false},
		"with a link in place of it":  {func(t *testing.T, _ *fixture, e *registry.Entry) { relocate(t, e, os.ModeSymlink) }, Unknown, "not a directory", false},
		"another machine's":           {func(_ *testing.T, _ *fixture, e *registry.Entry) { e.Hostname = "other" }, "", "", false},
		"with another version's lock": {func(_ *testing.T, _ *fixture, e *registry.Entry) { e.Lock += "2" }, Unknown, "not one that this version knows", false},
		"with a directory in the lock's place": {func(t *testing.T, f *fixture, _ *registry.Entry) {
			remove(t, f.opts.Place.DaemonLock())
			if err := os.Mkdir(f.opts.Place.DaemonLock(), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "", "", true},
	} {
		t.Run(about, func(t *testing.T) {
			f, fleet := newFleetFixture(t)
			f.start(t)
			e := f.entry()
			f.stop(t)
			test.spoil(t, f, &e)
			if err := fleet.Registry.Put(e); err != nil {
				t.Fatal(err)
			}
			fleet.ReadOnly = true
			fleet.members(t)
			if len(fleet.recorded(t)) != 1 {
				t.Fatal("a look that may not write removed it")
			}
			fleet.ReadOnly = false
			members := fleet.members(t)
			switch {
			case test.shown == "" && len(members) > 0:
				t.Errorf("shown: %+v", members)
			case test.shown != "" && (len(members) != 1 || members[0].State != test.shown || !strings.Contains(members[0].Reason, test.reason)):
				t.Errorf("members %+v, want one that is %s", members, test.shown)
			}
			if removed := len(fleet.recorded(t)) == 0; removed != test.removed {
				t.Errorf("removed: %t", removed)
			}
			outcomes, _, err := fleet.StopAll(t.Context(), true)
			if err != nil || len(outcomes) != len(members) || len(outcomes) == 1 && outcomes[0].Err == nil {
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

// TestForgetSparesALaterDaemon: between a look that found the lock free and the
// removal, another daemon may have started.
func TestForgetSparesALaterDaemon(t *testing.T) {
	f, fleet := newFleetFixture(t)
	f.start(t)
	old := f.entry()
	f.stop(t)
	f.now = f.now.Add(time.Second)
	f.start(t)
	defer f.stop(t)
	fleet.forget(old)       // the lock is held
	fleet.forget(f.entry()) // even if it were the same
	if entries := fleet.recorded(t); len(entries) != 1 || !entries[0].StartTime.Equal(f.now) {
		t.Errorf("entries %+v", entries)
	}
	// A daemon that has lost its lock ends late.
	if err := fleet.Registry.Remove(old); err != nil || len(fleet.recorded(t)) != 1 {
		t.Errorf("the old daemon removed the new one's entry (%v)", err)
	}
}

func TestRegistryIsNoReasonNotToRun(t *testing.T) {
	f, fleet := newFleetFixture(t)
	if err := os.WriteFile(fleet.Registry.Dir, nil, 0o600); err != nil {
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
	f, fleet := newFleetFixture(t)
	f.start(t) // and not Run: nobody answers
	defer f.stop(t)
	members := fleet.members(t)
	if len(members) != 1 || members[0].State != Silent || members[0].PID == 0 || !strings.Contains(members[0].Reason, "does not answer") {
		t.Errorf("members %+v", members)
	}
	if len(fleet.recorded(t)) != 1 {
		t.Error("the entry of a daemon that holds its lock was removed")
	}
	fleet.Hostname = "another"
	if members = fleet.members(t); len(members) != 1 || members[0].State != Unknown || members[0].Reason != "it runs on host" {
		t.Errorf("seen from another machine: %+v", members)
	}
}

// TestHangingLookIsLeftBehind: a file system that hangs does not hold up the
// answers about others.
func TestHangingLookIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		double := func(_ context.Context, n int) *int {
			switch n {
			case 2:
				<-release
			case 3:
				return nil
			}
			n *= 2
			return &n
		}
		late := func(n int) *int { n = -n; return &n }
		if got := concurrently(t.Context(), []int{1, 2, 3, 4}, double, late); !slices.Equal(got, []int{2, -2, 8}) {
			t.Errorf("answers %v", got)
		}
	})
}
