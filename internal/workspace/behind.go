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
		report, err := s.database(ctx)
		if err == nil && report.Rebuilt {
			err = s.refreshInteractions(ctx, &report, false)
		}
		if err != nil {
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

// catchUp brings the database that there is up to date. If it cannot be made anew, the
// lines are entered one by one: the disk may have room for that.
func (s *session) catchUp(ctx context.Context, verify bool) (report Report, err error) {
	outgrown, err := s.outgrown(ctx)
	if err == nil && outgrown {
		report, err = s.grow(ctx)
		outgrown = err == nil || errors.Is(err, projection.ErrCorrupt) || interrupted(ctx) != nil
	}
	if !outgrown {
		report = Report{}
		err = s.w.db.Update(ctx, func(tx *projection.Tx) error {
			return s.unite(ctx, tx, &s.copies, &report, verify)
		})
	}
	if errors.Is(err, projection.ErrCorrupt) {
		return s.replace(ctx, "corrupt", true)
	}
	return report, err
}

// grow makes an outgrown database anew. How far the copies were read tells what they
// lost from what is new, so that is kept.
func (s *session) grow(ctx context.Context) (Report, error) {
	read := map[projection.Copy]oplog.Cursor{}
	err := s.w.db.View(ctx, func(q *projection.Query) (err error) {
		for _, stream := range []op.Stream{op.Operations, op.Interactions} {
			log, guard := cursorsOf(stream)
			for _, c := range []projection.Copy{log, guard} {
				if read[c], err = q.Cursor(c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	s.degraded = nil
	report := Report{Rebuilt: true}
	err = s.refill(ctx, func(tx *projection.Tx) error {
		for c, cursor := range read {
			if err := tx.SetCursor(c, cursor); err != nil {
				return err
			}
		}
		return s.unite(ctx, tx, &s.copies, &report, true)
	})
	return report, err
}

// A database is outgrown by a log of which it lacks more than so much, and more
// than so much for each line that it holds: about as many lines again.
const (
	outgrownBytes = 1 << 20
	outgrownLine  = 512
)

// outgrown reports whether the database lacks so much of the log that to build it
// anew costs less than to enter line after line into every index. Of a log whose
// cursor is void nothing is known, and behind one that is fresh is at most a last
// line that nobody finished. Batches go on as they are where they can be divided:
// they leave time to others.
func (s *session) outgrown(ctx context.Context) (outgrown bool, err error) {
	info, err := s.log.Stat()
	if err != nil {
		return false, err
	}
	err = s.w.db.View(ctx, func(q *projection.Query) error {
		read, err := cursors(q, op.Operations)
		if err != nil || read.Log == (oplog.Cursor{}) {
			return err
		}
		if state, err := s.log.Check(read.Log); err != nil || state == oplog.Fresh {
			return err
		}
		if s.limit > 0 {
			if s.guard == nil {
				return nil
			}
			if state, err := s.guard.Check(read.Guard); err != nil || state == oplog.Fresh {
				return err
			}
		}
		held, err := q.Of(op.Operations).MaxSeq()
		lacking := info.Size - read.Log.Offset
		outgrown = lacking > outgrownBytes && lacking > held*outgrownLine
		return err
	})
	return outgrown, err
}

// cursors say how far the copies of a stream were read.
func cursors(q *projection.Query, stream op.Stream) (read oplog.PairCursors, err error) {
	log, guard := cursorsOf(stream)
	if read.Log, err = q.Cursor(log); err == nil {
		read.Guard, err = q.Cursor(guard)
	}
	return read, err
}
