package projection

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/op"
)

// normal makes states comparable: the fold may leave empty lists.
func normal(s op.State) op.State {
	s = s.Clone()
	i := &s.Issue
	if len(i.Labels) == 0 {
		i.Labels = nil
	}
	if len(i.Dependencies) == 0 {
		i.Dependencies = nil
	}
	if len(i.Comments) == 0 {
		i.Comments = nil
	}
	if len(i.Extra) == 0 {
		i.Extra = nil
	}
	if len(i.Metadata) == 0 {
		i.Metadata = nil
	}
	if len(s.Legacy) == 0 {
		s.Legacy = nil
	}
	return s
}

// Whatever order operations arrive in, in whatever batches and however often,
// the database holds what the fold says, equal to a fresh one.
func TestSettleEqualsFoldAndRebuild(t *testing.T) {
	ctx := context.Background()
	db, fresh := newDB(t), newDB(t)
	rapid.Check(t, func(rt *rapid.T) {
		lines := generateLines(rt)
		if err := db.Rebuild(ctx, false, func(*Tx) error { return nil }); err != nil {
			rt.Fatal(err)
		}
		limit := rapid.SampledFrom([]int{affectedLimit, affectedLimit, 1}).Draw(rt, "affected limit")
		for rest := lines; len(rest) > 0; {
			size := min(len(rest), rapid.SampledFrom([]int{1, 1, 2, 5, 50}).Draw(rt, "batch"))
			err := db.Update(ctx, func(tx *Tx) error {
				tx.affectedLimit = limit
				for _, line := range rest[:size] {
					add := tx.AddRecord
					if rapid.Bool().Draw(rt, "kept") {
						add = tx.AddRead
					}
					if _, _, err := add(decode(t, line)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
			rest = rest[size:]
		}
		compareWithFold(rt, t, db, expected(lines))
		live := ask(t, db, (*Query).Fingerprint)

		err := fresh.Rebuild(ctx, false, func(tx *Tx) error {
			addLines(t, tx, slices.Concat(lines, lines)...)
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		if rebuilt := ask(t, fresh, (*Query).Fingerprint); rebuilt != live {
			rt.Fatalf("a fresh database differs:\n%s", differences(t, db, fresh))
		}
		if err := db.Rebuild(ctx, true, func(*Tx) error { return nil }); err != nil {
			rt.Fatal(err)
		}
		if kept := ask(t, db, (*Query).Fingerprint); kept != live {
			rt.Fatalf("rebuilt from its own lines it differs:\n%s", differences(t, db, fresh))
		}
	})
}

func compareWithFold(rt *rapid.T, t *testing.T, db *DB, states map[string]op.State) {
	blocked := expectedBlocked(states)
	for issueID, want := range states {
		got := ask(t, db, func(q *Query) (op.State, error) { return q.State(issueID) })
		if !reflect.DeepEqual(normal(got), normal(want)) {
			rt.Fatalf("state of %s:\n got %+v\nwant %+v", issueID, got, want)
		}
		rows := ask(t, db, func(q *Query) ([]Row, error) { return q.List(issue.Filter{IDs: []string{issueID}}) })
		if !want.Visible() {
			if len(rows) != 0 {
				rt.Fatalf("hidden issue %s is listed", issueID)
			}
			continue
		}
		if len(rows) != 1 || rows[0].Blocked != blocked[issueID] {
			rt.Fatalf("issue %s: want blocked=%t, listed %+v", issueID, blocked[issueID], rows)
		}
	}
	named := ask(t, db, func(q *Query) ([]string, error) { return texts(q.conn, "SELECT id FROM issue ORDER BY id") })
	if len(named) != len(states) {
		rt.Fatalf("issues %q, want those of %d", named, len(states))
	}
	unlike := ask(t, db, func(q *Query) ([]string, error) {
		return texts(q.conn, `WITH both AS (
  SELECT issue, label, 1 AS of FROM label
  UNION ALL SELECT i.id, j.value, 2 FROM issue AS i, json_each(i.labels) AS j)
SELECT issue || ' ' || label FROM both GROUP BY issue, label HAVING sum(of) <> 3`)
	})
	if len(unlike) != 0 {
		rt.Fatalf("labels that only their table or only the issue has: %q", unlike)
	}
}

// differences dumps the derived rows of two databases that differ.
func differences(t *testing.T, a, b *DB) string {
	var out []byte
	for _, text := range fingerprinted() {
		dump := func(q *Query) (string, error) {
			var rows []byte
			err := query(q.conn, text, func(s *sqlite.Stmt) error {
				for c := range s.ColumnCount() {
					rows = fmt.Appendf(rows, "%q ", s.ColumnText(c))
				}
				rows = append(rows, '\n')
				return nil
			})
			return string(rows), err
		}
		x, y := ask(t, a, dump), ask(t, b, dump)
		if x != y {
			out = fmt.Appendf(out, "%s\n--\n%s--\n%s", text, x, y)
		}
	}
	return string(out)
}

func TestAddTwice(t *testing.T) {
	db := newDB(t)
	line := encode(t, operation(1, "create", "bd-a", "title", `"A"`))
	record := decode(t, line)
	err := db.Update(context.Background(), func(tx *Tx) error {
		first, added, err := tx.Add(record.Op, line, true)
		if err != nil || !added {
			t.Errorf("first: added %t, %v", added, err)
		}
		second, added, err := tx.Add(record.Op, line, true)
		if err != nil || added || second != first {
			t.Errorf("second: row %d after %d, added %t, %v", second, first, added, err)
		}
		seq, held, err := tx.Seq(record.Op.ID, op.Hash(line))
		if err != nil || !held || seq != first {
			t.Errorf("Seq: %d, %t, %v", seq, held, err)
		}
		if _, held, err = tx.Seq(record.Op.ID, [32]byte{1}); held || err != nil {
			t.Errorf("Seq of another line: %t, %v", held, err)
		}
		greatest, err := tx.MaxSeq()
		if greatest != first {
			t.Errorf("MaxSeq: %d, want %d", greatest, first)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An update that fails leaves nothing behind, also after a panic.
func TestUpdateUndone(t *testing.T) {
	db := newDB(t)
	before := ask(t, db, (*Query).Fingerprint)
	failure := fmt.Errorf("no")
	err := db.Update(context.Background(), func(tx *Tx) error {
		addLines(t, tx, encode(t, operation(1, "create", "bd-a")))
		return failure
	})
	if err != failure {
		t.Errorf("error %v, want the function's own", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(context.Background(), func(tx *Tx) error {
			addLines(t, tx, encode(t, operation(1, "create", "bd-a")))
			panic("in the middle")
		})
	}()
	if after := ask(t, db, (*Query).Fingerprint); after != before {
		t.Error("something of the failed updates stayed")
	}
	apply(t, db, operation(1, "create", "bd-a"))
}

// A reader keeps its snapshot while another connection writes.
func TestViewIsASnapshot(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(1, "create", "bd-a"))
	reader, err := Open(context.Background(), db.path, testWorkspace)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	err = reader.View(context.Background(), func(q *Query) error {
		apply(t, db, operation(2, "create", "bd-b"))
		if n, err := q.Count(issue.Filter{}); err != nil || n != 1 {
			t.Errorf("in the snapshot: %d issues, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := ask(t, reader, func(q *Query) (int, error) { return q.Count(issue.Filter{}) }); n != 2 {
		t.Errorf("afterwards: %d issues", n)
	}
}

// A stored line that no longer decodes is reported and does not stop the rest.
func TestUnreadableStoredLine(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(1, "create", "bd-a", "title", `"A"`), operation(2, "update", "bd-a", "title", `"B"`))
	if err := once(db.conn, "UPDATE operation SET line = x'7b' WHERE seq = 2"); err != nil {
		t.Fatal(err)
	}
	// A late operation has the issue folded again.
	late := operation(1, "update", "bd-a", "notes", `"n"`)
	late.ID[15]++
	apply(t, db, late)
	got := ask(t, db, func(q *Query) (issue.Issue, error) { return q.Issue("bd-a") })
	if got.Title != "A" || got.Notes != "n" {
		t.Errorf("title %q, notes %q", got.Title, got.Notes)
	}
	problems := ask(t, db, (*Query).Problems)
	if len(problems) != 1 || problems[0].Kind != ProblemUnreadable || problems[0].Op != testID(2) {
		t.Errorf("problems: %+v", problems)
	}
}

func TestSameIDOtherLine(t *testing.T) {
	first := operation(1, "create", "bd-a", "title", `"A"`)
	second := operation(1, "create", "bd-b", "title", `"B"`)
	lines := [][]byte{encode(t, first), encode(t, second)}
	winner, loser := "bd-a", "bd-b"
	if op.Wins(lines[1], lines[0]) {
		winner, loser = loser, winner
	}
	for name, order := range map[string][2]int{"winner first": {0, 1}, "loser first": {1, 0}} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t)
			applyLines(t, db, lines[order[0]])
			applyLines(t, db, lines[order[1]])
			listed := ask(t, db, func(q *Query) ([]Row, error) { return q.List(issue.Filter{}) })
			if len(listed) != 1 || listed[0].ID != winner {
				t.Errorf("listed %+v, want only %s", listed, winner)
			}
			problems := ask(t, db, (*Query).Problems)
			if len(problems) != 1 || problems[0].Kind != ProblemSameID || problems[0].Issue != loser {
				t.Errorf("problems %+v", problems)
			}
			history := ask(t, db, func(q *Query) ([]HistoryEntry, error) { return q.History(loser) })
			if len(history) != 1 || history[0].Effect != EffectSuperseded {
				t.Errorf("history of the loser: %+v", history)
			}
		})
	}
}

// Deleting the database's only file while it is open is noticed.
func TestCurrent(t *testing.T) {
	db := newDB(t)
	if current, err := db.Current(); !current || err != nil {
		t.Fatalf("fresh: %t, %v", current, err)
	}
	aside, err := SetAside(db.path, "corrupt", epoch)
	if err != nil {
		t.Fatal(err)
	}
	if want := db.path + ".corrupt-20260101T000000Z"; aside != want {
		t.Errorf("set aside as %s, want %s", filepath.Base(aside), filepath.Base(want))
	}
	if current, err := db.Current(); current || err != nil {
		t.Errorf("after it was set aside: %t, %v", current, err)
	}
}

// TestUnknownVerbIsKept: what a later version does is kept as it stands, for
// whoever understands it.
func TestUnknownVerbIsKept(t *testing.T) {
	db := newDB(t)
	line := encode(t, operation(1, "frobnicate", "bd-a", "title", `"A"`))
	record := decode(t, line)
	err := db.Update(context.Background(), func(tx *Tx) error {
		if _, added, err := tx.Add(record.Op, line, true); err != nil || !added {
			t.Errorf("added %t, %v", added, err)
		}
		return tx.Settle()
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	err = db.View(context.Background(), func(q *Query) error {
		return q.EachIn([]Run{{1, math.MaxInt64}}, func(row StoredLine) error {
			if kept++; string(row.Line) != string(line) {
				t.Errorf("kept %q, want %q", row.Line, line)
			}
			return nil
		})
	})
	if err != nil || kept != 1 {
		t.Errorf("%d lines kept, %v", kept, err)
	}
}
