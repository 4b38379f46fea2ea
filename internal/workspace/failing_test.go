package workspace_test

import (
	"flag"
	"slices"
	"strings"
	"syscall"
	"testing"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
	"beads/internal/workspace"
)

var failingPairs = flag.Int("failing.pairs", 0, "1: every call of every change fails, not one in eleven")

// TestWriterWithoutGuard: a process that does not see the git directory writes to
// the log alone. Whoever sees it again brings the guard copy up to date.
func TestWriterWithoutGuard(t *testing.T) {
	for _, appended := range []bool{false, true} {
		f := newFixture(t)
		f.file("one")
		blind := f.place()
		blind.Guard, blind.CommonDir, blind.GitDir = "", "", ""
		if appended { // and it is the first to read what another tool appended
			f.write(blind.LogPath(), f.read(blind.LogPath())+createLine(f, "bd-aaaaaaaaaa", "two")+"\n")
		}
		w, err := workspace.Open(t.Context(), blind, f.options())
		if err != nil {
			t.Fatal(err)
		}
		if appended {
			titlesOf(t, w)
		} else if _, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			return []workspace.Draft{create("two")}, nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f.want("one", "two")
		if !strings.Contains(f.read(f.place().GuardPath()), `"two"`) {
			t.Errorf("appended %v: the guard copy lacks what was written without it", appended)
		}
		f.equalCopies()
	}
}

// changes are what makes a workspace write, each with the damage before it.
func changes() map[string]struct {
	damage func(f *fixture, p workspace.Place)
	do     func(w *workspace.Workspace, t *testing.T) error
} {
	type change = struct {
		damage func(f *fixture, p workspace.Place)
		do     func(w *workspace.Workspace, t *testing.T) error
	}
	refresh := func(w *workspace.Workspace, t *testing.T) error {
		_, err := w.Refresh(t.Context(), false)
		return err
	}
	none := func(*fixture, workspace.Place) {}
	return map[string]change{
		"commit":                            {none, during},
		"import":                            {none, imported},
		"commit by relay":                   {none, relayed},
		"refresh, verifying":                {none, func(w *workspace.Workspace, t *testing.T) error { _, err := w.Refresh(t.Context(), true); return err }},
		"rebuild":                           {none, func(w *workspace.Workspace, t *testing.T) error { _, err := w.Rebuild(t.Context()); return err }},
		"refresh after the log was emptied": {func(f *fixture, p workspace.Place) { f.write(p.LogPath(), "") }, refresh},
		"refresh after the guard copy went": {func(f *fixture, p workspace.Place) { f.remove(p.GuardPath()) }, refresh},
		"refresh after .beads went":         {func(f *fixture, p workspace.Place) { f.remove(p.Dir) }, refresh},
		"commit after a torn line": {func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), f.read(p.LogPath())+`{"op":"01`)
		}, during},
		"commit after log and database went": {func(f *fixture, p workspace.Place) { f.remove(p.LogPath(), p.DB+"*") }, during},
	}
}

// during creates an issue of that title.
func during(w *workspace.Workspace, t *testing.T) error {
	_, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		return []workspace.Draft{create("during")}, nil
	})
	return err
}

// imported imports a snapshot record with that title.
func imported(w *workspace.Workspace, t *testing.T) error {
	record, err := op.Read([]byte(`{"id":"up-1","title":"during","status":"open","priority":2,"issue_type":"task",` +
		`"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Commit(t.Context(), func(tx *workspace.Tx) ([]workspace.Draft, error) { return tx.Drafts([]op.Record{record}) })
	return err
}

// TestEveryFailingChange lets the calls of every change fail with each error,
// once and for good, and then the calls of the recovery from that as well.
func TestEveryFailingChange(t *testing.T) {
	faults, acknowledged := 0, 0
	for name, c := range changes() {
		t.Run(name, func(t *testing.T) {
			for k, err := range []error{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.EACCES} {
				for _, keep := range []bool{false, true} {
					stride := 1
					if *failingPairs == 0 {
						stride = 11
					}
					for n := 1 + k%stride; ; n += stride {
						first := faultfs.Fault{Err: err, N: n, Keep: keep}
						second := faultfs.Fault{Err: err, N: 1 + (n*7)%40, Keep: !keep}
						struck, acked := failTwice(t, c.damage, c.do, strings.HasPrefix(name, "commit") || name == "import", first, second)
						if !struck {
							break
						}
						faults, acknowledged = faults+1, acknowledged+acked
						if t.Failed() {
							t.Fatalf("after %v at call %d, for good %v", err, n, keep)
						}
					}
				}
			}
		})
	}
	t.Logf("counts: done=%d faults=%d acknowledged=%d lost=0", faults, faults, acknowledged)
}

// failTwice does a change under one fault, and a refresh under another.
func failTwice(t *testing.T, damage func(*fixture, workspace.Place), do func(*workspace.Workspace, *testing.T) error, makes bool, first, second faultfs.Fault) (struck bool, acknowledged int) {
	t.Helper()
	f := newFixture(t)
	f.file("before")
	damage(f, f.place())
	want := []string{"before"}
	for n, fault := range []faultfs.Fault{first, second} {
		faulty := faultfs.New(oplog.OS{})
		f.fs = faulty
		faulty.Fail(fault)
		w, err := workspace.Open(t.Context(), f.place(), f.options())
		if err == nil {
			if n == 0 {
				err = do(w, t)
			} else {
				_, _ = w.Refresh(t.Context(), false)
			}
			w.Close()
		}
		if n == 0 {
			struck = faulty.Failed() > 0
			if err == nil && makes {
				want, acknowledged = append(want, "during"), 1
			}
		}
		f.fs = nil
	}
	titles := f.titles()
	for _, title := range want {
		if !slices.Contains(titles, title) {
			t.Errorf("issues are %q and lack %q", titles, title)
		}
	}
	f.file("after")
	f.equalCopies()
	return struck, acknowledged + 1
}
