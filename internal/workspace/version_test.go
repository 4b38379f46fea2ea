package workspace_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"beads/internal/projection"
	"beads/internal/workspace"
)

// sql alters the database behind our back.
func (f *fixture) sql(statement string) {
	f.t.Helper()
	conn, err := sqlite.OpenConn(f.place().DB, sqlite.OpenReadWrite)
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, statement, nil); err != nil {
		f.t.Fatal(err)
	}
}

// TestDatabaseOfAnotherVersion: an older one is built again in its place, a
// newer one stops the program, and is not altered.
func TestDatabaseOfAnotherVersion(t *testing.T) {
	f := newFixture(t)
	f.file("one", "two")
	f.sql("PRAGMA user_version = 0")
	f.want("one", "two")
	f.equalCopies()

	f.sql("PRAGMA user_version = 9999")
	before := f.read(f.place().DB)
	log := f.read(f.place().LogPath())
	w := f.open()
	defer w.Close()
	err := w.View(t.Context(), func(*projection.Query) error { return nil })
	if !errors.Is(err, projection.ErrNewer) {
		t.Errorf("View: %v, want ErrNewer", err)
	}
	_, err = w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		return []workspace.Draft{create("three")}, nil
	})
	if !errors.Is(err, projection.ErrNewer) {
		t.Errorf("Commit: %v, want ErrNewer", err)
	}
	if f.read(f.place().DB) != before || f.read(f.place().LogPath()) != log {
		t.Error("an older program altered what a newer one wrote")
	}
}

// TestRebuiltByNewer: a newer program rebuilds the database in its place while
// an older one has it open, as a daemon does. The older one notices with its
// next transaction and alters nothing.
func TestRebuiltByNewer(t *testing.T) {
	for _, change := range []string{"PRAGMA user_version = 9999", "UPDATE meta SET value = '9999' WHERE key = 'fold_version'"} {
		f := newFixture(t)
		f.file("one")
		w := f.open()
		defer w.Close()
		if got := titlesOf(t, w); !slices.Equal(got, []string{"one"}) {
			t.Fatalf("issues %q", got)
		}
		f.sql(change)
		state := func() string {
			return f.read(f.place().DB) + f.read(f.place().DB+"-wal") + f.read(f.place().LogPath())
		}
		before := state()
		for name, step := range map[string]func() error{
			"View": func() error { return w.View(t.Context(), func(*projection.Query) error { return nil }) },
			"Commit": func() error {
				_, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
					return []workspace.Draft{create("two")}, nil
				})
				return err
			},
			"Refresh": func() error { _, err := w.Refresh(t.Context(), true); return err },
			"Rebuild": func() error { _, err := w.Rebuild(t.Context()); return err },
		} {
			if err := step(); !errors.Is(err, projection.ErrNewer) {
				t.Errorf("%s after %s: %v, want ErrNewer", name, change, err)
			}
		}
		if state() != before {
			t.Errorf("after %s: an older program altered what a newer one wrote", change)
		}
	}
}

// TestForeignDatabases: whatever else is in the database's place is set aside
// and kept.
func TestForeignDatabases(t *testing.T) {
	tests := []struct {
		name string
		do   func(f *fixture)
	}{
		{"altered schema", func(f *fixture) { f.sql("CREATE TRIGGER t AFTER INSERT ON issue BEGIN DELETE FROM operation; END") }},
		{"another program's tables", func(f *fixture) {
			f.remove(f.place().DB + "*")
			conn, err := sqlite.OpenConn(f.place().DB, sqlite.OpenReadWrite|sqlite.OpenCreate)
			if err != nil {
				f.t.Fatal(err)
			}
			defer conn.Close()
			if err := sqlitex.ExecuteScript(conn, "CREATE TABLE issues (id TEXT); INSERT INTO issues VALUES ('up-1');", nil); err != nil {
				f.t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one", "two")
			tt.do(f)
			f.want("one", "two")
			aside := slices.IndexFunc(f.notices, func(s string) bool { return len(s) > 0 })
			if aside < 0 {
				t.Error("nothing was said about the database that was set aside")
			}
			f.equalCopies()
		})
	}
}

// TestReadOnly refuses to write and still answers.
func TestReadOnly(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	o := f.options()
	o.ReadOnly = true
	w, err := workspace.Open(t.Context(), f.place(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := titlesOf(t, w); !slices.Equal(got, []string{"one"}) {
		t.Errorf("issues %q", got)
	}
	before := f.read(f.place().LogPath())
	_, err = w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) { return []workspace.Draft{create("two")}, nil })
	if !errors.Is(err, workspace.ErrReadOnly) {
		t.Errorf("Commit: %v, want ErrReadOnly", err)
	}
	if f.read(f.place().LogPath()) != before {
		t.Error("the log was written")
	}
}

// TestVerifyAndRebuild: a derived row that was altered is found and made anew.
func TestVerifyAndRebuild(t *testing.T) {
	f := newFixture(t)
	f.file("one", "two")
	f.sql("UPDATE issue SET title = 'altered' WHERE title = 'one'")
	f.want("altered", "two")
	w := f.open()
	defer w.Close()
	if equal, err := w.Verify(t.Context()); err != nil || equal {
		t.Fatalf("Verify of an altered database: %v, %v", equal, err)
	}
	if _, err := w.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if equal, err := w.Verify(t.Context()); err != nil || !equal {
		t.Errorf("Verify after Rebuild: %v, %v", equal, err)
	}
	f.want("one", "two")
	f.equalCopies()
}

// TestPeek sees the database as it is, and makes none.
func TestPeek(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	reader := f.open()
	count := func() (n int64, err error) {
		err = reader.Peek(t.Context(), func(q *projection.Query) (err error) {
			n, err = q.Operations()
			return err
		})
		return n, err
	}
	before, err := count()
	if err != nil || before == 0 {
		t.Fatalf("%d operations, %v", before, err)
	}
	log, err := os.OpenFile(f.place().LogPath(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = log.WriteString(`{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"do":"create","issue":"bd-foreign001","at":"2025-11-23T03:02:47.857Z","by":"other","set":{"title":"From outside"}}` + "\n")
	if err := errors.Join(err, log.Close()); err != nil {
		t.Fatal(err)
	}
	if n, err := count(); err != nil || n != before {
		t.Errorf("after a foreign append: %d operations, %v; want %d", n, err, before)
	}
	if _, err := reader.Refresh(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if n, err := count(); err != nil || n != before+1 {
		t.Errorf("after a refresh: %d operations, %v; want %d", n, err, before+1)
	}
	if err := os.Remove(f.place().DB); err != nil {
		t.Fatal(err)
	}
	if _, err := count(); !errors.Is(err, projection.ErrMissing) {
		t.Errorf("without a database: %v, want ErrMissing", err)
	}
}
