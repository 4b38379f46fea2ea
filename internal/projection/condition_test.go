package projection

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"beads/internal/issue"
	"beads/internal/op"
)

// holds is what a condition means, told of one issue alone.
func holds(c issue.Condition, row Row, now time.Time) bool {
	switch {
	case c.Test != nil:
		return testHolds(c.Test, row, now)
	case c.Not != nil:
		return !holds(*c.Not, row, now)
	case c.Any != nil:
		return slices.ContainsFunc(c.Any, func(part issue.Condition) bool { return holds(part, row, now) })
	}
	return !slices.ContainsFunc(c.All, func(part issue.Condition) bool { return !holds(part, row, now) })
}

func testHolds(t *issue.Test, row Row, now time.Time) bool {
	if t.Relation == issue.Unequal {
		same := *t
		same.Relation = issue.Equal
		return !testHolds(&same, row, now)
	}
	words := func(values ...string) bool {
		if t.None {
			return strings.Join(values, "") == ""
		}
		return slices.ContainsFunc(values, func(value string) bool {
			if t.Relation == issue.Contains {
				return strings.Contains(strings.ToLower(value), strings.ToLower(t.Text))
			}
			return value == t.Text
		})
	}
	switch t.Field {
	case "status":
		return words(row.Status)
	case "assignee":
		return words(row.Assignee)
	case "title":
		return words(row.Title)
	case "label":
		return words(row.Labels...)
	case "parent":
		var parents []string
		for _, d := range row.Dependencies {
			if d.Type == issue.DepParentChild {
				parents = append(parents, d.To)
			}
		}
		return words(parents...)
	case "blocked":
		return row.Blocked == t.Flag
	case "ready":
		return (row.Status == issue.StatusOpen && !row.Blocked && !row.DeferUntil.After(now)) == t.Flag
	case "priority":
		return map[issue.Relation]bool{
			issue.Equal: row.Priority == t.Number, issue.Less: row.Priority < t.Number, issue.AtMost: row.Priority <= t.Number,
			issue.Greater: row.Priority > t.Number, issue.AtLeast: row.Priority >= t.Number,
		}[t.Relation]
	}
	at := map[string]time.Time{"created": row.CreatedAt, "closed": row.ClosedAt}[t.Field]
	if t.None || at.IsZero() {
		return t.None && at.IsZero()
	}
	after, before := !at.Before(t.Time), at.Before(t.Until)
	return map[issue.Relation]bool{
		issue.Equal: after && before, issue.Less: !after, issue.AtMost: before, issue.Greater: !before, issue.AtLeast: after,
	}[t.Relation]
}

// generateCondition draws a tree whose tests often hold and often do not.
func generateCondition(t *rapid.T, depth int) issue.Condition {
	kind := rapid.IntRange(0, 6).Draw(t, "node")
	if depth > 3 {
		kind = 6
	}
	switch kind {
	case 0, 1:
		parts := make([]issue.Condition, rapid.IntRange(1, 3).Draw(t, "parts"))
		for n := range parts {
			parts[n] = generateCondition(t, depth+1)
		}
		if kind == 0 {
			return issue.Condition{All: parts}
		}
		return issue.Condition{Any: parts}
	case 2:
		inner := generateCondition(t, depth+1)
		return issue.Condition{Not: &inner}
	}
	test := &issue.Test{Relation: rapid.SampledFrom([]issue.Relation{issue.Equal, issue.Unequal}).Draw(t, "relation")}
	order := []issue.Relation{issue.Equal, issue.Unequal, issue.Less, issue.AtMost, issue.Greater, issue.AtLeast}
	test.Field = rapid.SampledFrom([]string{"status", "assignee", "title", "label", "parent", "blocked", "ready", "priority", "created", "closed"}).Draw(t, "field")
	switch test.Field {
	case "blocked", "ready":
		test.Flag = rapid.Bool().Draw(t, "flag")
	case "priority":
		test.Relation, test.Number = rapid.SampledFrom(order).Draw(t, "order"), rapid.IntRange(0, 4).Draw(t, "number")
	case "created", "closed":
		if test.None = rapid.IntRange(0, 3).Draw(t, "none") == 0; !test.None {
			test.Relation = rapid.SampledFrom(order).Draw(t, "order")
			test.Time = epoch.Add(time.Duration(rapid.IntRange(0, 45).Draw(t, "from")) * time.Second)
			test.Until = test.Time.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "span")) * time.Second)
		}
	default:
		if test.None = rapid.IntRange(0, 3).Draw(t, "none") == 0; !test.None {
			test.Text = rapid.SampledFrom([]string{"open", "closed", "alice", "t", "T", "x", "l1", "bd-a", "%", "_", "é"}).Draw(t, "text")
			if rapid.Bool().Draw(t, "contains") {
				test.Relation = issue.Contains
			}
		}
	}
	return issue.Condition{Test: test}
}

