package projection

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
	"beads/internal/oplog"
)

// Copy names one of the files that a cursor belongs to.
type Copy string

// The copies of the log.
const (
	LogCopy   Copy = "log"
	GuardCopy Copy = "guard"
	// SourceCopy is a snapshot that Git tracks: read from, never written.
	SourceCopy Copy = "source"

	// The copies of the interactions log.
	InteractionsCopy      Copy = "interactions"
	InteractionsGuardCopy Copy = "interactions guard"
)

// Tx is a write transaction; it can also be queried. Queries see folded
// issues only as of the last Settle.
type Tx struct {
	Query

	// marked are the issues that Settle has to fold.
	marked map[string]*mark

	// same are the ids that more than one line has, of either stream, since lines of
	// them were added: Settle decides once which of them counts.
	same map[op.Stream]map[op.ID]bool

	changed bool   // issues were folded again
	persist func() // see Persist

	// rebuilding: every issue is folded at the end, and the indexes of the
	// operation table do not exist before they are needed.
	rebuilding    bool
	issueIndex    bool  // operation_issue_index exists (only asked when rebuilding)
	cache         int64 // of the rebuild, in bytes
	affectedLimit int   // see readiness; lower in tests
}

// Persist makes the transaction go on when its context ends.
func (tx *Tx) Persist() { tx.persist() }

// mark says what Settle has to do about an issue.
type mark struct {
	least  op.ID // smallest id added
	refold bool  // fold from the start whatever its last operation is

	read   []*op.Operation // added, and kept by who added them
	unread bool            // some were not: the lines tell
}

// SetCursor stores how far a copy was read, in the same transaction as what
// was read.
func (tx *Tx) SetCursor(c Copy, cur oplog.Cursor) error {
	err := execute(tx.conn, `INSERT INTO cursor (copy, device, inode, size, mtime, ctime, offset, lines, tail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (copy) DO UPDATE SET device = excluded.device, inode = excluded.inode, size = excluded.size,
  mtime = excluded.mtime, ctime = excluded.ctime, offset = excluded.offset, lines = excluded.lines, tail = excluded.tail`,
		string(c), int64(cur.Info.Dev), int64(cur.Info.Inode), cur.Info.Size, cur.Info.ModTime, cur.Info.ChangeTime,
		cur.Offset, cur.Lines, cur.Tail[:])
	if err != nil {
		return fmt.Errorf("store cursor %s: %w", c, err)
	}
	return nil
}

// SetMeta stores a value of the caller's beside the identity; see Query.Meta.
func (tx *Tx) SetMeta(key, value string) error {
	if err := execute(tx.conn, upsertMeta, key, value); err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	return nil
}

// Add stores a line in the operation table and marks its issue for folding. o
// is its decoding and may alias line; neither is kept. added is false for a
// line already held; seq is its row number (dense enough for a bitmap) in both
// cases.
func (tx *Tx) Add(o *op.Operation, line []byte, hasSum bool) (seq int64, added bool, err error) {
	return tx.add(op.Record{Op: o, Line: line, Sum: hasSum}, false)
}

// AddRead is Add for a line that r.Op is the decoding of, neither of which changes
// before the next Settle: it need not read and decode the line again.
func (tx *Tx) AddRead(r op.Record) (seq int64, added bool, err error) { return tx.add(r, true) }

func (tx *Tx) add(r op.Record, kept bool) (seq int64, added bool, err error) {
	o, line := r.Op, r.Line
	hash := op.Hash(line)
	err = execute(tx.conn, `INSERT INTO operation (id, hash, issue, counts, summed, legacy, line) VALUES (?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (id, hash) DO NOTHING`, o.ID, hash[:], o.Issue, r.Sum, o.Legacy != nil, line)
	if err != nil {
		return 0, false, fmt.Errorf("store operation %s: %w", o.ID, err)
	}
	if tx.conn.Changes() == 0 {
		seq, _, err = tx.Seq(o.ID, hash)
		return seq, false, err
	}
	seq = tx.conn.LastInsertRowID()
	if tx.rebuilding {
		return seq, true, nil
	}
	m := tx.mark(o.Issue)
	if m.least.IsZero() || o.ID.Compare(m.least) < 0 {
		m.least = o.ID
	}
	if kept {
		m.read = append(m.read, o)
	} else {
		m.unread = true
	}
	if err := tx.noteSame(op.Operations, o.ID); err != nil {
		return 0, false, fmt.Errorf("store operation %s: %w", o.ID, err)
	}
	return seq, true, nil
}

func (tx *Tx) mark(issueID string) *mark {
	m := tx.marked[issueID]
	if m == nil {
		m = new(mark)
		tx.marked[issueID] = m
	}
	return m
}

// settleSameID decides which of the lines of one id counts, and has every
// issue that one of them names folded again.
func (tx *Tx) settleSameID(id op.ID) error {
	var (
		winner int64
		best   []byte
		issues []string
	)
	err := query(tx.conn, "SELECT seq, issue, line FROM operation WHERE id = ?", func(s *sqlite.Stmt) error {
		issues = append(issues, s.ColumnText(1))
		line := columnBlob(s, 2)
		if best == nil || op.Wins(line, best) {
			winner, best = s.ColumnInt64(0), line
		}
		return nil
	}, id)
	if err != nil {
		return err
	}
	if err := execute(tx.conn, "UPDATE operation SET counts = (seq = ?1) WHERE id = ?2 AND counts <> (seq = ?1)", winner, id); err != nil {
		return err
	}
	if tx.rebuilding {
		return nil
	}
	for _, issueID := range issues {
		tx.mark(issueID).refold = true
	}
	return nil
}

// Quarantine records a bad line once (key: file and hash of raw).
func (tx *Tx) Quarantine(file string, e oplog.Entry) (added bool, err error) {
	hash := op.Hash(e.Raw)
	reason := ""
	if e.Bad != nil {
		reason = e.Bad.Reason
	}
	err = execute(tx.conn, `INSERT INTO quarantine (file, hash, line, offset, reason, raw) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (file, hash) DO NOTHING`, file, hash[:], e.Line, e.Offset, reason, nonNil(e.Raw))
	if err != nil {
		return false, fmt.Errorf("quarantine line %d of %s: %w", e.Line, file, err)
	}
	return tx.conn.Changes() > 0, nil
}

// nonNil keeps an empty blob from being bound as null.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// LegacyIDs is Query.LegacyIDs, also for the operations that were added in this
// transaction.
func (tx *Tx) LegacyIDs(issueID string) ([]op.ID, error) {
	if err := tx.needIssueIndex(); err != nil {
		return nil, err
	}
	return tx.Query.LegacyIDs(issueID)
}

// needIssueIndex makes the index over (issue, id) during a rebuild as soon as
// somebody asks by issue. Before that the load is faster without it.
func (tx *Tx) needIssueIndex() error {
	if !tx.rebuilding || tx.issueIndex {
		return nil
	}
	tx.issueIndex = true
	return tx.createIndexes(func(d definition) bool { return d.name == operationIssueIndex })
}
