package projection

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/trigram"
)

// selection is the WHERE clause of a filter with its parameters. Text from
// people only ever becomes a parameter.
type selection struct {
	where []string
	args  []any

	// hint names the index to use where the planner, which has no statistics,
	// would rather walk along all issues than sort a few.
	hint string
}

func (s *selection) add(condition string, args ...any) {
	s.where = append(s.where, condition)
	s.args = append(s.args, args...)
}

// What the indexes of visible issues, and of those that are not closed, are made for.
const (
	visibleCondition = "i.visible = 1"
	liveCondition    = "i.status <> 'closed'"
)

// everything reports whether every visible issue is selected.
func (s *selection) everything() bool { return len(s.where) == 1 }

// usual reports whether nothing is asked but whether issues are closed, and for
// their priority: issue_all_index and issue_live_index begin with it.
func (s *selection) usual() bool {
	for _, condition := range s.where {
		if condition != visibleCondition && condition != liveCondition && !strings.HasPrefix(condition, "i.priority ") {
			return false
		}
	}
	return s.hint == ""
}

// from is the FROM clause (with an optional join) and the WHERE clause.
func (s *selection) from(join string) string {
	return "\nFROM issue AS i" + s.hint + join + "\nWHERE " + strings.Join(s.where, "\n  AND ")
}

// selectIssues translates a filter for a query. Conditions
// that a partial index is made for are written as that index has them.
func (q *Query) selectIssues(f *issue.Filter) (*selection, error) {
	s := new(selection)
	s.add(visibleCondition)
	if (f.Ready || f.Overdue || f.Deferred) && f.Now.IsZero() {
		return nil, errors.New("filter needs the present time")
	}
	if f.IDs != nil {
		s.add("i.id IN (SELECT value FROM json_each(?))", jsonList(f.IDs))
	}
	if f.IDStart != "" {
		s.add("i.id >= ? AND i.id < ?", f.IDStart, f.IDStart+"\U0010ffff")
	}
	s.states(f)
	s.names(f)
	s.labels(f)
	if err := s.contents(q, f); err != nil {
		return nil, err
	}
	s.dates(f)
	if !f.Where.IsZero() {
		text, args, err := s.condition(q.conn, f.Where, f)
		if err != nil {
			return nil, err
		}
		s.add(text, args...)
	}
	if f.Parent != "" {
		s.add("i.id IN (SELECT issue FROM dependency WHERE target = ? AND type = 'parent-child')", f.Parent)
	}
	if f.NoParent {
		s.add("NOT EXISTS (SELECT 1 FROM dependency AS p WHERE p.issue = i.id AND p.type = 'parent-child')")
	}
	return s, nil
}

// states adds the conditions on status, readiness and priority.
func (s *selection) states(f *issue.Filter) {
	if len(f.Statuses) > 0 && !slices.Contains(f.Statuses, issue.StatusClosed) ||
		slices.Contains(f.NotStatuses, issue.StatusClosed) {
		s.add(liveCondition)
	}
	s.oneOf("i.status", f.Statuses)
	for _, status := range f.NotStatuses {
		if status != issue.StatusClosed {
			s.add("i.status <> ?", status)
		}
	}
	if f.Ready {
		s.add("i.status = 'open'")
		s.add("i.blocked = 0")
		s.add("(i.defer_until IS NULL OR i.defer_until <= ?)", micros(f.Now))
	}
	if f.Blocked {
		s.add("i.blocked = 1")
	}
	if len(f.Priorities) > 0 {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(f.Priorities)), ", ")
		args := make([]any, len(f.Priorities))
		for n, p := range f.Priorities {
			args[n] = p
		}
		s.add("i.priority IN ("+marks+")", args...)
	}
	if f.PriorityMin != nil {
		s.add("i.priority >= ?", *f.PriorityMin)
	}
	if f.PriorityMax != nil {
		s.add("i.priority <= ?", *f.PriorityMax)
	}
}

// names adds the conditions on single words.
func (s *selection) names(f *issue.Filter) {
	s.oneOf("i.issue_type", f.Types)
	for _, name := range f.NotTypes {
		s.add("i.issue_type <> ?", name)
	}
	if f.Assignee != "" {
		s.add("i.assignee = ?", f.Assignee)
	}
	if f.Unassigned {
		s.add("i.assignee IS NULL")
	}
	if f.Owner != "" {
		s.add("i.owner = ?", f.Owner)
	}
	if f.ExternalRef != "" {
		s.add("i.external_ref = ?", f.ExternalRef)
	}
}

// oneOf adds column = value, or column IN (values). The plus sign keeps the
// planner from looking up several values and sorting what it finds, where one
// walk along an index in the order of the list can stop early.
func (s *selection) oneOf(column string, values []string) {
	switch len(values) {
	case 0:
	case 1:
		s.add(column+" = ?", values[0])
	default:
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
		args := make([]any, len(values))
		for n, v := range values {
			args[n] = v
		}
		s.add("+"+column+" IN ("+marks+")", args...)
	}
}

func (s *selection) labels(f *issue.Filter) {
	for _, label := range f.LabelsAll {
		s.add("i.id IN (SELECT issue FROM label WHERE label = ?)", label)
	}
	if len(f.LabelsAny) > 0 {
		s.add("i.id IN (SELECT issue FROM label WHERE label IN (SELECT value FROM json_each(?)))", jsonList(f.LabelsAny))
	}
	if f.LabelPattern != "" {
		s.add("i.id IN (SELECT issue FROM label WHERE label GLOB ?)", f.LabelPattern)
	}
	if f.NoLabels {
		s.add("NOT EXISTS (SELECT 1 FROM label AS l WHERE l.issue = i.id)")
	}
}

