package projection

import (
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// Settle folds what Add marked (incrementally where the operations are the
// newest of their issue, else the whole issue again) and recomputes readiness.
// Idempotent; Update and Rebuild call it.
func (tx *Tx) Settle() error {
	if tx.rebuilding {
		// Rebuild folds everything when all operations are there.
		return nil
	}
	if err := tx.settleSame(); err != nil {
		return fmt.Errorf("lines of one id: %w", err)
	}
	if len(tx.marked) == 0 {
		return nil
	}
	issues := make([]string, 0, len(tx.marked))
	for issueID := range tx.marked {
		issues = append(issues, issueID)
	}
	slices.Sort(issues)
	r := newReadiness(tx.conn, tx.affectedLimit)
	for _, issueID := range issues {
		var err error
		if issueID == "" {
			err = tx.foldSettings()
		} else {
			err = tx.foldIssue(issueID, *tx.marked[issueID], r)
		}
		if err != nil {
			return fmt.Errorf("fold issue %q: %w", issueID, err)
		}
	}
	clear(tx.marked)
	tx.changed = true
	if err := r.settle(); err != nil {
		return fmt.Errorf("recompute readiness: %w", err)
	}
	return nil
}

// foldIssue brings the derived rows of one issue up to its operations.
func (tx *Tx) foldIssue(issueID string, m mark, r *readiness) error {
	before, row, err := loadState(tx.conn, issueID)
	if err != nil {
		return err
	}
	if m.refold || row.found && m.least.Compare(before.Last) <= 0 {
		return tx.refold(issueID, before, row, r)
	}
	operations, problems, err := tx.added(issueID, m, before.Last)
	if err != nil {
		return err
	}
	withComments := slices.ContainsFunc(operations, func(o *op.Operation) bool {
		return needsComments(o) || o.Comment != nil && before.Legacy != nil // it may be there as a copy
	})
	if withComments {
		if before.Issue.Comments, err = loadComments(tx.conn, issueID); err != nil {
			return err
		}
	}
	after := before.Clone()
	after.Issue.ID = issueID
	for _, o := range operations {
		_, reported := after.Apply(o)
		problems = append(problems, reported...)
	}
	if err := tx.store(&before, &after, row, r); err != nil {
		return err
	}
	return insertProblems(tx.conn, issueID, problems)
}

// added are the operations of an issue after its last folded one, in order: those
// that were added in this transaction.
func (tx *Tx) added(issueID string, m mark, last op.ID) ([]*op.Operation, []op.Problem, error) {
	if m.unread {
		return readOperations(tx.conn, issueID, last)
	}
	slices.SortFunc(m.read, func(a, b *op.Operation) int { return a.ID.Compare(b.ID) })
	return m.read, nil, nil
}

// refold folds one issue from its first operation.
func (tx *Tx) refold(issueID string, before op.State, row stored, r *readiness) error {
	operations, problems, err := readOperations(tx.conn, issueID, op.ID{})
	if err != nil {
		return err
	}
	if before.Issue.Comments, err = loadComments(tx.conn, issueID); err != nil {
		return err
	}
	after := op.State{}
	after.Issue.ID = issueID
	for _, o := range operations {
		_, reported := after.Apply(o)
		problems = append(problems, reported...)
	}
	if err := execute(tx.conn, "DELETE FROM problem WHERE issue = ?", issueID); err != nil {
		return err
	}
	if len(operations) == 0 && len(problems) == 0 {
		// Only lines that lose name this issue: there is nothing of it.
		return tx.erase(&before, row, r)
	}
	if err := tx.store(&before, &after, row, r); err != nil {
		return err
	}
	return insertProblems(tx.conn, issueID, problems)
}

// needsComments reports whether o must be applied to a state that has its
// comments. One that only adds a comment need not: comments keep to
// themselves, and there may be hundreds.
func needsComments(o *op.Operation) bool {
	return o.Legacy != nil || o.CommentEdit != nil || o.CommentDelete != nil
}

// readOperations reads the counting operations of an issue after an id, in
// order. A line that can no longer be read is reported, not fatal: a refresh
// never fails because of what a line holds.
func readOperations(conn *sqlite.Conn, issueID string, after op.ID) ([]*op.Operation, []op.Problem, error) {
	var (
		operations []*op.Operation
		problems   []op.Problem
		decoder    op.Decoder
	)
	err := query(conn, "SELECT id, line FROM operation WHERE issue = ? AND counts = 1 AND id > ? ORDER BY id",
		func(s *sqlite.Stmt) error {
			o, problem := readOperation(&decoder, columnID(s, 0), issueID, columnBlob(s, 1))
			if problem != nil {
				problems = append(problems, *problem)
				return nil
			}
			operations = append(operations, o)
			return nil
		}, issueID, after)
	return operations, problems, err
}

// errNotOperation: a stored line decodes as something else.
var errNotOperation = errors.New("not an operation")

// readOperation decodes a stored line, which the operation aliases.
func readOperation(d *op.Decoder, id op.ID, issueID string, line []byte) (*op.Operation, *op.Problem) {
	record, err := d.Read(line)
	if err == nil && (record.Op == nil || record.Op.ID != id) {
		err = errNotOperation
	}
	if err != nil {
		return nil, &op.Problem{Op: id, Issue: issueID, Kind: ProblemUnreadable, Detail: err.Error()}
	}
	return record.Op, nil
}

// foldSettings folds the workspace-wide operations; there are few.
func (tx *Tx) foldSettings() error {
	operations, problems, err := readOperations(tx.conn, "", op.ID{})
	if err != nil {
		return err
	}
	settings, reported := op.FoldSettings(operations)
	if err := execute(tx.conn, "DELETE FROM setting"); err != nil {
		return err
	}
	for key, value := range settings.Values {
		if err := execute(tx.conn, "INSERT INTO setting (key, value) VALUES (?, ?)", key, string(value)); err != nil {
			return err
		}
	}
	if err := execute(tx.conn, "DELETE FROM problem WHERE issue = ''"); err != nil {
		return err
	}
	return insertProblems(tx.conn, "", append(problems, reported...))
}

func insertProblems(conn *sqlite.Conn, issueID string, problems []op.Problem) error {
	for _, p := range problems {
		err := execute(conn, "INSERT INTO problem (issue, op, kind, detail) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			issueID, p.Op, p.Kind, p.Detail)
		if err != nil {
			return err
		}
	}
	return nil
}
