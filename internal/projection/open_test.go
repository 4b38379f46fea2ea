package projection

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// scratch makes a database with one issue, closed.
func scratch(t *testing.T) string {
	t.Helper()
	db := newDB(t)
	apply(t, db, operation(1, "create", "bd-a", "title", `"A"`))
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return db.path
}

// tamper runs statements on the file as some other program would.
func tamper(t *testing.T, path string, statements ...string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, text := range statements {
		if err := once(conn, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenFinds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, path string)
		want   error
	}{
		"nothing": {func(t *testing.T, path string) { must(t, os.Remove(path)) }, ErrMissing},
		"a directory in its place": {func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o700))
		}, ErrForeign},
		"a link to a good one": {func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".real"))
			must(t, os.Symlink(path+".real", path))
		}, ErrForeign},
		"a link in the place of the WAL": {func(t *testing.T, path string) {
			must(t, os.RemoveAll(path+"-wal"))
			must(t, os.Symlink(path+".precious", path+"-wal"))
		}, ErrForeign},
		"a link in the place of the shared memory": {func(t *testing.T, path string) {
			must(t, os.RemoveAll(path+"-shm"))
			must(t, os.Symlink(path, path+"-shm"))
		}, ErrForeign},
		"a directory in the place of the journal": {func(t *testing.T, path string) { must(t, os.Mkdir(path+"-journal", 0o700)) }, ErrForeign},
		"an empty file": {func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) }, ErrForeign},
		"a text file": {func(t *testing.T, path string) {
			must(t, os.WriteFile(path, []byte(strings.Repeat("hello ", 1000)), 0o600))
		}, ErrCorrupt},
		"half a header": {func(t *testing.T, path string) { overwrite(t, path, 20, make([]byte, 60)) }, ErrCorrupt},
		"a copy": {func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path+".copy", data, 0o600))
			must(t, os.Rename(path+".copy", path))
		}, ErrForeign},
		"the database of another program": {func(t *testing.T, path string) {
			must(t, os.Remove(path))
			tamper(t, path, "CREATE TABLE issues (id TEXT)", "CREATE TABLE meta (key TEXT, value TEXT)")
		}, ErrForeign},
		"another program's tables in ours": {func(t *testing.T, path string) { tamper(t, path, "CREATE TABLE issues (id TEXT)") }, ErrForeign},
		"a trigger": {func(t *testing.T, path string) {
			tamper(t, path, "CREATE TRIGGER t AFTER INSERT ON operation BEGIN DELETE FROM operation; END")
		}, ErrForeign},
		"an index dropped": {func(t *testing.T, path string) { tamper(t, path, "DROP INDEX issue_live_index") }, ErrForeign},
		"meta as a view that never ends": {func(t *testing.T, path string) {
			tamper(t, path, "DROP TABLE meta",
				"CREATE VIEW meta AS WITH RECURSIVE n(key, value) AS (SELECT 1, 1 UNION ALL SELECT key + 1, 1 FROM n) SELECT key, value FROM n")
		}, ErrForeign},
		"another workspace's": {func(t *testing.T, path string) {
			tamper(t, path, "UPDATE meta SET value = 'other' WHERE key = 'workspace'")
		}, ErrForeign},
		"a newer schema": {func(t *testing.T, path string) { tamper(t, path, "PRAGMA user_version = 99", "CREATE TABLE more (a)") }, ErrNewer},
		"a newer fold": {func(t *testing.T, path string) {
			tamper(t, path, "UPDATE meta SET value = '99' WHERE key = 'fold_version'")
		}, ErrNewer},
		"an older schema": {func(t *testing.T, path string) { tamper(t, path, "PRAGMA user_version = 0", "DROP TABLE label") }, ErrStale},
		"an older fold": {func(t *testing.T, path string) {
			tamper(t, path, "UPDATE meta SET value = '0' WHERE key = 'fold_version'")
		}, ErrStale},
		"a fold of no version": {func(t *testing.T, path string) { tamper(t, path, "DELETE FROM meta WHERE key = 'fold_version'") }, ErrForeign},
		"itself":               {func(*testing.T, string) {}, nil},
		"another device number, as after a reboot": {func(t *testing.T, path string) {
			tamper(t, path, "UPDATE meta SET value = '1' WHERE key = 'device'")
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := scratch(t)
			c.change(t, path)
			db, err := Open(context.Background(), path, testWorkspace)
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if (db != nil) != (c.want == nil || c.want == ErrStale) {
				t.Errorf("database returned: %t", db != nil)
			}
			if db != nil {
				db.Close()
			}
		})
	}
}

func overwrite(t *testing.T, path string, offset int64, data []byte) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	defer file.Close()
	_, err = file.WriteAt(data, offset)
	must(t, err)
}

// TestOpenWhileSetAside: another process sets the database aside, and makes its
// successor, between the look at the file and the opening of it.
func TestOpenWhileSetAside(t *testing.T) {
	path := scratch(t)
	seen, err := identify(path)
	must(t, err)
	must(t, os.Rename(path, path+".aside"))
	if _, err := openSeen(t.Context(), path, testWorkspace, seen); !errors.Is(err, ErrMissing) {
		t.Errorf("no successor yet: %v, want ErrMissing", err)
	}
	must(t, os.Rename(scratch(t), path))
	if _, err := openSeen(t.Context(), path, testWorkspace, seen); !errors.Is(err, ErrForeign) {
		t.Errorf("a successor: %v, want ErrForeign", err)
	}
}

