package projection

import (
	"fmt"

	"zombiezen.com/go/sqlite"
)

// Names are the values that a column has among visible issues, in order, at most
// limit of them: of assignee, status or type. Of label and dependency (its type)
// they are those of all issues. The cost depends on how many values there are,
// not on how many issues; dependency alone reads every dependency.
func (q *Query) Names(of string, limit int) ([]string, error) {
	var text string
	switch of {
	case "assignee":
		text = skipScan("assignee", "issue", "visible = 1 AND assignee IS NOT NULL")
	case "status":
		text = skipScan("status", "issue", "visible = 1")
	case "type":
		text = skipScan("issue_type", "issue", "visible = 1")
	case "label":
		text = skipScan("label", "label", "1")
	case "dependency":
		text = "SELECT DISTINCT type FROM dependency ORDER BY 1 LIMIT ?"
	default:
		return nil, fmt.Errorf("no names of %q", of)
	}
	names, err := texts(q.conn, text, limit)
	if err != nil {
		return nil, fmt.Errorf("names of %s: %w", of, err)
	}
	return names, nil
}

// skipScan asks for the distinct values of a column by looking up the next one
// in its index, again and again: SQLite's own DISTINCT reads the whole index.
func skipScan(column, table, where string) string {
	return "WITH RECURSIVE v(x) AS (\n" +
		"  SELECT (SELECT min(" + column + ") FROM " + table + " WHERE " + where + ")\n" +
		"  UNION ALL\n" +
		"  SELECT (SELECT min(" + column + ") FROM " + table + " WHERE " + where + " AND " + column + " > v.x) FROM v WHERE v.x IS NOT NULL\n" +
		") SELECT x FROM v WHERE x IS NOT NULL LIMIT ?"
}

// Deleted are deleted issues whose ids begin with start, by id, at most limit.
func (q *Query) Deleted(start string, limit int) ([]Candidate, error) {
	var found []Candidate
	err := query(q.conn, "SELECT id, title FROM issue WHERE visible = 0 AND existing = 1 AND id >= ? AND id < ? ORDER BY id LIMIT ?",
		func(s *sqlite.Stmt) error {
			found = append(found, Candidate{ID: s.ColumnText(0), Title: s.ColumnText(1)})
			return nil
		}, start, start+"\U0010ffff", limit)
	if err != nil {
		return nil, fmt.Errorf("deleted issues: %w", err)
	}
	return found, nil
}
