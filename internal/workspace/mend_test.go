package workspace_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// page is where the first page of a table or an index begins in the file, which
// holds all of it.
func (f *fixture) page(name string) (offset int64) {
	f.t.Helper()
	f.sql("PRAGMA wal_checkpoint(TRUNCATE)")
	conn, err := sqlite.OpenConn(f.place().DB, sqlite.OpenReadOnly)
	if err != nil {
		f.t.Fatal(err)
	}
	page := int64(0)
	err = sqlitex.ExecuteTransient(conn, "SELECT rootpage FROM sqlite_schema WHERE name = ?", &sqlitex.ExecOptions{
		Args:       []any{name},
		ResultFunc: func(s *sqlite.Stmt) error { page = s.ColumnInt64(0); return nil },
	})
	if err := errors.Join(err, conn.Close()); err != nil || page == 0 {
		f.t.Fatalf("page %d of %s: %v", page, name, err)
	}
	return (page - 1) * pageSize
}

const pageSize = 4096

func (f *fixture) damagePage(name string) {
	f.t.Helper()
	offset := f.page(name)
	data := []byte(f.read(f.place().DB))
	copy(data[offset:], bytes.Repeat([]byte{0xa5}, pageSize))
	f.write(f.place().DB, string(data))
}

// swap changes some text on the page of a table or an index.
func (f *fixture) swap(name, text, other string) {
	f.t.Helper()
	offset := f.page(name)
	data := []byte(f.read(f.place().DB))
	at := bytes.Index(data[offset:offset+pageSize], []byte(text))
	if at < 0 {
		f.t.Fatalf("%s does not hold %q", name, text)
	}
	copy(data[offset+int64(at):], other)
	f.write(f.place().DB, string(data))
}

// A database of an older version that is damaged too is set aside, as a damaged
// one is, and does not end every command.
func TestDamagedDatabaseOfAnotherVersion(t *testing.T) {
	for _, table := range []string{"operation", "quarantine", "issue", "label"} {
		t.Run(table, func(t *testing.T) {
			f := newFixture(t)
			f.file("one", "two")
			f.damagePage(table)
			f.sql("PRAGMA user_version = 0")
			f.want("one", "two")
			f.file("three")
			f.want("one", "three", "two")
			f.equalCopies()
		})
	}
}

// A writer that meets a damaged page has the database built again. It is not asked
// a second time what it wants, since it may have counted already what it did.
func TestWriterMeetsDamagedPage(t *testing.T) {
	for _, table := range []string{"issue", "setting"} {
		t.Run(table, func(t *testing.T) {
			f := newFixture(t)
			id := f.file("one")[0]
			f.damagePage(table)
			write := func() error {
				w := f.open()
				defer w.Close()
				_, err := w.Commit(t.Context(), func(tx *workspace.Tx) ([]workspace.Draft, error) {
					_, settings := tx.Settings()
					_, state := tx.State(id)
					return []workspace.Draft{create("two")}, errors.Join(settings, state)
				})
				return err
			}
			if err := write(); !errors.Is(err, projection.ErrCorrupt) || !strings.Contains(err.Error(), "try once more") {
				t.Errorf("the first time: %v", err)
			}
			if err := write(); err != nil {
				t.Errorf("once more: %v", err)
			}
			f.want("one", "two")
			f.equalCopies()
		})
	}
}

// The table of the interactions is looked at by few.
func TestDamagedInteractions(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	f.record("first")
	f.damagePage("interaction")
	f.write(f.notesPath(), f.read(f.notesPath())+"\n") // to be read anew
	if _, err := f.open().Refresh(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	f.record("second")
	f.wantPrompts("first", "second")
	f.equalNotes()
}

// An index that says something else than its table answers wrongly, though every
// row is right: Verify says so, and Rebuild makes it again.
func TestWrongIndex(t *testing.T) {
	f := newFixture(t)
	w := f.open()
	if _, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		d := create("one")
		d.Op.Add = &op.Elements{Labels: []string{"zebra"}}
		return []workspace.Draft{d}, nil
	}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	f.swap("label_label_index", "zebra", "zebrb")
	w = f.open()
	if equal, err := w.Verify(t.Context()); err != nil || equal {
		t.Errorf("with a wrong index equal: %v, %v", equal, err)
	}
	if _, err := w.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if equal, err := w.Verify(t.Context()); err != nil || !equal {
		t.Errorf("rebuilt, equal: %v, %v", equal, err)
	}
}

// A line that is not what it was, on a page that is sound: who reads it has the
// database built again, and Verify sees it though nobody does.
func TestDamagedLine(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	f.record("first")
	f.swap("interaction", "first", "worst")
	for _, w := range []*workspace.Workspace{f.open(), f.open()} { // the second finds it mended
		if err := w.ViewAll(t.Context(), func(q *projection.Query) error {
			_, err := q.Interactions(projection.InteractionFilter{})
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	if aside, err := filepath.Glob(f.place().DB + ".corrupt-*Z"); err != nil || len(aside) != 1 {
		t.Errorf("set aside: %q, %v", aside, err)
	}
	f.wantPrompts("first")
	f.equalNotes()
	f.swap("operation", `"title":"one"`, `"title":"two"`)
	w := f.open()
	if equal, err := w.Verify(t.Context()); err != nil || equal {
		t.Errorf("with a damaged line equal: %v, %v", equal, err)
	}
	if _, err := w.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.equalCopies()
	f.want("one")
}

// A line of another tool, which has no sum, does not go into the copies as a second
// line of its id when its bytes have changed in the database.
func TestDamagedLineWithoutSum(t *testing.T) {
	for name, occasion := range map[string]func(f *fixture, w *workspace.Workspace) error{
		"built anew": func(_ *fixture, w *workspace.Workspace) error { _, err := w.Rebuild(t.Context()); return err },
		"salvaged":   func(f *fixture, _ *workspace.Workspace) error { f.damagePage("issue"); return nil },
		"put back": func(f *fixture, w *workspace.Workspace) error {
			f.remove(f.place().GuardPath())
			_, err := w.Refresh(t.Context(), false)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			line := `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"do":"create","issue":"bd-plain","at":"2025-11-23T03:02:47.857Z",` +
				`"by":"x","set":{"title":"one"}}`
			f.write(f.place().LogPath(), f.read(f.place().LogPath())+line+"\n")
			f.want("one")
			f.swap("operation", `"title":"one"`, `"title":"two"`)
			if err := occasion(f, f.open()); err != nil {
				t.Fatal(err)
			}
			f.want("one")
			f.equalCopies()
			for _, path := range []string{f.place().LogPath(), f.place().GuardPath()} {
				if strings.Contains(f.read(path), "two") {
					t.Errorf("%s holds the damaged line", path)
				}
			}
		})
	}
}
