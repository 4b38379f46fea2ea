package projection

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// Activity chooses operations for Recent.
type Activity struct {
	Issue string // of this issue; "": of all, and of the workspace itself
	Since op.ID  // with this id or a greater one; zero: from the beginning
	Limit int    // the newest so many; 0: all
	Actor string // by them; "": by anyone
	// Keep has the last word about an operation; nil: all are kept. One that
	// cannot be read is never kept when Keep is there.
	Keep func(*op.Operation) bool
}

// Chosen reports whether a chooses e, whatever the limit.
func (a *Activity) Chosen(e *HistoryEntry) bool {
	if a.Issue != "" && e.Op.Issue != a.Issue || e.Op.ID.Compare(a.Since) < 0 || a.Actor != "" && e.Op.By != a.Actor {
		return false
	}
	return a.Keep == nil || e.Effect != EffectUnreadable && a.Keep(&e.Op)
}

// errEnough ends a query that has what it wants.
var errEnough = errors.New("enough")

const (
	recentSQL        = "SELECT issue, id, line FROM operation WHERE id >= ? ORDER BY id DESC, hash DESC"
	recentOfIssueSQL = "SELECT issue, id, line FROM operation WHERE issue = ? AND id >= ? ORDER BY id DESC, counts"
	eachHashSQL      = "SELECT seq, hash FROM operation"
)

// Recent are the newest operations that a chooses, the newest last, in the order
// of the fold, each with what became of it. Without Keep the cost depends on
// their number alone.
func (q *Query) Recent(a Activity) ([]HistoryEntry, error) {
	text, args := recentSQL, []any{a.Since}
	if a.Issue != "" {
		text, args = recentOfIssueSQL, []any{a.Issue, a.Since}
	}
	// A line without an escape that does not have the name is not even decoded.
	name := []byte(a.Actor)
	passes := func(line []byte) bool {
		return bytes.Contains(line, name) || bytes.IndexByte(line, '\\') >= 0
	}
	var (
		entries []HistoryEntry
		decoder op.Decoder
		buf     []byte
	)
	err := stream(q.conn, text, func(s *sqlite.Stmt) error {
		if buf = columnRaw(s, 2, buf); !passes(buf) {
			return nil
		}
		entry := readEntry(&decoder, s)
		if !a.Chosen(&entry) {
			return nil
		}
		if entries = append(entries, entry); a.Limit > 0 && len(entries) == a.Limit {
			return errEnough
		}
		return nil
	}, args...)
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("newest operations: %w", err)
	}
	slices.Reverse(entries)
	return entries, q.explain(entries)
}

// Arrived are the first limit operations whose row numbers are greater than
// after, in the order they came, with what became of each; last is the row
// number of the last of them, or after.
func (q *Query) Arrived(after int64, limit int) (entries []HistoryEntry, last int64, err error) {
	var decoder op.Decoder
	last = after
	err = stream(q.conn, "SELECT issue, id, line, seq FROM operation WHERE seq > ? ORDER BY seq LIMIT ?", func(s *sqlite.Stmt) error {
		entries = append(entries, readEntry(&decoder, s))
		last = s.ColumnInt64(3)
		return nil
	}, after, limit)
	if err != nil {
		return nil, after, fmt.Errorf("operations after row %d: %w", after, err)
	}
	return entries, last, q.explain(entries)
}

// HashAt is the hash of the line with this row number; zero if there is none.
func (q *Query) HashAt(seq int64) (hash [32]byte, err error) {
	err = query(q.conn, "SELECT hash FROM operation WHERE seq = ?", func(s *sqlite.Stmt) error {
		s.ColumnBytes(0, hash[:])
		return nil
	}, seq)
	return hash, err
}

// EachHash calls fn with the row number and the hash of every line, in no order.
func (q *Query) EachHash(fn func(seq int64, hash [32]byte)) error {
	err := query(q.conn, eachHashSQL, func(s *sqlite.Stmt) error {
		var hash [32]byte
		s.ColumnBytes(1, hash[:])
		fn(s.ColumnInt64(0), hash)
		return nil
	})
	if err != nil {
		return fmt.Errorf("hashes of all operations: %w", err)
	}
	return nil
}

// readEntry decodes a row of issue, id and line.
func readEntry(decoder *op.Decoder, s *sqlite.Stmt) HistoryEntry {
	issueID, id, line := s.ColumnText(0), columnID(s, 1), columnBlob(s, 2)
	entry := HistoryEntry{Op: op.Operation{ID: id, Issue: issueID}, Line: line, Effect: EffectUnreadable}
	if o, problem := readOperation(decoder, id, issueID, line); problem == nil {
		entry.Op, entry.Effect = *o, EffectApplied
	}
	return entry
}

// explain fills in what became of entries, which may be of several issues. Each
// issue is folded once.
func (q *Query) explain(entries []HistoryEntry) error {
	type key struct {
		id   op.ID
		hash [32]byte
	}
	byIssue := map[string]map[key]*HistoryEntry{}
	for n := range entries {
		e := &entries[n]
		if byIssue[e.Op.Issue] == nil {
			byIssue[e.Op.Issue] = map[key]*HistoryEntry{}
		}
		byIssue[e.Op.Issue][key{e.Op.ID, op.Hash(e.Line)}] = e
	}
	for issueID, wanted := range byIssue {
		history, err := q.History(issueID)
		if err != nil {
			return err
		}
		for _, found := range history {
			if e := wanted[key{found.Op.ID, op.Hash(found.Line)}]; e != nil {
				*e = found
			}
		}
	}
	return nil
}