// The answer to a condition is every issue for which it holds, and no other.
func TestConditionsMeanWhatTheySay(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		db := newDB(t)
		defer db.Close()
		applyLines(t, db, generateLines(r)...)
		now := epoch.Add(time.Hour)
		all := ask(t, db, func(q *Query) ([]Row, error) { return q.List(issue.Filter{}) })
		for range 5 {
			c := generateCondition(r, 0)
			var want []string
			for _, row := range all {
				if holds(c, row, now) {
					want = append(want, row.ID)
				}
			}
			var got []string
			for _, row := range ask(t, db, func(q *Query) ([]Row, error) { return q.List(issue.Filter{Where: c, Now: now}) }) {
				got = append(got, row.ID)
			}
			if !slices.Equal(got, want) {
				r.Fatalf("%s selects %v, want %v", describe(c), got, want)
			}
		}
	})
}

func describe(c issue.Condition) string {
	switch {
	case c.Test != nil:
		return fmt.Sprintf("%+v", *c.Test)
	case c.Not != nil:
		return "NOT " + describe(*c.Not)
	}
	var parts []string
	for _, part := range append(slices.Clone(c.All), c.Any...) {
		parts = append(parts, describe(part))
	}
	return fmt.Sprintf("(any=%t %s)", c.Any != nil, strings.Join(parts, "; "))
}

func TestConditionsOnOtherFields(t *testing.T) {
	db := newDB(t)
	apply(t, db, operation(1, op.DoCreate, "bd-a", "title", `"A"`, "metadata", `{"team":"core","Size":3}`, "estimated_minutes", "30", "external_ref", `"gh-9"`, "description", `"Ünicode here"`))
	apply(t, db, operation(2, op.DoCreate, "bd-b", "title", `"B"`))
	text := func(field string, r issue.Relation, text string) issue.Condition {
		return issue.Condition{Test: &issue.Test{Field: field, Relation: r, Text: text}}
	}
	for _, c := range []issue.Condition{
		text("metadata.team", issue.Equal, "core"), text("metadata.Size", issue.Equal, "3"), text("external_ref", issue.Equal, "gh-9"),
		text("description", issue.Contains, "üNICODE"), text("text", issue.Contains, "bd-a"), text("created_by", issue.Equal, "alice"),
		{Test: &issue.Test{Field: "estimate", Relation: issue.Greater, Number: 10}},
		{Not: &issue.Condition{Test: &issue.Test{Field: "metadata.team", Relation: issue.Equal, None: true}}},
		{Test: &issue.Test{Field: "description", Relation: issue.Unequal, None: true}},
	} {
		rows := ask(t, db, func(q *Query) ([]Row, error) {
			return q.List(issue.Filter{Where: issue.Condition{All: []issue.Condition{c, text("id", issue.Equal, "bd-a")}}})
		})
		if len(rows) != 1 {
			t.Errorf("%s does not select bd-a", describe(c))
		}
	}
	err := db.View(t.Context(), func(q *Query) error {
		_, err := q.List(issue.Filter{Where: text("colour", issue.Equal, "red")})
		return err
	})
	if err == nil {
		t.Error("a field that is not known is answered")
	}
}
