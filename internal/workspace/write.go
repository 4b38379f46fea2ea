package workspace

import (
	"context"
	"errors"
	"fmt"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// errReplaced: the log was replaced while it was appended to, by a file that is
// not ours to write.
var errReplaced = errors.New("git has begun to track .beads")

// write decides, makes durable what came of it and applies it, in one transaction
// of the database. What goes wrong once the lines are durable is no error: the
// database catches up on the next call. With check it fails with errStale, and has
// asked nobody, if a copy has changed since the database saw it.
func (s *session) write(ctx context.Context, stream op.Stream, decide func(*Tx) ([]Draft, error), check bool) (b batch, err error) {
	var a *appending
	err = s.w.db.Update(ctx, func(tx *projection.Tx) (err error) {
		if check {
			if fresh, err := s.w.fresh(&tx.Query, s.all); err != nil || !fresh {
				return errStale
			}
		}
		b, err = s.w.decide(&tx.Query, stream, decide)
		if err != nil || len(b.records) == 0 {
			return err
		}
		if err := interrupted(ctx); err != nil {
			return err
		}
		tx.Persist()
		if a, err = s.append(ctx, &tx.Query, &b); err != nil {
			return fmt.Errorf("nothing was acknowledged: %w", err)
		}
		return a.apply(tx)
	})
	if a == nil {
		return b, err
	}
	if _, appendErr := a.Finish(); appendErr != nil {
		return b, fmt.Errorf("nothing was acknowledged: %w", appendErr)
	}
	if err != nil {
		s.w.opts.Notice(fmt.Sprintf("saved, but the database is behind until the next command: %v", err))
	}
	return b, nil
}

// appending is a batch on its way to the disk.
type appending struct {
	*oplog.Appending
	*batch
	to   *copies
	from oplog.PairCursors
}

// append writes the lines of a batch to the copies.
func (s *session) append(ctx context.Context, q *projection.Query, b *batch) (*appending, error) {
	to, err := s.of(ctx, b.stream)
	if err != nil {
		return nil, err
	}
	a := &appending{batch: b, to: to}
	if a.from, err = cursors(q, b.stream); err != nil {
		return nil, err
	}
	lines := make([][]byte, len(b.records))
	for n, r := range b.records {
		lines[n] = r.Line
	}
	pair := &oplog.Pair{Log: to.log, Guard: to.guard, Allow: s.allow}
	if a.Appending, err = pair.Start(lines, a.from); err != nil {
		return nil, err
	}
	return a, nil
}

// apply brings the batch into the transaction while the disk works, and returns
// when the lines are durable: before, the transaction must not be committed.
func (a *appending) apply(tx *projection.Tx) error {
	add := tx.AddRecord
	if a.stream == op.Operations && !a.made {
		add = tx.AddRead
	}
	for _, r := range a.records {
		if _, _, err := add(r); err != nil {
			return err
		}
	}
	if err := tx.Settle(); err != nil {
		return err
	}
	end, err := a.Finish()
	if err != nil {
		return err
	}
	end.Log, end.Guard = advanced(a.from.Log, end.Log), advanced(a.from.Guard, end.Guard)
	if end.Replaced {
		end.Log, end.Guard = oplog.Cursor{}, oplog.Cursor{}
	}
	log, guard := cursorsOf(a.stream)
	if err := tx.SetCursor(log, end.Log); err != nil {
		return err
	}
	if a.to.guard == nil {
		return unguarded(tx, guard)
	}
	return tx.SetCursor(guard, end.Guard)
}

// unguarded voids the cursor of the guard copy. A process that sees none, as in a
// container that was not given the git directory, leaves lines behind that the
// guard copy lacks: who sees it again reads it whole.
func unguarded(tx *projection.Tx, guard projection.Copy) error {
	cursor, err := tx.Cursor(guard)
	if err != nil || cursor == (oplog.Cursor{}) {
		return err
	}
	return tx.SetCursor(guard, oplog.Cursor{})
}

// advanced is the cursor to store after an append. One that did not advance, since
// the file ended in a torn line or somebody else wrote too, does not know of the
// lines that were appended: the file could lose them again unseen. So it is
// voided, and the copy is read whole the next time.
func advanced(from, to oplog.Cursor) oplog.Cursor {
	if to == from {
		return oplog.Cursor{}
	}
	return to
}

// allow decides whether a file that took the log's place may be appended to:
// not when Git has begun to track it.
func (s *session) allow(string) error {
	moved, err := s.w.moved()
	if err == nil && moved {
		err = errReplaced
	}
	return err
}
