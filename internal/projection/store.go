package projection

import (
	"cmp"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/op"
)

const selectState = "SELECT " + labelledColumns + `,
  i.existing, i.deleted, i.last_op, i.holder_op, i.holder_seen, i.holder_session, i.legacy, i.blocked
FROM issue AS i WHERE i.id = ?`

// stored is what the row of an issue says that its state does not.
type stored struct {
	found   bool // there is a row
	blocked bool
}

// loadState reads an issue as folded so far, with labels and dependencies but
// without comments. The state is empty if no operation names it.
func loadState(conn *sqlite.Conn, issueID string) (state op.State, row stored, err error) {
	err = query(conn, selectState, func(s *sqlite.Stmt) error {
		var err error
		state, err = scanState(s)
		row = stored{true, s.ColumnBool(s.ColumnCount() - 1)}
		return err
	}, issueID)
	if err != nil || !row.found {
		return state, row, err
	}
	state.Issue.Dependencies, err = loadDependencies(conn, issueID)
	return state, row, err
}

func loadDependencies(conn *sqlite.Conn, issueID string) ([]issue.Dependency, error) {
	var all []issue.Dependency
	err := query(conn, `SELECT target, type, created_at, created_by, metadata FROM dependency
WHERE issue = ? ORDER BY target, type`, func(s *sqlite.Stmt) error {
		all = append(all, scanDependency(s, 0))
		return nil
	}, issueID)
	return all, err
}

// scanDependency reads target, type, created_at, created_by, metadata from
// column first on.
func scanDependency(s *sqlite.Stmt, first int) issue.Dependency {
	return issue.Dependency{
		To:        s.ColumnText(first),
		Type:      s.ColumnText(first + 1),
		CreatedAt: columnTime(s, first+2),
		CreatedBy: s.ColumnText(first + 3),
		Metadata:  columnBlob(s, first+4),
	}
}

func loadComments(conn *sqlite.Conn, issueID string) ([]issue.Comment, error) {
	var all []issue.Comment
	err := query(conn, `SELECT id, author, text, created_at, updated_at FROM comment
WHERE issue = ? ORDER BY created_at, id`, func(s *sqlite.Stmt) error {
		all = append(all, scanComment(s, 0))
		return nil
	}, issueID)
	return all, err
}

// scanComment reads id, author, text, created_at, updated_at from column first on.
func scanComment(s *sqlite.Stmt, first int) issue.Comment {
	return issue.Comment{
		ID:        s.ColumnText(first),
		Author:    s.ColumnText(first + 1),
		Text:      s.ColumnText(first + 2),
		CreatedAt: columnTime(s, first+3),
		UpdatedAt: columnTime(s, first+4),
	}
}

// store writes what differs between two states of an issue. Comments that
// neither state holds stay as they are.
func (tx *Tx) store(before, after *op.State, row stored, r *readiness) error {
	var err error
	if row.found {
		err = updateIssue(tx.conn, before, after)
	} else {
		err = insertIssue(tx.conn, insertIssueText(), after)
	}
	if err != nil {
		return err
	}
	if err := storeParts(tx.conn, &before.Issue, &after.Issue); err != nil {
		return err
	}
	r.changed(before, after, row.blocked)
	return nil
}

// erase removes every derived row of an issue that no counting operation
// names any more.
func (tx *Tx) erase(before *op.State, row stored, r *readiness) error {
	if !row.found {
		return nil
	}
	if err := storeParts(tx.conn, &before.Issue, &issue.Issue{ID: before.Issue.ID}); err != nil {
		return err
	}
	after := op.State{}
	after.Issue.ID = before.Issue.ID
	r.changed(before, &after, row.blocked)
	return tx.eraseRow(before.Issue.ID)
}

// eraseRow removes the row of an issue, and the last issue takes its number: numbers
// have no gaps.
func (tx *Tx) eraseRow(issueID string) error {
	hole, err := number(tx.conn, "SELECT number FROM issue WHERE id = ?", issueID)
	if err != nil {
		return err
	}
	if err := execute(tx.conn, "DELETE FROM issue WHERE number = ?", hole); err != nil {
		return err
	}
	err = execute(tx.conn, "UPDATE issue SET number = ?1 WHERE number = (SELECT max(number) FROM issue) AND number > ?1", hole)
	if err != nil {
		return err
	}
	return disownTexts(tx.conn)
}

