package projection

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// A stale database is rebuilt in place from its own lines, whatever its other
// tables look like.
func TestRebuildStale(t *testing.T) {
	for name, statements := range map[string][]string{
		"other fold":           {"UPDATE meta SET value = '0' WHERE key = 'fold_version'", "UPDATE issue SET title = 'wrong'"},
		"other tables":         {"DROP TABLE label", "CREATE TABLE old_stuff (a)", "CREATE INDEX strange ON issue (title)", "PRAGMA user_version = 0"},
		"no quarantine":        {"DROP TABLE quarantine", "PRAGMA user_version = 0"},
		"other quarantine":     {"DROP TABLE quarantine", "CREATE TABLE quarantine (something)", "PRAGMA user_version = 0"},
		"a line that is none":  {"INSERT INTO operation VALUES (99, zeroblob(16), zeroblob(32), 'x', 1, 1, 0, x'00')", "PRAGMA user_version = 0"},
		"a view of the issues": {"CREATE VIEW v AS SELECT * FROM issue", "PRAGMA user_version = 0"},
	} {
		t.Run(name, func(t *testing.T) {
			path := scratch(t)
			tamper(t, path, statements...)
			db, err := Open(context.Background(), path, testWorkspace)
			if !errors.Is(err, ErrStale) {
				t.Fatalf("error %v", err)
			}
			must(t, db.Rebuild(context.Background(), true, func(*Tx) error { return nil }))
			must(t, db.Close())
			db, err = Open(context.Background(), path, testWorkspace)
			must(t, err)
			defer db.Close()
			must(t, db.QuickCheck(t.Context()))
			state := ask(t, db, func(q *Query) (op.State, error) { return q.State("bd-a") })
			if state.Issue.Title != "A" {
				t.Errorf("title %q", state.Issue.Title)
			}
			if n := ask(t, db, (*Query).Operations); n != 1 {
				t.Errorf("%d operations", n)
			}
		})
	}
}

// A rebuild that fails leaves the old rows, and readers see them all along.
func TestRebuildUndone(t *testing.T) {
	path := scratch(t)
	db, err := Open(context.Background(), path, testWorkspace)
	must(t, err)
	defer db.Close()
	reader, err := Open(context.Background(), path, testWorkspace)
	must(t, err)
	defer reader.Close()
	before := ask(t, db, (*Query).Fingerprint)
	failure := errors.New("no")
	err = db.Rebuild(context.Background(), false, func(tx *Tx) error {
		addLines(t, tx, encode(t, operation(2, "create", "bd-b")))
		if during := ask(t, reader, (*Query).Fingerprint); during != before {
			t.Error("a reader sees the unfinished rebuild")
		}
		return failure
	})
	if err != failure {
		t.Errorf("error %v", err)
	}
	if after := ask(t, db, (*Query).Fingerprint); after != before {
		t.Error("the old rows are gone")
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = db.Rebuild(ctx, true, func(*Tx) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if after := ask(t, db, (*Query).Fingerprint); after != before {
		t.Error("the old rows are gone after a cancelled rebuild")
	}
}

// During a rebuild the records of an issue are found by index at once, also
// those that were just added.
func TestLegacyIDsWhileRebuilding(t *testing.T) {
	read, err := op.Read([]byte(`{"id":"bd-a","title":"old","updated_at":"2026-01-01T00:00:00Z"}`))
	must(t, err)
	o, ok := op.ImportOperation(read.Legacy, nil)
	if !ok {
		t.Fatal("record is not new")
	}
	db := newDB(t)
	must(t, db.Rebuild(context.Background(), false, func(tx *Tx) error {
		addLines(t, tx, encode(t, operation(1, "create", "bd-a")))
		if ids, err := tx.LegacyIDs("bd-a"); err != nil || len(ids) != 0 {
			t.Errorf("before: %v, %v", ids, err)
		}
		addLines(t, tx, encode(t, o))
		if ids, err := tx.LegacyIDs("bd-a"); err != nil || len(ids) != 1 || ids[0] != o.ID {
			t.Errorf("after: %v, %v", ids, err)
		}
		return nil
	}))
}

// A corrupt page is reported as corruption by whoever meets it, and costs no
// lines but its own.
func TestCorruptPage(t *testing.T) {
	db := loaded(t, tracker(t, 200))
	must(t, db.Checkpoint())
	total := ask(t, db, (*Query).Operations)
	var leaves []int64
	must(t, query(db.conn, "SELECT pageno FROM dbstat WHERE name = 'operation' AND pagetype = 'leaf' ORDER BY path", func(s *sqlite.Stmt) error {
		leaves = append(leaves, s.ColumnInt64(0))
		return nil
	}))
	must(t, db.Close())
	if len(leaves) < 5 {
		t.Fatalf("only %d pages", len(leaves))
	}
	overwrite(t, db.path, (leaves[len(leaves)/2]-1)*4096, []byte(strings.Repeat("\xee", 4096)))
	again, err := Open(context.Background(), db.path, testWorkspace)
	must(t, err)
	defer again.Close()
	if err := again.QuickCheck(t.Context()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("quick check: %v", err)
	}
	err = again.View(context.Background(), func(q *Query) error {
		return q.EachLine(func(int64) bool { return true }, func(int64, []byte) error { return nil })
	})
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("view: %v", err)
	}
	held := int64(0)
	must(t, SalvageLines(db.path, op.Operations, func([]byte, bool) error { held++; return nil }))
	if most := total / int64(len(leaves)) * 3; held < total-most || held >= total {
		t.Errorf("salvaged %d of %d lines, one of %d pages is damaged", held, total, len(leaves))
	}
}

func TestSalvageLines(t *testing.T) {
	lines := tracker(t, 20)
	db := loaded(t, lines)
	must(t, db.Close())
	aside, err := SetAside(db.path, "corrupt", epoch)
	must(t, err)
	held := make(map[string]bool)
	must(t, SalvageLines(aside, op.Operations, func(line []byte, _ bool) error { held[string(line)] = true; return nil }))
	for _, line := range lines {
		if !held[string(line)] {
			t.Errorf("lost: %s", line)
		}
	}
	failure := errors.New("no")
	if err := SalvageLines(aside, op.Operations, func([]byte, bool) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("error of the function: %v", err)
	}
	for name, content := range map[string]string{"missing": "", "text": "hello"} {
		path := filepath.Join(t.TempDir(), "x")
		if content != "" {
			must(t, os.WriteFile(path, []byte(content), 0o600))
		}
		if err := SalvageLines(path, op.Operations, func([]byte, bool) error { return failure }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	view := filepath.Join(t.TempDir(), "view")
	tamper(t, view, "CREATE VIEW operation AS SELECT 1 AS seq, 'x' AS line")
	must(t, SalvageLines(view, op.Operations, func([]byte, bool) error { return failure }))
}
