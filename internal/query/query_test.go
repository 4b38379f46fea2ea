package query

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"beads/internal/issue"
)

// day reads 2006-01-02, and -7d as seven days before 2026-11-24.
func day(text string, endOfDay bool) (time.Time, error) {
	if text == "-7d" {
		return time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC), nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err == nil && endOfDay {
		t = t.AddDate(0, 0, 1).Add(-time.Second)
	}
	return t, err
}

// show writes a condition with every parenthesis.
func show(c issue.Condition) string {
	switch {
	case c.Test != nil:
		t := c.Test
		value := fmt.Sprintf("%q", t.Text)
		switch {
		case t.None:
			value = "none"
		case !t.Time.IsZero():
			value = t.Time.Format("2006-01-02T15") + ".." + t.Until.Format("2006-01-02T15")
		case t.Field == "priority" || t.Field == "estimate":
			value = fmt.Sprint(t.Number)
		case t.Field == "ready" || t.Field == "blocked":
			value = fmt.Sprint(t.Flag)
		}
		return t.Field + string(t.Relation) + value
	case c.Not != nil:
		return "NOT " + show(*c.Not)
	}
	parts, joint := c.All, " AND "
	if c.Any != nil {
		parts, joint = c.Any, " OR "
	}
	var texts []string
	for _, part := range parts {
		texts = append(texts, show(part))
	}
	return "(" + strings.Join(texts, joint) + ")"
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ name, input, want string }{
		{"nothing", "  ", "()"},
		{"one test", "status=open", `status="open"`},
		{"blanks and another name", " Type  != bug ", `type!="bug"`},
		{"and before or", "status=a or status=b and status=c", `(status="a" OR (status="b" AND status="c"))`},
		{"parentheses", "(status=a || status=b) && status=c", `((status="a" OR status="b") AND status="c")`},
		{"AND left out", "status=a priority<=P1 blocked", `(status="a" AND priority<=1 AND blocked=true)`},
		{"NOT binds closest", "not status=a status=b", `(NOT status="a" AND status="b")`},
		{"NOT of a group", "!(status=a or !status=b)", `NOT (status="a" OR NOT status="b")`},
		{"quotes", `title~"a \"b\" (c)" owner='x y'`, `(title~"a \"b\" (c)" AND owner="x y")`},
		{"none", "assignee=none AND owner='none' AND due!=none", `(assignee=none AND owner="none" AND due!=none)`},
		{"a day is a span", "created>2026-11-01", "created>2026-11-01T00..2026-11-02T00"},
		{"a span lies in the past", "updated<7d", "updated<2026-11-17T12..2026-11-17T12"},
		{"a keyword as a value", "title=not", `title="not"`},
		{"metadata keeps its case", "METADATA.Team=core", `metadata.Team="core"`},
		{"== is =", "estimate==30", "estimate=30"},
		{"a flag that is off", "ready=false", "ready=false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse(test.input, day)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(c); got != test.want {
				t.Errorf("%s reads as %s, want %s", test.input, got, test.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		name, input string
		at          int
		want        string
	}{
		{"slip in a field", "status=open stauts=closed", 13, "did you mean status?"},
		{"unknown field", "colour=red", 1, "known are id, title"},
		{"no value", "status=", 8, "the expression ends where a value should be"},
		{"no relation", "status open", 8, `"open" stands where = or another comparison should be`},
		{"no field", "AND status=open", 1, "where a field should be"},
		{"open parenthesis", "(status=open", 13, "ends where ) should be"},
		{"extra parenthesis", "status=open)", 12, "where the end should be"},
		{"open quote", "title='x", 7, "the quote is not closed"},
		{"priority", "priority=9", 10, "not a priority"},
		{"number", "estimate<soon", 10, "not a whole number"},
		{"flag", "ready=perhaps", 7, "not true or false"},
		{"order of words", "status<open", 7, "cannot be compared by <"},
		{"a date contains nothing", "created~2026-11-01", 8, "cannot be compared by ~"},
		{"none has no order", "due<none", 4, "cannot be compared by <"},
		{"lone ampersand", "status=open & ready", 13, "means nothing here"},
		{"too deep", strings.Repeat("(", 200) + "ready" + strings.Repeat(")", 200), 102, "nested more than 100 deep"},
		{"too many", strings.Repeat("ready ", 501), 3001, "more than 500 tests"},
		{"too long", strings.Repeat("x", 17<<10), 1, "longer than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.input, day)
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.At != test.at || !strings.Contains(wrong.Reason, test.want) {
				t.Errorf("got %v, want character %d and %q", err, test.at, test.want)
			}
		})
	}
}

func TestMentions(t *testing.T) {
	c, err := Parse("priority=1 AND (ready OR NOT status=open)", day)
	if err != nil || !c.Mentions("status") || !c.Mentions("priority") || c.Mentions("closed") {
		t.Errorf("%v: status %t, priority %t, closed %t", err, c.Mentions("status"), c.Mentions("priority"), c.Mentions("closed"))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("priority<=1 AND (label=auth OR title~'a b') NOT assignee=none")
	f.Add("created>2026-11-01 || updated<7d && !ready")
	f.Fuzz(func(t *testing.T, input string) {
		c, err := Parse(input, day)
		if err == nil && strings.Trim(input, " \t\n\v\f\r\u0085\u00a0\u2000\u2028\u3000") != "" && c.IsZero() && strings.ContainsAny(input, "=<>~") {
			t.Errorf("%q selects everything", input)
		}
	})
}
