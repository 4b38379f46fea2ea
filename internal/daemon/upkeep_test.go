package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"beads/internal/daemonlog"
	"beads/internal/workspace"
)

// TestMaintenance: once an hour, if the database was written to, when nothing
// else waits, and for nobody who has the lock.
func TestMaintenance(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.EnableHealthChecks = false
	f.opts.Place.DB = filepath.Join(f.opts.Place.Dir, "beads.db")
	f.start(t)
	defer f.stop(t)
	write := func(content string) {
		if err := os.WriteFile(f.opts.Place.DB, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	did := func(when string, want int) {
		t.Helper()
		if f.ws.maintained != want {
			t.Errorf("%s: %d pieces of maintenance, want %d", when, f.ws.maintained, want)
		}
	}
	f.tick(t, upkeepInterval)
	did("no database", 0)
	write("1")
	f.tick(t, upkeepInterval-1)
	did("before the hour", 0)
	f.tick(t, 1)
	did("after it", 2) // the first piece had more
	f.tick(t, upkeepInterval)
	did("untouched", 2)
	write("22")
	f.changed(f.now, false)
	f.tick(t, upkeepInterval) // a cycle is due
	did("busy", 2)
	f.tick(t, 0)
	did("idle", 4)
	write("333")
	f.ws.err = &workspace.LockedError{}
	f.tick(t, upkeepInterval)
	did("locked", 5)
	f.ws.err = nil
	f.tick(t, upkeepRetry)
	did("free", 6)
}

func TestOldLogIsRotated(t *testing.T) {
	f := newFixture(t)
	f.opts.Log = nil
	f.start(t)
	defer f.stop(t)
	path := filepath.Join(f.opts.Place.Dir, daemonlog.Name)
	for _, test := range []struct {
		name, first string
		files       int
	}{
		{"young", f.now.Add(time.Minute - logAge).Format(daemonlog.TimeFormat), 1},
		{"old", f.now.Add(-logAge - 1).Format(daemonlog.TimeFormat), 2},
		{"empty", "", 2},
	} {
		if test.first != "" {
			line := "timestamp=" + test.first + " level=info message=x pid=1\n"
			if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if names, err := filepath.Glob(filepath.Join(f.opts.Place.Dir, "daemon*.log")); err != nil || len(names) != test.files {
			t.Errorf("%s: files of the log are %q, %v; want %d", test.name, names, err, test.files)
		}
	}
}