func TestOpenAnyWorkspace(t *testing.T) {
	db, err := Open(context.Background(), scratch(t), "")
	must(t, err)
	defer db.Close()
	if db.WorkspaceID() != testWorkspace {
		t.Errorf("workspace %q, want the recorded %q", db.WorkspaceID(), testWorkspace)
	}
}

// The files beside a database leave with it: an old WAL beside a new file is
// replayed into it.
func TestSetAside(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(1, "create", "bd-a"))
	must(t, db.Close())
	if _, err := os.Stat(db.path + "-wal"); err != nil {
		t.Fatalf("the test needs a WAL: %v", err)
	}
	var aside [3]string
	for n := range aside {
		var err error
		aside[n], err = SetAside(db.path, "foreign", epoch)
		must(t, err)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if _, err := os.Lstat(db.path + suffix); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there: %v", db.path+suffix, err)
			}
		}
		again, err := buildEmpty(db.path)
		must(t, err)
		if n := ask(t, again, (*Query).Operations); n != 0 {
			t.Errorf("the new database has %d operations", n)
		}
		must(t, again.Close())
	}
	if aside[0] == aside[1] || aside[1] == aside[2] {
		t.Errorf("one name twice: %q", aside)
	}
	found := 0
	must(t, SalvageLines(aside[0], op.Operations, func([]byte, bool) error { found++; return nil }))
	if found != 1 {
		t.Errorf("%d lines in the first one, want that of its WAL", found)
	}
	if _, err := SetAside(db.path+".no", "x", epoch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing to set aside: %v", err)
	}
	// Not one name can be looked up: once it looked for a free one without end.
	if _, err := SetAside(filepath.Join(aside[0], "beads.db"), "x", epoch); err == nil {
		t.Error("set aside below a file")
	}
}

// TestBuildInPlace: what is beside a new database, or was.
func TestBuildInPlace(t *testing.T) {
	db := newDB(t)
	info, err := os.Stat(db.path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	left, err := filepath.Glob(db.path + ".new*")
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if _, err := buildEmpty(db.path); !errors.Is(err, os.ErrExist) {
		t.Errorf("over an existing one: %v", err)
	}
	// What a crash left behind does not matter.
	path := filepath.Join(t.TempDir(), "beads.db")
	for _, suffix := range []string{".new", ".new-wal", ".new-journal", "-wal"} {
		must(t, os.WriteFile(path+suffix, []byte("left"), 0o600))
	}
	again, err := buildEmpty(path)
	must(t, err)
	must(t, again.QuickCheck(t.Context()))
	must(t, again.Close())
}

// Closing keeps the WAL: see DB.Close. It fails when the library changes so
// that its handle cannot be found.
func TestCloseKeepsWAL(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(1, "create", "bd-a"))
	must(t, db.Close())
	info, err := os.Stat(db.path + "-wal")
	if err != nil || info.Size() == 0 {
		t.Fatalf("the WAL is gone: %v", err)
	}
	again, err := Open(context.Background(), db.path, testWorkspace)
	must(t, err)
	if n := ask(t, again, (*Query).Operations); n != 1 {
		t.Errorf("%d operations", n)
	}
	must(t, again.Checkpoint())
	if info, err := os.Stat(db.path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("after a checkpoint: %v, %v", info, err)
	}
	must(t, again.Close())
	must(t, again.Close())
}

// Where the directory is read-only, the database is served as it is.
func TestReadOnly(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	for name, withWAL := range map[string]bool{"checkpointed": false, "with a WAL": true} {
		t.Run(name, func(t *testing.T) {
			path := scratch(t)
			if withWAL {
				db, err := Open(context.Background(), path, testWorkspace)
				must(t, err)
				apply(t, db, operation(2, "create", "bd-b"))
				must(t, db.Close())
			}
			dir := filepath.Dir(path)
			must(t, os.Chmod(dir, 0o500))
			t.Cleanup(func() { os.Chmod(dir, 0o700) })
			db, err := Open(context.Background(), path, testWorkspace)
			must(t, err)
			defer db.Close()
			if !db.ReadOnly() {
				t.Error("not read-only")
			}
			want := int64(1)
			if withWAL {
				want = 2
			}
			if n := ask(t, db, (*Query).Operations); n != want {
				t.Errorf("%d operations", n)
			}
			err = db.Update(context.Background(), func(*Tx) error { return nil })
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("update: %v", err)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	db := newDB(t)
	must(t, db.Update(context.Background(), func(tx *Tx) error { return tx.SetMeta("bd", "1.2") }))
	for key, want := range map[string]string{"bd": "1.2", "none": "", "workspace": testWorkspace, "fold_version": fmt.Sprint(op.FoldVersion)} {
		if got := ask(t, db, func(q *Query) (string, error) { return q.Meta(key) }); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// Front ends watch the file and not the WAL: its time moves with the issues, and
// with nothing else.
func TestUpdateTouchesFile(t *testing.T) {
	db := newDB(t)
	modified := func() time.Time {
		info, err := os.Stat(db.path)
		must(t, err)
		return info.ModTime()
	}
	old := epoch
	must(t, os.Chtimes(db.path, old, old))
	must(t, db.Update(t.Context(), func(tx *Tx) error { return tx.SetMeta("key", "value") }))
	if got := modified(); !got.Equal(old) {
		t.Errorf("an update without operations moved the time to %v", got)
	}
	applyLines(t, db, tracker(t, 1)...)
	if got := modified(); got.Equal(old) {
		t.Error("an update with operations left the time as it was")
	}
	must(t, os.Chtimes(db.path, old, old))
	must(t, db.Rebuild(t.Context(), true, func(*Tx) error { return nil }))
	if got := modified(); got.Equal(old) {
		t.Error("a rebuild left the time as it was")
	}
}
