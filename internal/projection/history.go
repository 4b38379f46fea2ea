package projection

import (
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// HistoryEntry is one operation of an issue with what became of it.
type HistoryEntry struct {
	Op     op.Operation
	Line   []byte
	Effect string // one of the Effect constants

	// The issue's status before and after, and its title after; empty where
	// there is no such issue.
	OldStatus, NewStatus, Title string
}

// What became of an operation.
const (
	EffectApplied    = ""              // took effect
	EffectVoid       = "void"          // its condition was not met
	EffectSuperseded = "superseded"    // another line of the same id counts
	EffectNewer      = "newer version" // of a version or with a condition that this bd does not know
	EffectHidden     = "hidden"        // took effect on an issue that did not exist yet or was deleted
	EffectUnreadable = "unreadable"    // the line can no longer be read; Op has only its id
)

// History is every operation of an issue (visible or not; "" = workspace-wide)
// in the order of the fold.
func (q *Query) History(issueID string) ([]HistoryEntry, error) {
	var (
		entries  []HistoryEntry
		state    op.State
		settings op.Settings
		decoder  op.Decoder
	)
	err := query(q.conn, "SELECT id, counts, line FROM operation WHERE issue = ? ORDER BY id, counts DESC, hash",
		func(s *sqlite.Stmt) error {
			id, line := columnID(s, 0), columnBlob(s, 2)
			entry := HistoryEntry{Op: op.Operation{ID: id, Issue: issueID}, Line: line, Effect: EffectUnreadable}
			if o, problem := readOperation(&decoder, id, issueID, line); problem == nil {
				entry.Op = *o
				switch {
				case !s.ColumnBool(1):
					entry.Effect = EffectSuperseded
				case issueID == "":
					effective, _ := settings.Take(o)
					entry.Effect = effectOf(o, effective)
				default:
					entry.OldStatus = state.Issue.Status
					effective, _ := state.Apply(o)
					entry.Effect = effectOf(o, effective)
					if effective && !state.Visible() && o.Do != op.DoDelete {
						entry.Effect = EffectHidden
					}
					entry.NewStatus, entry.Title = state.Issue.Status, state.Issue.Title
				}
			}
			entries = append(entries, entry)
			return nil
		}, issueID)
	if err != nil {
		return nil, fmt.Errorf("history of %q: %w", issueID, err)
	}
	return entries, nil
}

// Deletion is the latest deletion of an issue. ok is false if there is none.
func (q *Query) Deletion(issueID string) (d op.Deletion, ok bool, err error) {
	entries, err := q.History(issueID)
	if err != nil {
		return op.Deletion{}, false, err
	}
	for _, entry := range slices.Backward(entries) {
		// A record that both makes an issue and deletes it is hidden, but counts.
		if entry.Effect == EffectApplied || entry.Effect == EffectHidden {
			if d, ok = entry.Op.Deletion(); ok {
				return d, true, nil
			}
		}
	}
	return op.Deletion{}, false, nil
}

func effectOf(o *op.Operation, effective bool) string {
	switch {
	case effective:
		return EffectApplied
	case o.V > op.Version || o.If != nil && o.If.Unknown:
		return EffectNewer
	}
	return EffectVoid
}

// QuarantineEntry is a line that could not be read.
type QuarantineEntry struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Offset int64  `json:"offset"`
	Reason string `json:"reason"`
	Raw    []byte `json:"raw"`
}

// QuarantineCount is how many lines are in quarantine.
func (q *Query) QuarantineCount() (int, error) {
	n, err := number(q.conn, "SELECT count(*) FROM quarantine")
	return int(n), err
}

// Quarantined lists them in the order they were found.
func (q *Query) Quarantined() ([]QuarantineEntry, error) {
	var all []QuarantineEntry
	err := query(q.conn, "SELECT file, line, offset, reason, raw FROM quarantine ORDER BY number", func(s *sqlite.Stmt) error {
		all = append(all, QuarantineEntry{
			File: s.ColumnText(0), Line: s.ColumnInt64(1), Offset: s.ColumnInt64(2), Reason: s.ColumnText(3), Raw: columnBlob(s, 4),
		})
		return nil
	})
	return all, err
}

// Kinds of op.Problem that the fold of one issue cannot see.
const (
	// ProblemSameID: the line does not count, since another one has its id.
	ProblemSameID = "same_id"
	// ProblemUnreadable: a stored line can no longer be decoded.
	ProblemUnreadable = "unreadable"
)

// Problems is what the fold reported, and same-id lines that do not count,
// ordered by operation id.
func (q *Query) Problems() ([]op.Problem, error) {
	var all []op.Problem
	err := query(q.conn, `SELECT issue, op, kind, detail FROM problem
UNION ALL
SELECT issue, id, '`+ProblemSameID+`', 'another line with this id counts' FROM operation WHERE counts = 0
UNION ALL
SELECT issue, id, '`+ProblemSameID+`', 'another line with this id counts' FROM interaction WHERE counts = 0
ORDER BY 2, 1, 3, 4`, func(s *sqlite.Stmt) error {
		all = append(all, op.Problem{Issue: s.ColumnText(0), Op: columnID(s, 1), Kind: s.ColumnText(2), Detail: s.ColumnText(3)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read problems: %w", err)
	}
	return all, nil
}
