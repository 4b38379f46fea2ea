package projection

import (
	"fmt"

	"zombiezen.com/go/sqlite"
)

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
