package workspace_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func (f *fixture) localPath() string { return filepath.Join(f.root, ".git/beads/local.json") }

func (f *fixture) readLocal() string {
	f.t.Helper()
	data, err := os.ReadFile(f.localPath())
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

// What a newer bd wrote into the local facts stays, and what this one changes is
// all that changes.
func TestLocalFactsAreMerged(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	before := f.readLocal()
	w := f.open()
	change := func(fn func(*workspace.Local) error) {
		t.Helper()
		if err := w.ChangeLocal(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	change(func(l *workspace.Local) error { return nil })
	if got := f.readLocal(); got != before {
		t.Errorf("changed nothing, and %q became %q", before, got)
	}
	newer := strings.Replace(before, "{", `{"later":{"b":1,"a":[2]},`, 1)
	if err := os.WriteFile(f.localPath(), []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	change(func(l *workspace.Local) error {
		l.Remote = &workspace.Remote{Name: "origin", URL: "/r", Ref: "refs/beads/ops"}
		l.Lost = []workspace.LostClaim{{Claim: workspace.Claim{Issue: "bd-a"}}, {Claim: workspace.Claim{Issue: "bd-b"}}}
		return nil
	})
	stop := errors.New("stop")
	if err := w.ChangeLocal(t.Context(), func(l *workspace.Local) error { l.Remote = nil; return stop }); !errors.Is(err, stop) {
		t.Errorf("ChangeLocal: %v, want %v", err, stop)
	}
	if err := w.AcknowledgeClaims(t.Context(), "bd-a"); err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal([]byte(f.readLocal()), &got); err != nil {
		t.Fatal(err)
	}
	if string(got["later"]) != `{"b":1,"a":[2]}` || !strings.Contains(string(got["remote"]), `"origin"`) || len(got["workspace"]) != 34 {
		t.Errorf("local facts: %s", f.readLocal())
	}
	if local, err := w.Local(); err != nil || len(local.Lost) != 1 || local.Lost[0].Issue != "bd-b" {
		t.Errorf("after the acknowledgement: %+v, %v", local, err)
	}
	if err := w.AcknowledgeClaims(t.Context()); err != nil {
		t.Fatal(err)
	}
	if local, err := w.Local(); err != nil || len(local.Lost) != 0 || local.Remote == nil {
		t.Errorf("after acknowledging all: %+v, %v", local, err)
	}
}

// Without its local facts the workspace keeps its database, takes the id from
// it, and shares with nobody.
func TestLocalFactsLost(t *testing.T) {
	for name, content := range map[string]string{"removed": "", "torn": `{"workspace":"12`, "of another shape": `[1]`} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one")
			before, err := f.place().Local()
			if err != nil {
				t.Fatal(err)
			}
			if content == "" {
				err = os.Remove(f.localPath())
			} else {
				err = os.WriteFile(f.localPath(), []byte(content), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			f.titles() // a reader writes nothing
			f.file("two")
			after, err := f.place().Local()
			if err != nil || after.Workspace != before.Workspace || after.Remote != nil {
				t.Errorf("local facts were %+v, are %+v, %v", before, after, err)
			}
			if len(f.notices) > 0 {
				t.Errorf("notices: %q", f.notices)
			}
		})
	}
}

func TestNote(t *testing.T) {
	f := newFixture(t)
	w := f.open()
	write := func(value string, err error) error {
		return w.Note(t.Context(), func(tx *projection.Tx) error {
			if err := tx.SetMeta("note", value); err != nil {
				return err
			}
			return err
		})
	}
	if err := write("kept", nil); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if err := write("dropped", stop); !errors.Is(err, stop) {
		t.Errorf("Note: %v, want %v", err, stop)
	}
	err := w.View(t.Context(), func(q *projection.Query) error {
		value, err := q.Meta("note")
		if value != "kept" {
			t.Errorf("noted %q", value)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A further copy is drawn on when the database is built again, and only then;
// what cannot be read in it, or of it, keeps nothing else from coming back.
func TestArchive(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	line := func(id, title string) []byte {
		data, err := op.Encode(&op.Operation{
			ID: op.MinID(f.now), V: op.Version, Do: op.DoCreate, Issue: id, At: f.now, By: "x", Set: map[string]json.RawMessage{"title": op.Str(title)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	asked := 0
	gone := errors.New("the archive is gone")
	open := func() *workspace.Workspace {
		o := f.options()
		o.Archive = func(yield func([]byte) error) error {
			asked++
			for _, l := range [][]byte{[]byte("garbage"), []byte(`{"id":"bd-raw","title":"a record"}`), line("bd-archived", "archived")} {
				if err := yield(l); err != nil {
					return err
				}
			}
			return gone
		}
		w, err := workspace.Open(t.Context(), f.place(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		return w
	}
	if titles := titlesOf(t, open()); len(titles) != 1 || asked != 0 {
		t.Errorf("titles %q, the archive was asked %d times", titles, asked)
	}
	f.remove(filepath.Join(f.root, ".beads/beads.db"))
	if titles := titlesOf(t, open()); len(titles) != 2 || titles[0] != "archived" || asked != 1 {
		t.Errorf("titles %q, the archive was asked %d times", titles, asked)
	}
	if text := strings.Join(f.notices, "\n"); !strings.Contains(text, gone.Error()) {
		t.Errorf("notices %q", text)
	}
	for _, path := range []string{".beads/issues.jsonl", ".git/beads/issues.jsonl"} {
		data, err := os.ReadFile(filepath.Join(f.root, path))
		if err != nil || !strings.Contains(string(data), "bd-archived") || strings.Contains(string(data), "bd-raw") {
			t.Errorf("%s has %q, %v", path, data, err)
		}
	}
}

// Where database and local facts are lost under a process that stays, another one
// draws a new id: the two must not go on replacing each other's database.
func TestNewIDBesideAProcessThatStays(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	stays := f.open()
	titlesOf(t, stays)
	f.remove(f.localPath(), stays.Place().DB+"*")
	for range 2 {
		f.want("one")
		if got := titlesOf(t, stays); len(got) != 1 {
			t.Errorf("the process that stays sees %q", got)
		}
	}
	if aside, err := filepath.Glob(stays.Place().DB + ".*"); err != nil || len(aside) > 0 {
		t.Errorf("set aside: %q, %v", aside, err)
	}
}
