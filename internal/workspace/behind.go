package workspace

import (
	"context"
	"errors"
	"fmt"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// Relay makes lines of another's durable as Commit and Record do, and leaves it to
// the next refresh to apply them: for who brings far more of them than are held,
// which are then built at once instead of one by one. It returns how many were
// written; those that the database holds are not. A line that two calls bring is
// written twice, which is harmless.
//
// When it returns nil, the lines are durable; else none was acknowledged.
func (w *Workspace) Relay(ctx context.Context, stream op.Stream, records []op.Record) (written int, err error) {
	err = w.locked(ctx, func(s *session) error {
		if _, err := s.database(ctx); err != nil {
			return err
		}
		return w.db.View(ctx, func(q *projection.Query) error {
			b, err := w.decide(q, stream, func(tx *Tx) ([]Draft, error) { return tx.Drafts(records) })
			if err != nil || len(b.records) == 0 {
				return err
			}
			if err := interrupted(ctx); err != nil {
				return err
			}
			a, err := s.append(ctx, q, &b)
			if err == nil {
				_, err = a.Finish()
			}
			if err != nil {
				return fmt.Errorf("nothing was acknowledged: %w", err)
			}
			written = len(b.records)
			return nil
		})
	})
	return written, err
}

// catchUp brings the database that there is up to date.
func (s *session) catchUp(ctx context.Context, verify bool) (report Report, err error) {
	outgrown, read, err := s.outgrown(ctx)
	switch {
	case err != nil:
	case outgrown:
		report.Rebuilt = true
		err = s.refill(ctx, func(tx *projection.Tx) error {
			// How far the copies were read tells what was lost from what is new.
			log, guard := cursorsOf(op.Operations)
			if err := tx.SetCursor(log, read.Log); err != nil {
				return err
			}
			if err := tx.SetCursor(guard, read.Guard); err != nil {
				return err
			}
			return s.unite(ctx, tx, &s.copies, &report, true)
		})
	default:
		err = s.w.db.Update(ctx, func(tx *projection.Tx) error {
			return s.unite(ctx, tx, &s.copies, &report, verify)
		})
	}
	if errors.Is(err, projection.ErrCorrupt) {
		return s.replace(ctx, "corrupt", true)
	}
	return report, err
}

// A database is outgrown by a log of which it lacks more than so much, and more
// than so much for each line that it holds: about as many lines again.
const (
	outgrownBytes = 1 << 20
	outgrownLine  = 512
)

// outgrown reports whether the database lacks so much of the log that to build it
// anew costs less than to enter line after line into every index, and how far the
// copies were read. Batches go on as they are: they leave time to others.
func (s *session) outgrown(ctx context.Context) (outgrown bool, read oplog.PairCursors, err error) {
	if s.limit > 0 {
		return false, read, nil
	}
	info, err := s.log.Stat()
	if err != nil {
		return false, read, err
	}
	err = s.w.db.View(ctx, func(q *projection.Query) error {
		read, err = cursors(q, op.Operations)
		if err != nil {
			return err
		}
		held, err := q.Of(op.Operations).MaxSeq()
		lacking := info.Size - read.Log.Offset
		outgrown = lacking > outgrownBytes && lacking > held*outgrownLine
		return err
	})
	return outgrown, read, err
}

// cursors say how far the copies of a stream were read.
func cursors(q *projection.Query, stream op.Stream) (read oplog.PairCursors, err error) {
	log, guard := cursorsOf(stream)
	if read.Log, err = q.Cursor(log); err == nil {
		read.Guard, err = q.Cursor(guard)
	}
	return read, err
}
