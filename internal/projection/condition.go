package projection

import (
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
)

// condition translates c. Text from people only ever becomes a parameter, and no
// part is ever null, so that NOT means what it says.
func (s *selection) condition(conn *sqlite.Conn, c issue.Condition, f *issue.Filter) (string, []any, error) {
	switch {
	case c.Test != nil:
		return s.test(conn, c.Test, f)
	case c.Not != nil:
		text, args, err := s.condition(conn, *c.Not, f)
		return "NOT " + text, args, err
	case c.IsZero():
		return "1", nil, nil
	}
	parts, joint := c.All, " AND "
	if c.Any != nil {
		parts, joint = c.Any, " OR "
	}
	var texts []string
	var args []any
	for _, part := range parts {
		text, more, err := s.condition(conn, part, f)
		if err != nil {
			return "", nil, err
		}
		texts, args = append(texts, text), append(args, more...)
	}
	return "(" + strings.Join(texts, joint) + ")", args, nil
}

// columnOf are the fields of a Test that are one column. Those that may be null
// read as empty.
func columnOf(field string) (column string, ok bool) {
	column, ok = map[string]string{
		"id": "i.id", "title": "i.title", "description": "i.description", "design": "i.design", "notes": "i.notes",
		"acceptance": "i.acceptance_criteria", "close_reason": "i.close_reason", "status": "i.status", "type": "i.issue_type",
		"assignee": "ifnull(i.assignee, '')", "owner": "i.owner", "external_ref": "ifnull(i.external_ref, '')",
		"created_by": "i.created_by", "priority": "i.priority", "estimate": "i.estimated_minutes",
		"created": "i.created_at", "updated": "i.updated_at", "closed": "i.closed_at", "due": "i.due_at", "defer": "i.defer_until",
	}[field]
	return column, ok
}

func (s *selection) test(conn *sqlite.Conn, t *issue.Test, f *issue.Filter) (string, []any, error) {
	positive, args, err := s.positive(conn, t, f)
	if t.Relation == issue.Unequal {
		positive = "NOT " + positive
	}
	return positive, args, err
}

// positive is t with != read as =.
func (s *selection) positive(conn *sqlite.Conn, t *issue.Test, f *issue.Filter) (string, []any, error) {
	switch t.Field {
	case "ready", "blocked", "overdue", "deferred":
		return flagTest(t, f)
	case "label":
		return s.membership(conn, t, "label", "label", "")
	case "parent":
		return s.membership(conn, t, "dependency", "target", " AND type = 'parent-child'")
	case "created", "updated", "closed", "due", "defer":
		column, _ := columnOf(t.Field)
		text, args := dateTest(column, t)
		return text, args, nil
	case "priority", "estimate":
		column, _ := columnOf(t.Field)
		how := strings.Replace(string(t.Relation), "!", "", 1)
		return "(" + column + " " + how + " ?)", []any{t.Number}, nil
	case "text":
		return s.either(conn, t, "i.id", "i.title", "i.description", "i.design", "i.acceptance_criteria", "i.notes")
	}
	if key, ok := strings.CutPrefix(t.Field, "metadata."); ok {
		column := `ifnull(CAST(json_extract(i.metadata, '$."` + strings.NewReplacer(`'`, ``, `"`, ``).Replace(key) + `"') AS TEXT), '')`
		return s.either(conn, t, column)
	}
	column, ok := columnOf(t.Field)
	if !ok {
		return "", nil, fmt.Errorf("cannot ask for %q", t.Field)
	}
	return s.either(conn, t, column)
}

// either holds if one of the columns has, or contains, the text.
func (s *selection) either(conn *sqlite.Conn, t *issue.Test, columns ...string) (string, []any, error) {
	if t.Relation == issue.Contains {
		inner := new(selection)
		err := inner.contains(conn, t.Text, columns)
		return strings.Join(inner.where, ""), inner.args, err
	}
	var texts []string
	var args []any
	for _, column := range columns {
		texts, args = append(texts, column+" = ?"), append(args, t.Text)
	}
	joint := " OR "
	if t.None {
		joint = " AND "
	}
	return "(" + strings.Join(texts, joint) + ")", args, nil
}

// membership asks a table that has several rows an issue.
func (s *selection) membership(conn *sqlite.Conn, t *issue.Test, table, column, more string) (string, []any, error) {
	if t.None {
		return "(NOT EXISTS (SELECT 1 FROM " + table + " AS m WHERE m.issue = i.id" + more + "))", nil, nil
	}
	text, args, err := s.either(conn, t, column)
	return "(i.id IN (SELECT issue FROM " + table + " WHERE " + text + more + "))", args, err
}

// flagTest takes the conditions of a filter, so that both mean the same.
func flagTest(t *issue.Test, f *issue.Filter) (string, []any, error) {
	if f.Now.IsZero() {
		return "", nil, fmt.Errorf("%s needs the present time", t.Field)
	}
	asked := issue.Filter{Now: f.Now, Ready: t.Field == "ready", Blocked: t.Field == "blocked", Overdue: t.Field == "overdue", Deferred: t.Field == "deferred"}
	inner := new(selection)
	inner.states(&asked)
	inner.dates(&asked)
	text := "ifnull(" + strings.Join(inner.where, " AND ") + ", 0)"
	if !t.Flag {
		text = "NOT " + text
	}
	return "(" + text + ")", inner.args, nil
}

// dateTest compares with the span that was named: after a day means after its
// end. An issue without the date has none, so only = none holds.
func dateTest(column string, t *issue.Test) (string, []any) {
	if t.None {
		return "(" + column + " IS NULL)", nil
	}
	from, until := microsCeiling(t.Time), microsCeiling(t.Until)
	text, args := column+" >= ? AND "+column+" < ?", []any{from, until}
	switch t.Relation {
	case issue.Less:
		text, args = column+" < ?", []any{from}
	case issue.AtMost:
		text, args = column+" < ?", []any{until}
	case issue.Greater:
		text, args = column+" >= ?", []any{until}
	case issue.AtLeast:
		text, args = column+" >= ?", []any{from}
	}
	return "ifnull(" + text + ", 0)", args
}
