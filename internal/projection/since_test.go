package projection

import (
	"context"
	"math"
	"slices"
	"testing"

	"beads/internal/op"
)

func TestEachIn(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(5, "create", "bd-a", "title", `"A"`))
	apply(t, db, operation(3, "create", "bd-b", "title", `"B"`))
	apply(t, db, operation(9, "update", "bd-a", "title", `"C"`))
	apply(t, db, operation(4, "update", "bd-a", "title", `"D"`))
	const end = math.MaxInt64
	for _, test := range []struct {
		runs []Run
		want []int64
	}{
		{[]Run{{1, end}}, []int64{2, 4, 1, 3}},
		{[]Run{{2, end}}, []int64{2, 4, 3}},
		{[]Run{{4, end}}, []int64{4}},
		{[]Run{{5, end}}, nil},
		{[]Run{{10, end}}, nil},
		{[]Run{{1, 1}, {3, 4}, {9, end}}, []int64{4, 1, 3}},
		{[]Run{{2, 2}, {6, 8}}, []int64{2}},
		{nil, nil},
	} {
		must(t, db.View(context.Background(), func(q *Query) error {
			var got []int64
			err := q.EachIn(test.runs, func(row StoredLine) error {
				seq, held, err := q.Seq(row.ID, op.Hash(row.Line)) // may query
				if seq != row.Seq || !held || row.Issue == "" {
					t.Errorf("row %d is %+v", seq, row)
				}
				got = append(got, row.Seq)
				return err
			})
			if !slices.Equal(got, test.want) {
				t.Errorf("rows in %v are %v, want %v in the order of ids", test.runs, got, test.want)
			}
			return err
		}))
	}
	must(t, db.View(context.Background(), func(q *Query) error {
		for after, want := range map[int64]int64{0: 4, 1: 3, 3: 1, 4: 0, 9: 0} {
			if count, err := q.CountSince(after); err != nil || count != want {
				t.Errorf("%d rows since %d, want %d: %v", count, after, want, err)
			}
		}
		return nil
	}))
	must(t, db.View(context.Background(), func(q *Query) error {
		for seq, want := range map[int64]op.ID{1: testID(5), 4: testID(4), 5: {}} {
			if id, err := q.IDAt(seq); err != nil || id != want {
				t.Errorf("row %d has id %v %v, want %v", seq, id, err, want)
			}
		}
		last, err := q.MaxSeq()
		if last != 4 {
			t.Errorf("last row %d, want 4", last)
		}
		return err
	}))
}

func TestIssuesSince(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(1, "create", "bd-a", "title", `"A"`))
	apply(t, db, operation(2, "create", "bd-b", "title", `"B"`))
	apply(t, db, operation(3, "update", "bd-b", "title", `"C"`))
	apply(t, db, operation(4, "create", "bd-c", "title", `"D"`))
	for _, test := range []struct {
		after int64
		limit int
		want  []string
	}{{0, 9, []string{"bd-a", "bd-b", "bd-c"}}, {1, 9, []string{"bd-b", "bd-c"}}, {4, 9, []string{}}, {0, 2, []string{"bd-a", "bd-b"}}} {
		must(t, db.View(context.Background(), func(q *Query) error {
			got, err := q.IssuesSince(test.after, test.limit)
			slices.Sort(got)
			if !slices.Equal(got, test.want) || got == nil {
				t.Errorf("issues since %d, at most %d: %q, want %q", test.after, test.limit, got, test.want)
			}
			return err
		}))
	}
}