// insertIssue inserts a row; text is insertIssueText().
func insertIssue(conn *sqlite.Conn, text string, state *op.State) error {
	values := stateValues(state)
	args := make([]any, 0, len(values)+1)
	args = append(args, state.Issue.ID)
	args = append(args, values[:]...)
	return execute(conn, text, args...)
}

func insertIssueText() string {
	var b strings.Builder
	b.WriteString("INSERT INTO issue (blocked, id")
	for _, column := range stateColumns {
		b.WriteString(", ")
		b.WriteString(column)
	}
	b.WriteString(") VALUES (0, ?")
	b.WriteString(strings.Repeat(", ?", len(stateColumns)))
	b.WriteByte(')')
	return b.String()
}

// updateIssue sets the columns that differ and no others, since SQLite writes
// every index that has a column in the SET list.
func updateIssue(conn *sqlite.Conn, before, after *op.State) error {
	old, values := stateValues(before), stateValues(after)
	var (
		b    strings.Builder
		args []any
	)
	b.WriteString("UPDATE issue SET ")
	for n, column := range stateColumns {
		if old[n] == values[n] {
			continue
		}
		if len(args) > 0 {
			b.WriteString(", ")
		}
		b.WriteString(column)
		b.WriteString(" = ?")
		args = append(args, values[n])
	}
	if len(args) == 0 {
		return nil
	}
	b.WriteString(" WHERE id = ?")
	return execute(conn, b.String(), append(args, after.Issue.ID)...)
}

// storeParts writes the differences of labels, dependencies and comments.
func storeParts(conn *sqlite.Conn, before, after *issue.Issue) error {
	id := after.ID
	err := storeDifference(before.Labels, after.Labels,
		cmp.Compare[string], func(a, b string) bool { return a == b },
		func(label string) error {
			return execute(conn, "DELETE FROM label WHERE issue = ? AND label = ?", id, label)
		},
		func(label string) error {
			return execute(conn, "INSERT INTO label (issue, label) VALUES (?, ?)", id, label)
		})
	if err != nil {
		return err
	}
	err = storeDifference(before.Dependencies, after.Dependencies, compareDependencies, sameDependency,
		func(d issue.Dependency) error {
			return execute(conn, "DELETE FROM dependency WHERE issue = ? AND target = ? AND type = ?", id, d.To, d.Type)
		},
		func(d issue.Dependency) error {
			return execute(conn, "INSERT INTO dependency (issue, target, type, created_at, created_by, metadata) VALUES (?, ?, ?, ?, ?, ?)",
				id, d.To, d.Type, micros(d.CreatedAt), d.CreatedBy, rawOrNull(d.Metadata))
		})
	if err != nil {
		return err
	}
	return storeDifference(before.Comments, after.Comments, compareComments,
		sameComment,
		func(c issue.Comment) error {
			return execute(conn, "DELETE FROM comment WHERE issue = ? AND created_at = ? AND id = ?", id, micros(c.CreatedAt), c.ID)
		},
		func(c issue.Comment) error {
			return execute(conn, "INSERT INTO comment (issue, created_at, id, author, text, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
				id, micros(c.CreatedAt), c.ID, c.Author, c.Text, micros(c.UpdatedAt))
		})
}

func compareDependencies(a, b issue.Dependency) int {
	return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Type, b.Type))
}

func sameDependency(a, b issue.Dependency) bool {
	return a.CreatedAt.Equal(b.CreatedAt) && a.CreatedBy == b.CreatedBy && string(a.Metadata) == string(b.Metadata)
}

func sameComment(a, b issue.Comment) bool {
	return a.Author == b.Author && a.Text == b.Text && a.UpdatedAt.Equal(b.UpdatedAt)
}

func compareComments(a, b issue.Comment) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// storeDifference walks two lists in the order of compare; an element whose
// key stays but whose content does not is removed and added.
func storeDifference[T any](before, after []T, compare func(a, b T) int, same func(a, b T) bool, remove, add func(T) error) error {
	if !slices.IsSortedFunc(before, compare) {
		before = slices.SortedFunc(slices.Values(before), compare)
	}
	if !slices.IsSortedFunc(after, compare) {
		after = slices.SortedFunc(slices.Values(after), compare)
	}
	for len(before) > 0 || len(after) > 0 {
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = compare(before[0], after[0])
		}
		var err error
		switch {
		case order < 0:
			err = remove(before[0])
			before = before[1:]
		case order > 0:
			err = add(after[0])
			after = after[1:]
		default:
			if !same(before[0], after[0]) {
				if err = remove(before[0]); err == nil {
					err = add(after[0])
				}
			}
			before, after = before[1:], after[1:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}
