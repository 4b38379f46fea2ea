package projection

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// StoredLine is one row of the operation table. Line is valid until the
// function that got it returns.
type StoredLine struct {
	Seq   int64
	ID    op.ID
	Issue string // "" on workspace-wide operations
	Line  []byte
}

// EachSince calls fn with every line whose row number is greater than after, in
// the order of the operations' ids (then of the bytes' hashes). The cost
// depends on how many those are. Rows are numbered in the order they came,
// without gaps and never anew, until the database is rebuilt. fn may query.
func (q *Query) EachSince(after int64, fn func(StoredLine) error) error {
	var row StoredLine
	// The unary plus keeps SQLite from walking the whole index of ids.
	err := stream(q.conn, "SELECT seq, id, issue, line FROM operation WHERE seq > ? ORDER BY +id, +hash", func(s *sqlite.Stmt) error {
		row.Seq, row.ID, row.Issue = s.ColumnInt64(0), columnID(s, 1), s.ColumnText(2)
		row.Line = columnRaw(s, 3, row.Line)
		return fn(row)
	}, after)
	if err != nil {
		return fmt.Errorf("operations since row %d: %w", after, err)
	}
	return nil
}

// CountSince is how many lines have a row number greater than after.
func (q *Query) CountSince(after int64) (int64, error) {
	return number(q.conn, "SELECT count(*) FROM operation WHERE seq > ?", after)
}

// IDAt is the id of the operation with this row number; zero if there is none.
func (q *Query) IDAt(seq int64) (op.ID, error) {
	return operationID(q.conn, "SELECT id FROM operation WHERE seq = ?", seq)
}

// MaxSeq is the greatest row number in use, 0 if there is none.
func (q *Query) MaxSeq() (int64, error) {
	return number(q.conn, "SELECT max(seq) FROM operation")
}

// IssuesSince are up to limit issues that lines with a row number greater than
// after are about, each once.
func (q *Query) IssuesSince(after int64, limit int) ([]string, error) {
	issues := []string{}
	err := query(q.conn, "SELECT DISTINCT issue FROM operation WHERE seq > ? AND issue <> '' LIMIT ?", func(s *sqlite.Stmt) error {
		issues = append(issues, s.ColumnText(0))
		return nil
	}, after, limit)
	if err != nil {
		return nil, fmt.Errorf("issues since row %d: %w", after, err)
	}
	return issues, nil
}
