package projection

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"beads/internal/op"
)

const testWorkspace = "01TESTWORKSPACE"

// epoch is when the tests' operations begin.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// testID is the n-th operation id of a test: one each second.
func testID(n int) op.ID {
	id := op.MinID(epoch.Add(time.Duration(n) * time.Second))
	binary.BigEndian.PutUint64(id[8:], uint64(n)*0x9e3779b97f4a7c15+1)
	return id
}

func buildEmpty(path string) (*DB, error) {
	return Build(context.Background(), path, testWorkspace, 0, func(*Tx) error { return nil })
}

func newDB(t testing.TB) *DB {
	t.Helper()
	db, err := buildEmpty(filepath.Join(t.TempDir(), "beads.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// operation is the n-th operation, on an issue, with a set of raw values in
// pairs of name and JSON.
func operation(n int, do, issueID string, set ...string) *op.Operation {
	o := &op.Operation{ID: testID(n), V: 1, Do: do, Issue: issueID, At: testID(n).Time(), By: "alice"}
	for len(set) > 1 {
		if o.Set == nil {
			o.Set = make(map[string]json.RawMessage)
		}
		o.Set[set[0]] = json.RawMessage(set[1])
		set = set[2:]
	}
	return o
}

func encode(t testing.TB, o *op.Operation) []byte {
	t.Helper()
	line, err := op.Encode(o)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// decode is what a reader of the line sees.
func decode(t testing.TB, line []byte) op.Record {
	t.Helper()
	record, err := op.Read(line)
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return record
}

func addLines(t testing.TB, tx *Tx, lines ...[]byte) {
	t.Helper()
	for _, line := range lines {
		record := decode(t, line)
		if _, _, err := tx.Add(record.Op, record.Line, record.Sum); err != nil {
			t.Fatal(err)
		}
	}
}

// apply adds operations in one update.
func apply(t testing.TB, db *DB, operations ...*op.Operation) {
	t.Helper()
	var lines [][]byte
	for _, o := range operations {
		lines = append(lines, encode(t, o))
	}
	applyLines(t, db, lines...)
}

func applyLines(t testing.TB, db *DB, lines ...[]byte) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *Tx) error {
		addLines(t, tx, lines...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ask runs one query on a snapshot.
func ask[T any](t testing.TB, db *DB, fn func(*Query) (T, error)) T {
	t.Helper()
	var answer T
	err := db.View(context.Background(), func(q *Query) error {
		var err error
		answer, err = fn(q)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
