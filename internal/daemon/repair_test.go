package daemon

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"beads/internal/control"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// TestDatabaseUnderRunningDaemon: whatever happens to the database, one health
// step makes it right again, and a process that asks before it is answered
// rightly too.
func TestDatabaseUnderRunningDaemon(t *testing.T) {
	garbage := func(at, length int64) func(t *testing.T, db string) {
		return func(t *testing.T, db string) {
			f, err := os.OpenFile(db, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteAt([]byte(strings.Repeat("\xa5", int(length))), at)
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, db string)
		aside  string
	}{
		{"deleted", func(t *testing.T, db string) { remove(t, db) }, ""},
		{"a directory", func(t *testing.T, db string) {
			remove(t, db)
			if err := os.Mkdir(db, 0o700); err != nil {
				t.Fatal(err)
			}
		}, ".foreign-"},
		{"its header overwritten", garbage(0, 100), ".corrupt-"},
		{"pages overwritten in the middle", garbage(5*4096, 8*4096), ".corrupt-"},
	} {
		for _, asked := range []bool{false, true} {
			t.Run(test.name+", asked "+strconv.FormatBool(asked), func(t *testing.T) {
				f := newFixture(t)
				options := workspace.Options{
					Now: func() time.Time { return f.now }, Rand: rand.Reader,
					Actor: func() string { return "tester" }, Command: "test",
				}
				w, _, err := workspace.Init(t.Context(), f.realPlace(t), "bd", options)
				if err != nil {
					t.Fatal(err)
				}
				commitIssue(t, w)
				if err := errors.Join(w.Checkpoint(), w.Close()); err != nil {
					t.Fatal(err)
				}
				f.opts.Place = f.realPlace(t)
				f.opts.Open = func(ctx context.Context, notice func(string)) (Workspace, error) {
					o := options
					o.Notice = notice
					return workspace.Open(ctx, f.opts.Place, o)
				}
				f.start(t)
				defer f.stop(t)
				want(t, f.check(t, "database"), control.Healthy, "answers")
				test.damage(t, f.opts.Place.DB)
				if asked {
					other, err := workspace.Open(t.Context(), f.opts.Place, options)
					if err != nil {
						t.Fatal(err)
					}
					wantIssue(t, other)
					if err := other.Close(); err != nil {
						t.Fatal(err)
					}
				}
				f.tick(t, f.config.HealthInterval)
				status := control.Warning
				if asked {
					status = control.Healthy // the other process has mended it
				}
				want(t, f.found(t, "database"), status, "")
				wantIssue(t, f.Daemon.ws.(*workspace.Workspace))
				if test.aside != "" && !isAside(t, f.opts.Place.Dir, test.aside) {
					t.Errorf("nothing was set aside as %s", test.aside)
				}
				if s := f.left(t); s.Status != control.Running || s.LastError != "" {
					t.Errorf("state %+v", s)
				}
			})
		}
	}
}

// realPlace finds the fixture's directory as a workspace.
func (f *fixture) realPlace(t *testing.T) workspace.Place {
	t.Helper()
	p, err := workspace.Find(f.opts.Place.Root, "", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func commitIssue(t *testing.T, w *workspace.Workspace) {
	t.Helper()
	_, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		return []workspace.Draft{{Op: &op.Operation{
			Do: op.DoCreate, Issue: "bd-aaaaaaaaaa", Set: map[string]json.RawMessage{"title": op.Str("kept")},
		}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantIssue(t *testing.T, w *workspace.Workspace) {
	t.Helper()
	err := w.View(t.Context(), func(q *projection.Query) error {
		state, err := q.State("bd-aaaaaaaaaa")
		if err == nil && state.Issue.Title != "kept" {
			t.Errorf("the issue is %+v", state.Issue)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func isAside(t *testing.T, dir, label string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "beads.db"+label) {
			return true
		}
	}
	return false
}
