package projection

import (
	_ "embed"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
)

var (
	//go:embed queries/list_dependencies.sql
	listDependenciesSQL string
	//go:embed queries/list_dependents.sql
	listDependentsSQL string
	//go:embed queries/list_comments.sql
	listCommentsSQL string
	//go:embed queries/blockers.sql
	blockersSQL string
	//go:embed queries/live_parents.sql
	liveParentsSQL string
)

// Row is an issue in a list with its counts.
type Row struct {
	issue.Issue         // labels and dependencies filled, comments not
	DependencyCount int // what it depends on (all types, visible targets or not)
	DependentCount  int // what depends on it (visible holders)
	CommentCount    int
	Blocked         bool
}

// decorated is how many rows get their dependencies and counts from one statement.
const decorated = 500

// List returns the visible issues that f selects, in its order. Each statement that
// adds to them gets the ids of rows as one JSON array, so that it can answer with
// positions in it.
func (q *Query) List(f issue.Filter) ([]Row, error) {
	rows, err := q.Rows(f)
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(rows, decorated) {
		ids := make([]string, len(chunk))
		for n := range chunk {
			ids[n] = chunk[n].ID
		}
		list := jsonList(ids)
		for _, add := range []func(rows []Row, ids string) error{q.dependencies, q.dependents, q.comments} {
			if err := add(chunk, list); err != nil {
				return nil, fmt.Errorf("list issues: %w", err)
			}
		}
	}
	return rows, nil
}

// Rows is List without the dependencies and the counts.
func (q *Query) Rows(f issue.Filter) ([]Row, error) { return q.read(&f, labelled()) }

// Heads is List for who shows a line of each issue: id, title, status, priority, type,
// assignee and labels are filled, and whether it is blocked. Of the rest some may be,
// but nothing that may be long.
func (q *Query) Heads(f issue.Filter) ([]Row, error) { return q.read(&f, heads()) }

// columns are what is read of each issue.
type columns struct {
	text  string
	count int
	scan  func(*sqlite.Stmt) (issue.Issue, error)
}

func labelled() columns { return columns{labelledColumns, labelledColumnCount, scanLabelled} }
func heads() columns    { return columns{headColumns, headColumnCount, scanHead} }
func brief() columns    { return columns{briefColumns + ", i.labels", labelledColumnCount, scanLabelled} }

func (q *Query) read(f *issue.Filter, c columns) ([]Row, error) {
	text, args, c, err := q.listText(f, c)
	if err != nil {
		return nil, err
	}
	var rows []Row
	err = query(q.conn, text, func(s *sqlite.Stmt) error {
		i, err := c.scan(s)
		rows = append(rows, Row{Issue: i, Blocked: s.ColumnBool(c.count)})
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("list issues: %w", err)
	}
	return rows, nil
}

// listText is the statement for a list, and what it reads: heads are in the indexes
// in the usual order alone. For what else selects or orders there are other indexes,
// which lead to few rows, while SQLite would rather read one of those two whole than
// look up each row.
func (q *Query) listText(f *issue.Filter, c columns) (string, []any, columns, error) {
	s, err := q.selectIssues(f)
	if err != nil {
		return "", nil, c, err
	}
	order, err := orderBy(f)
	if err != nil {
		return "", nil, c, err
	}
	if c.text == headColumns && (f.Sort != issue.SortDefault || !s.usual()) {
		c = brief()
	}
	text := "SELECT " + c.text + ", i.blocked" + s.from("") + "\n" + order
	args := s.args
	if f.Limit > 0 || f.Offset > 0 {
		limit := int64(f.Limit)
		if f.Limit <= 0 {
			limit = -1
		}
		text += "\nLIMIT ? OFFSET ?"
		args = append(args, limit, int64(max(f.Offset, 0)))
	}
	return text, args, c, nil
}

func (q *Query) dependencies(rows []Row, ids string) error {
	return query(q.conn, listDependenciesSQL, func(s *sqlite.Stmt) error {
		r := &rows[s.ColumnInt(0)]
		r.Dependencies = append(r.Dependencies, scanDependency(s, 1))
		r.DependencyCount++
		return nil
	}, ids)
}

func (q *Query) dependents(rows []Row, ids string) error {
	return query(q.conn, listDependentsSQL, func(s *sqlite.Stmt) error {
		rows[s.ColumnInt(0)].DependentCount = s.ColumnInt(1)
		return nil
	}, ids)
}

func (q *Query) comments(rows []Row, ids string) error {
	return query(q.conn, listCommentsSQL, func(s *sqlite.Stmt) error {
		rows[s.ColumnInt(0)].CommentCount = s.ColumnInt(1)
		return nil
	}, ids)
}

// BlockedRow is a blocked issue with the open issues that block it (directly;
// else those that block its nearest parents).
type BlockedRow struct {
	Row
	BlockedBy []string // sorted
}

// Blocked is List of the blocked issues among those that f selects.
func (q *Query) Blocked(f issue.Filter) ([]BlockedRow, error) {
	f.Blocked = true
	rows, err := q.List(f)
	if err != nil {
		return nil, err
	}
	blocked := make([]BlockedRow, len(rows))
	for n := range rows {
		blocked[n].Row = rows[n]
		if blocked[n].BlockedBy, err = q.blockers(rows[n].ID); err != nil {
			return nil, fmt.Errorf("blockers of %s: %w", rows[n].ID, err)
		}
	}
	return blocked, nil
}

// blockers climbs from an issue through its live parents and stops on each
// way at the first issue that is blocked directly.
func (q *Query) blockers(issueID string) ([]string, error) {
	var found []string
	seen := map[string]bool{issueID: true}
	for queue := []string{issueID}; len(queue) > 0; queue = queue[1:] {
		direct, err := texts(q.conn, blockersSQL, queue[0])
		if err != nil {
			return nil, err
		}
		if len(direct) > 0 {
			found = append(found, direct...)
			continue
		}
		parents, err := texts(q.conn, liveParentsSQL, queue[0])
		if err != nil {
			return nil, err
		}
		for _, parent := range parents {
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, parent)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
