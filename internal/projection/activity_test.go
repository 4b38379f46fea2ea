package projection

import (
	"fmt"
	"strings"
	"testing"

	"beads/internal/op"
)

// told is entries in short: number of the operation, verb, effect, statuses.
func told(entries []HistoryEntry) string {
	var parts []string
	for _, e := range entries {
		n := e.Op.ID.Time().Sub(epoch).Seconds()
		parts = append(parts, strings.TrimSuffix(fmt.Sprintf("%v %s %s>%s %s", n, e.Op.Do, e.OldStatus, e.NewStatus, e.Effect), " "))
	}
	return strings.Join(parts, "; ")
}

func TestActivity(t *testing.T) {
	db := newDB(t)
	claim := func(n int, by string) *op.Operation {
		o := operation(n, "claim", "bd-a", "assignee", `"`+by+`"`, "status", `"in_progress"`)
		o.By, o.If = by, &op.Condition{Unassigned: true}
		return o
	}
	apply(t, db, operation(1, "create", "bd-a", "title", `"A"`))
	apply(t, db, operation(2, "create", "bd-b", "title", `"B"`))
	apply(t, db, claim(6, "zoe"))
	apply(t, db, operation(7, "close", "bd-b", "status", `"closed"`))
	apply(t, db, claim(5, "amy")) // arrives late, and wins

	for name, c := range map[string]struct {
		Activity
		want string
	}{
		"all, in the order of the fold": {Activity{}, "1 create >open; 2 create >open; 5 claim open>in_progress; 6 claim in_progress>in_progress void; 7 close open>closed"},
		"the newest":                    {Activity{Limit: 2}, "6 claim in_progress>in_progress void; 7 close open>closed"},
		"of an issue":                   {Activity{Issue: "bd-b"}, "2 create >open; 7 close open>closed"},
		"since":                         {Activity{Since: op.MinID(testID(6).Time())}, "6 claim in_progress>in_progress void; 7 close open>closed"},
		"kept":                          {Activity{Limit: 1, Keep: func(o *op.Operation) bool { return o.By == "amy" }}, "5 claim open>in_progress"},
		"by someone":                    {Activity{Actor: "amy"}, "5 claim open>in_progress"},
		"by a part of a name":           {Activity{Actor: "am"}, ""},
		"none":                          {Activity{Issue: "bd-c"}, ""},
	} {
		got := ask(t, db, func(q *Query) (string, error) {
			entries, err := q.Recent(c.Activity)
			return told(entries), err
		})
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}

	got := ask(t, db, func(q *Query) (string, error) {
		first, last, err := q.Arrived(1, 2)
		if err != nil {
			return "", err
		}
		then, last, err := q.Arrived(last, 9)
		if err != nil || last != 5 {
			t.Errorf("the last row is %d, want 5", last)
		}
		none, last, err := q.Arrived(last, 9)
		if len(none) > 0 || last != 5 {
			t.Errorf("%d more, the last row is %d", len(none), last)
		}
		return told(first) + " | " + told(then), err
	})
	if want := "2 create >open; 6 claim in_progress>in_progress void | 7 close open>closed; 5 claim open>in_progress"; got != want {
		t.Errorf("in the order they came:\n%s, want\n%s", got, want)
	}

	rows := ask(t, db, func(q *Query) (string, error) {
		var missing, all int
		err := q.EachHash(func(seq int64, hash [32]byte) {
			all++
			id, err := q.IDAt(seq)
			if found, held, seqErr := q.Seq(id, hash); err != nil || seqErr != nil || !held || found != seq {
				missing++
			}
		})
		return fmt.Sprint(all, " rows, wrong: ", missing), err
	})
	if want := "5 rows, wrong: 0"; rows != want {
		t.Errorf("%s, want %s", rows, want)
	}
}

// Two lines of one id are two arrivals, of which one counts.
func TestActivityOfTheSameID(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(1, "create", "bd-a", "title", `"A"`))
	apply(t, db, operation(1, "create", "bd-a", "title", `"B"`))
	got := ask(t, db, func(q *Query) (string, error) {
		entries, err := q.Recent(Activity{})
		return told(entries), err
	})
	if n := strings.Count(got, "superseded"); n != 1 || strings.Count(got, ";") != 1 {
		t.Errorf("got %s, want two entries of which one is superseded", got)
	}
}
