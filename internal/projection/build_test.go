package projection

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"beads/internal/op"
)

// Nobody sees a database that is being built, and a failure leaves nothing.
func TestBuild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beads.db")
	line := encode(t, operation(1, op.DoCreate, "bd-a", "title", `"A"`))
	broken := errors.New("broken")
	for _, with := range []error{broken, nil} {
		db, err := Build(t.Context(), path, testWorkspace, 0, func(tx *Tx) error {
			addLines(t, tx, line)
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("seen while it is filled: %v", err)
			}
			return with
		})
		if !errors.Is(err, with) {
			t.Fatalf("error %v, want %v", err, with)
		}
		if with != nil {
			left, err := filepath.Glob(path + "*")
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
			continue
		}
		defer db.Close()
		must(t, db.QuickCheck(t.Context()))
		if mode := ask(t, db, func(q *Query) ([]string, error) { return texts(q.conn, "PRAGMA journal_mode") }); mode[0] != "wal" {
			t.Errorf("journal %q", mode)
		}
	}
	if _, err := Build(t.Context(), path, testWorkspace, 0, func(*Tx) error { return nil }); !errors.Is(err, os.ErrExist) {
		t.Errorf("over an existing one: %v", err)
	}
}

// An issue may have more operations than are folded at once, and one that is
// larger than that.
func TestBuildLongIssue(t *testing.T) {
	var lines [][]byte
	for n := range 3000 {
		lines = append(lines, encode(t, operation(n+1, op.DoUpdate, fmt.Sprintf("bd-%d", n%2), "notes", string(op.Str(strings.Repeat("x", n))))))
	}
	lines = append(lines,
		encode(t, operation(0, op.DoCreate, "bd-0", "title", `"long"`)),
		encode(t, operation(4000, op.DoCreate, "bd-1", "description", string(op.Str(strings.Repeat("y", 2*foldBytes))))),
		encode(t, operation(4001, op.DoCreate, "bd-2", "title", `"short"`)))
	want := newDB(t)
	applyLines(t, want, lines...)
	got, err := Build(context.Background(), filepath.Join(t.TempDir(), "beads.db"), testWorkspace, 0, func(tx *Tx) error {
		addLines(t, tx, lines...)
		return nil
	})
	must(t, err)
	defer got.Close()
	if ask(t, got, (*Query).Fingerprint) != ask(t, want, (*Query).Fingerprint) {
		t.Error("folded otherwise than one after the other")
	}
}

// What a rebuild says about indexes by their names is about indexes that exist.
func TestRebuildKnowsItsIndexes(t *testing.T) {
	early := 0
	for _, d := range schema() {
		if sparse(d) {
			early++
		}
	}
	if early != 7 || definitionOf(operationIssueIndex).kind != "index" || definitionOf(blockedNeeds).kind != "index" {
		t.Errorf("%d sparse indexes", early)
	}
}
