package projection

import (
	"encoding/json"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/op"
)

// Query answers questions from one snapshot. What it embeds are the lines of the
// operations.
type Query struct {
	Lines
	conn  *sqlite.Conn
	texts *textIndex // nil: texts are searched by reading all of them
}

func newQuery(conn *sqlite.Conn) Query {
	return Query{Lines: linesOf(conn, op.Operations), conn: conn}
}

// Settings are the shared settings.
func (q *Query) Settings() (op.Settings, error) {
	settings := op.Settings{Values: make(map[string]json.RawMessage)}
	err := query(q.conn, "SELECT key, value FROM setting", func(s *sqlite.Stmt) error {
		settings.Values[s.ColumnText(0)] = columnBlob(s, 1)
		return nil
	})
	if err == nil {
		settings.Last, err = q.IssueMaxID("")
	}
	if err != nil {
		return op.Settings{}, fmt.Errorf("read settings: %w", err)
	}
	return settings, nil
}

// IssueMaxID is the greatest id among the operations of the issue
// ("" = workspace-wide), zero if there is none.
func (q *Query) IssueMaxID(issueID string) (op.ID, error) {
	return operationID(q.conn, "SELECT id FROM operation WHERE issue = ? ORDER BY id DESC LIMIT 1", issueID)
}

// Operations is how many operations are held, as lines.
func (q *Query) Operations() (int64, error) { return q.Held() }

// Meta is a value that Tx.SetMeta stored, or one of the identity; "" if none.
func (q *Query) Meta(key string) (string, error) {
	values, err := texts(q.conn, "SELECT value FROM meta WHERE key = ?", key)
	if err != nil || len(values) == 0 {
		return "", err
	}
	return values[0], nil
}

// State is an issue as folded, whole, whether visible or not; the zero State
// if no operation names it. issueID is exact.
func (q *Query) State(issueID string) (op.State, error) {
	state, row, err := loadState(q.conn, issueID)
	if err == nil && row.found {
		state.Issue.Comments, err = loadComments(q.conn, issueID)
	}
	if err != nil {
		return op.State{}, fmt.Errorf("read issue %s: %w", issueID, err)
	}
	return state, nil
}

// Issue returns one visible issue whole (labels, dependencies, comments), or
// *NotFoundError. id is exact.
func (q *Query) Issue(id string) (issue.Issue, error) {
	state, err := q.State(id)
	if err != nil {
		return issue.Issue{}, err
	}
	if !state.Visible() {
		return issue.Issue{}, &NotFoundError{Input: id, Deleted: state.Exists && state.Deleted}
	}
	return state.Issue, nil
}

// NotFoundError says that there is no visible issue of that id.
type NotFoundError struct {
	Input   string
	Deleted bool // it exists, deleted
}

func (e *NotFoundError) Error() string {
	if e.Deleted {
		return fmt.Sprintf("issue %q is deleted", e.Input)
	}
	return fmt.Sprintf("issue %q not found", e.Input)
}

// isNotFound reports whether err is a *NotFoundError.
func isNotFound(err error) bool {
	var notFound *NotFoundError
	return errors.As(err, &notFound)
}

// deletedOnly reports whether err says that only deleted issues fit.
func deletedOnly(err error) bool {
	var notFound *NotFoundError
	return errors.As(err, &notFound) && notFound.Deleted
}
