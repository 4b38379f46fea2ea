package projection

import (
	_ "embed"
	"fmt"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
)

//go:embed queries/children.sql
var childrenSQL string

// Epic is an issue that others are the children of, with how far they are.
type Epic struct {
	Row
	Children int // visible ones
	Closed   int // of them
}

// Eligible reports whether there is nothing left to do but to close it.
func (e Epic) Eligible() bool {
	return e.Status != issue.StatusClosed && e.Children > 0 && e.Closed == e.Children
}

// Epics is List with the progress of each issue's children. The cost depends on
// the issues that f selects and their children.
func (q *Query) Epics(f issue.Filter) ([]Epic, error) {
	rows, err := q.List(f)
	if err != nil {
		return nil, err
	}
	epics := make([]Epic, len(rows))
	ids := make([]string, len(rows))
	for n := range rows {
		epics[n].Row, ids[n] = rows[n], rows[n].ID
	}
	err = query(q.conn, childrenSQL, func(s *sqlite.Stmt) error {
		e := &epics[s.ColumnInt(0)]
		e.Children, e.Closed = s.ColumnInt(1), s.ColumnInt(2)
		return nil
	}, jsonList(ids))
	if err != nil {
		return nil, fmt.Errorf("children of epics: %w", err)
	}
	return epics, nil
}