// contents adds the conditions on what texts contain.
func (s *selection) contents(q *Query, f *issue.Filter) error {
	if f.EmptyDesc {
		s.add("i.description = ''")
	}
	var needles []string
	for _, c := range []struct {
		needle  string
		columns []string
	}{
		{f.Text, []string{"i.id", "i.title", "i.description", "i.design", "i.acceptance_criteria", "i.notes"}},
		{f.TitleContains, []string{"i.title"}},
		{f.DescContains, []string{"i.description"}},
		{f.NotesContains, []string{"i.notes"}},
	} {
		if c.needle == "" {
			continue
		}
		if err := s.contains(q.conn, c.needle, c.columns); err != nil {
			return err
		}
		needles = append(needles, c.needle)
	}
	return s.narrow(q, needles, f.Limit+f.Offset)
}

// contains adds that one of the columns contains needle, in any case. LIKE
// folds the case of ASCII only, so other text is compared by our function.
func (s *selection) contains(conn *sqlite.Conn, needle string, columns []string) error {
	test, arg := " LIKE ? ESCAPE '\\'", "%"+escapeLike(needle)+"%"
	if !ascii(needle) {
		if err := provideContains(conn); err != nil {
			return fmt.Errorf("search for %q: %w", needle, err)
		}
		arg = trigram.Fold(needle)
	}
	var tests []string
	var args []any
	for _, column := range columns {
		if ascii(needle) {
			tests = append(tests, column+test)
		} else {
			tests = append(tests, "bd_contains("+column+", ?)")
		}
		args = append(args, arg)
	}
	s.add("("+strings.Join(tests, " OR ")+")", args...)
	return nil
}

func (s *selection) dates(f *issue.Filter) {
	for _, d := range []struct {
		column        string
		after, before time.Time
	}{
		{"i.created_at", f.CreatedAfter, f.CreatedBefore},
		{"i.updated_at", f.UpdatedAfter, f.UpdatedBefore},
		{"i.closed_at", f.ClosedAfter, f.ClosedBefore},
		{"i.due_at", f.DueAfter, f.DueBefore},
		{"i.defer_until", f.DeferAfter, f.DeferBefore},
	} {
		if !d.after.IsZero() {
			s.add(d.column+" >= ?", microsCeiling(d.after))
		}
		if !d.before.IsZero() {
			s.add(d.column+" < ?", microsCeiling(d.before))
		}
	}
	if f.Overdue {
		s.add("i.due_at < ?", microsCeiling(f.Now))
		s.add("i.status <> 'closed'")
		s.hint = " INDEXED BY issue_due_index"
	}
	if f.Deferred {
		s.add("i.defer_until > ?", micros(f.Now))
		s.hint = " INDEXED BY issue_defer_index"
	}
}

// microsCeiling makes "at least t" and "before t" right for a t between two
// microseconds.
func microsCeiling(t time.Time) int64 {
	return t.Add(time.Microsecond - time.Nanosecond).UnixMicro()
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// provideContains defines bd_contains(text, folded needle) on a connection.
func provideContains(conn *sqlite.Conn) error {
	return conn.CreateFunction("bd_contains", &sqlite.FunctionImpl{
		NArgs:         2,
		Deterministic: true,
		Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
			if strings.Contains(trigram.Fold(args[0].Text()), args[1].Text()) {
				return sqlite.IntegerValue(1), nil
			}
			return sqlite.IntegerValue(0), nil
		},
	})
}

// jsonList writes strings as a JSON array, for json_each.
func jsonList(values []string) string {
	b := []byte{'['}
	for n, v := range values {
		if n > 0 {
			b = append(b, ',')
		}
		// Invalid UTF-8 is replaced, which no stored value equals.
		b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(v, "\uFFFD"))
	}
	return string(append(b, ']'))
}

// orderBy is the ORDER BY clause of a filter. Those without a direction of
// their own can be walked backwards on the same index.
func orderBy(f *issue.Filter) (string, error) {
	var columns []string
	switch f.Sort {
	case issue.SortDefault:
		columns = []string{"i.priority", "i.created_at", "i.id"}
	case issue.SortPriority:
		columns = []string{"i.priority", "i.created_at DESC", "i.id"}
	case issue.SortCreated:
		columns = []string{"i.created_at DESC", "i.id DESC"}
	case issue.SortUpdated:
		columns = []string{"i.updated_at DESC", "i.id DESC"}
	case issue.SortClosed:
		columns = []string{"i.closed_at DESC", "i.id DESC"}
	case issue.SortDue:
		columns = []string{"i.due_at IS NULL", "i.due_at", "i.id"}
	case issue.SortStatus:
		columns = []string{"i.status", "i.priority", "i.created_at", "i.id"}
	case issue.SortType:
		columns = []string{"i.issue_type", "i.priority", "i.created_at", "i.id"}
	case issue.SortAssignee:
		columns = []string{"i.assignee IS NULL", "i.assignee", "i.priority", "i.created_at", "i.id"}
	case issue.SortTitle:
		columns = []string{"i.title COLLATE NOCASE", "i.id"}
	case issue.SortID:
		columns = []string{"i.id"}
	default:
		return "", fmt.Errorf("unknown sort order %q", f.Sort)
	}
	if f.Reverse {
		for n, c := range columns {
			if up, ok := strings.CutSuffix(c, " DESC"); ok {
				columns[n] = up
			} else {
				columns[n] = c + " DESC"
			}
		}
	}
	return "ORDER BY " + strings.Join(columns, ", "), nil
}
