package projection

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/op"
)

// Query answers questions from one snapshot.
type Query struct {
	conn *sqlite.Conn
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

// MaxID is the greatest operation id whose time is not after notAfter, zero if
// there is none.
func (q *Query) MaxID(notAfter time.Time) (op.ID, error) {
	bound := op.MinID(notAfter.Truncate(time.Millisecond).Add(time.Millisecond))
	return operationID(q.conn, "SELECT id FROM operation WHERE id < ? ORDER BY id DESC LIMIT 1", bound)
}

// IssueMaxID is the greatest id among the operations of the issue
// ("" = workspace-wide), zero if there is none.
func (q *Query) IssueMaxID(issueID string) (op.ID, error) {
	return operationID(q.conn, "SELECT id FROM operation WHERE issue = ? ORDER BY id DESC LIMIT 1", issueID)
}

// Operations is how many lines are held.
func (q *Query) Operations() (int64, error) {
	return number(q.conn, "SELECT count(*) FROM operation")
}

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
	state, found, err := loadState(q.conn, issueID)
	if err == nil && found {
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

// EachLine calls fn with every stored line, in row order, with its row number.
// line is valid until fn returns. fn may query.
func (q *Query) EachLine(fn func(seq int64, line []byte) error) error {
	var buf []byte
	return stream(q.conn, "SELECT seq, line FROM operation ORDER BY seq", func(s *sqlite.Stmt) error {
		buf = columnRaw(s, 1, buf)
		return fn(s.ColumnInt64(0), buf)
	})
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
