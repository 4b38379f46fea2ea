package fleet

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"beads/internal/registry"
	"beads/internal/workspace"
)

// TestForgetSparesALaterDaemon: between a look that found the lock free and the
// removal, another daemon may have started.
func TestForgetSparesALaterDaemon(t *testing.T) {
	dir := t.TempDir()
	p := workspace.Place{Dir: dir}
	all := Fleet{Registry: registry.Registry{Dir: filepath.Join(dir, "registry"), UID: os.Getuid()}}
	entry := func(start time.Time) registry.Entry {
		return registry.Entry{Workspace: dir, Lock: p.DaemonLock(), PID: 7, StartTime: start, Hostname: "host", Version: "1"}
	}
	old, later := entry(testStart), entry(testStart.Add(time.Second))
	lock, err := Acquire(t.Context(), p.DaemonLock(), who(7))
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Registry.Put(later); err != nil {
		t.Fatal(err)
	}
	recorded := func() []registry.Entry {
		entries, _, err := all.Registry.List()
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	all.forget(old)   // the lock is held
	all.forget(later) // even if it were the same
	if entries := recorded(); len(entries) != 1 || !entries[0].StartTime.Equal(later.StartTime) {
		t.Errorf("entries %+v", entries)
	}
	// A daemon that has lost its lock ends late.
	if err := all.Registry.Remove(old); err != nil || len(recorded()) != 1 {
		t.Errorf("the old daemon removed the new one's entry (%v)", err)
	}
	if err := lock.Release(testStart); err != nil {
		t.Fatal(err)
	}
	if all.forget(later); len(recorded()) > 0 {
		t.Error("the entry of a daemon that is gone stayed")
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
