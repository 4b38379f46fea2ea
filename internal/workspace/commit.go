package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// clockTolerance is how far an id may be ahead of our clock and still pull it
// along; beyond it, a wrong clock elsewhere would poison everyone.
const clockTolerance = 24 * time.Hour

// errReplaced: the log was replaced while it was appended to, by a file that is
// not ours to write.
var errReplaced = errors.New("git has begun to track .beads")

// Tx is what a decision sees: the current state, under the write lock.
type Tx struct {
	*projection.Query
	Now time.Time
}

// Draft is an operation or an interaction to be made. One without an id gets it
// from Commit or Record, and with it who made it and when. One with an id keeps
// everything it has; Line, if set, is its line, relayed verbatim.
type Draft struct {
	Op          *op.Operation
	Interaction *op.Interaction // for Record
	Line        []byte
	Sum         bool // Line carries a valid sum
}

// Commit is the one write path, and Record the same for interactions. It brings
// the database up to date, calls decide with the current state, appends the
// operations to the log and the guard copy, fsyncs both, and applies them to the
// database, all under the write lock. When it returns nil, the operations are
// durable; when it returns an error, they are not acknowledged, and unless the
// error came from the append nothing was written.
//
// It returns the operations that were written: fewer than decide asked for when
// some were held already. An operation whose condition does not hold fails the
// whole commit with ErrVoid.
func (w *Workspace) Commit(ctx context.Context, decide func(*Tx) ([]Draft, error)) ([]*op.Operation, error) {
	var made []*op.Operation
	err := w.decide(ctx, op.Operations, decide, func(s *session, b *batch) error {
		for _, r := range b.records {
			made = append(made, r.Op)
		}
		return s.write(ctx, b)
	})
	return made, err
}

// Record is Commit for interactions: they go to a log of their own, with the
// same guarantees. It returns those that were not held already.
func (w *Workspace) Record(ctx context.Context, decide func(*Tx) ([]Draft, error)) ([]*op.Interaction, error) {
	var made []*op.Interaction
	err := w.decide(ctx, op.Interactions, decide, func(s *session, b *batch) error {
		for _, r := range b.records {
			made = append(made, r.Interaction)
		}
		return s.write(ctx, b)
	})
	return made, err
}

// Prepare makes the operations that Commit would make now, and writes nothing:
// they are handed over to become durable elsewhere, and come back as foreign
// input. Each draft has its operation and its line.
func (w *Workspace) Prepare(ctx context.Context, decide func(*Tx) ([]Draft, error)) ([]Draft, error) {
	var drafts []Draft
	err := w.decide(ctx, op.Operations, decide, func(_ *session, b *batch) error {
		for _, r := range b.records {
			drafts = append(drafts, Draft{Op: r.Op, Line: r.Line, Sum: r.Sum})
		}
		return nil
	})
	return drafts, err
}

// decide calls decide with the current state and use with the lines that it
// came to, if any, all under the write lock.
func (w *Workspace) decide(ctx context.Context, stream op.Stream, decide func(*Tx) ([]Draft, error), use func(*session, *batch) error) (err error) {
	if w.opts.ReadOnly {
		return ErrReadOnly
	}
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return err
	}
	defer func() {
		// What is durable stays acknowledged, whatever closing says.
		if endErr := s.end(); err == nil && endErr != nil {
			w.opts.Notice(fmt.Sprintf("after the write: %v", endErr))
		}
	}()
	s.all = stream == op.Interactions
	if _, err := s.refresh(ctx, false); err != nil {
		return err
	}
	if s.degraded != nil {
		return s.degraded
	}
	var batch *batch
	err = w.db.View(ctx, func(q *projection.Query) error {
		tx := &Tx{Query: q, Now: w.opts.Now()}
		drafts, err := decide(tx)
		if err != nil || len(drafts) == 0 {
			return err
		}
		if stream == op.Interactions {
			batch, err = w.stampInteractions(tx, drafts)
		} else {
			batch, err = w.stamp(tx, drafts)
		}
		return err
	})
	if err != nil || batch == nil || len(batch.records) == 0 {
		return err
	}
	if err := interrupted(ctx); err != nil {
		return err
	}
	return use(s, batch)
}

// batch is what one commit writes.
type batch struct {
	stream  op.Stream
	records []op.Record
}

// stamp makes lines of drafts: ids from the clock, so that each is greater than
// everything its issue has seen, and conditions checked as the fold will.
func (w *Workspace) stamp(tx *Tx, drafts []Draft) (*batch, error) {
	b := &batch{}
	clock := op.Clock{Now: func() time.Time { return tx.Now }, Rand: w.opts.Rand}
	newest, err := tx.MaxID(tx.Now.Add(clockTolerance))
	if err != nil {
		return nil, err
	}
	latest := map[string]op.ID{} // of the issues changed in this commit
	for _, d := range drafts {
		o := d.Op
		if o.ID.IsZero() {
			last, known := latest[o.Issue]
			if !known {
				if last, err = tx.IssueMaxID(o.Issue); err != nil {
					return nil, err
				}
			}
			if o.ID, err = clock.Next(newest, last); err != nil {
				return nil, fmt.Errorf("%s: %w", o.Issue, err)
			}
			latest[o.Issue] = o.ID
			if o.ID.Time().Before(tx.Now.Add(clockTolerance)) {
				newest = o.ID
			}
			o.V, o.At, o.By, o.Session = op.Version, tx.Now.UTC().Truncate(time.Millisecond), w.opts.Actor(), w.opts.Session
			if err := holds(tx, o); err != nil {
				return nil, err
			}
		}
		if err := b.add(tx, d); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// stampInteractions is stamp for interactions: an id is greater than every other
// one, that of the record it judges included.
func (w *Workspace) stampInteractions(tx *Tx, drafts []Draft) (*batch, error) {
	b := &batch{stream: op.Interactions}
	clock := op.Clock{Now: func() time.Time { return tx.Now }, Rand: w.opts.Rand}
	newest, err := tx.Of(op.Interactions).MaxID(tx.Now.Add(clockTolerance))
	if err != nil {
		return nil, err
	}
	for _, d := range drafts {
		if i := d.Interaction; i.ID.IsZero() {
			if i.ID, err = clock.Next(newest, i.Parent); err != nil {
				return nil, err
			}
			if i.ID.Time().Before(tx.Now.Add(clockTolerance)) {
				newest = i.ID
			}
			if i.CreatedAt.IsZero() {
				i.CreatedAt = tx.Now.UTC().Truncate(time.Millisecond)
			}
			if i.Actor == "" {
				i.Actor = w.opts.Actor()
			}
		}
		if err := b.add(tx, d); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// holds checks an operation's condition against the state under the lock.
func holds(tx *Tx, o *op.Operation) error {
	if o.If == nil {
		return nil
	}
	met := false
	if o.Issue == "" {
		settings, err := tx.Settings()
		if err != nil {
			return err
		}
		met, _ = settings.Apply(o)
	} else {
		state, err := tx.State(o.Issue)
		if err != nil {
			return err
		}
		met = state.Holds(o)
	}
	if !met {
		return fmt.Errorf("%s %s: %w", o.Do, o.Issue, ErrVoid)
	}
	return nil
}

// add encodes a draft, unless its line is held already.
func (b *batch) add(tx *Tx, d Draft) (err error) {
	r := op.Record{Op: d.Op, Interaction: d.Interaction, Line: d.Line, Sum: d.Sum}
	if r.Line == nil {
		r.Sum = true
		if b.stream == op.Interactions {
			r.Line, err = op.EncodeInteraction(d.Interaction)
		} else if r.Line, err = op.Encode(d.Op); err != nil {
			err = fmt.Errorf("%s %s: %w", d.Op.Do, d.Op.Issue, err)
		}
		if err != nil {
			return err
		}
	}
	_, held, err := tx.Of(b.stream).Seq(r.ID(), op.Hash(r.Line))
	if err != nil || held {
		return err
	}
	b.records = append(b.records, r)
	return nil
}

// write makes the batch durable and then applies it. Only the first can fail:
// the database catches up on the next call.
func (s *session) write(ctx context.Context, b *batch) error {
	w := s.w
	to, err := s.of(ctx, b.stream)
	if err != nil {
		return fmt.Errorf("nothing was acknowledged: %w", err)
	}
	logCursor, guardCursor := cursorsOf(b.stream)
	var from oplog.PairCursors
	err = w.db.View(context.Background(), func(q *projection.Query) (err error) {
		if from.Log, err = q.Cursor(logCursor); err != nil {
			return err
		}
		from.Guard, err = q.Cursor(guardCursor)
		return err
	})
	if err != nil {
		return err
	}
	lines := make([][]byte, len(b.records))
	for n, r := range b.records {
		lines[n] = r.Line
	}
	pair := oplog.Pair{Log: to.log, Guard: to.guard, Allow: s.allow}
	end, err := pair.Append(lines, from)
	if err != nil {
		return fmt.Errorf("nothing was acknowledged: %w", err)
	}
	err = w.db.Update(context.Background(), func(tx *projection.Tx) error {
		for _, r := range b.records {
			if _, _, err := tx.AddRecord(r); err != nil {
				return err
			}
		}
		end.Log, end.Guard = advanced(from.Log, end.Log), advanced(from.Guard, end.Guard)
		if end.Replaced {
			end.Log, end.Guard = oplog.Cursor{}, oplog.Cursor{}
		}
		if err := tx.SetCursor(logCursor, end.Log); err != nil {
			return err
		}
		if to.guard == nil {
			return unguarded(tx, guardCursor)
		}
		return tx.SetCursor(guardCursor, end.Guard)
	})
	if err != nil {
		w.opts.Notice(fmt.Sprintf("saved, but the database is behind until the next command: %v", err))
	}
	return nil
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

// commitPrefix records the prefix unless one is known.
func (w *Workspace) commitPrefix(ctx context.Context, prefix string) error {
	_, err := w.Commit(ctx, func(tx *Tx) ([]Draft, error) {
		settings, err := tx.Settings()
		if err != nil || settings.Values["issue_prefix"] != nil {
			return nil, err
		}
		return []Draft{{Op: &op.Operation{
			Do: op.DoInit, If: &op.Condition{Unset: true}, Set: map[string]json.RawMessage{"issue_prefix": op.Str(prefix)},
		}}}, nil
	})
	return err
}

// Drafts makes drafts of records that were read from a file: snapshot records
// become import operations, lines of either stream are relayed as they are, and
// snapshot records that are held already are dropped.
func (tx *Tx) Drafts(records []op.Record) ([]Draft, error) {
	var drafts []Draft
	prior := map[string][]op.ID{}
	for _, r := range records {
		if r.Legacy == nil {
			drafts = append(drafts, Draft{Op: r.Op, Interaction: r.Interaction, Line: r.Line, Sum: r.Sum})
			continue
		}
		ids, known := prior[r.Legacy.Issue]
		if !known {
			var err error
			if ids, err = tx.LegacyIDs(r.Legacy.Issue); err != nil {
				return nil, err
			}
		}
		o, news := op.ImportOperation(r.Legacy, ids)
		if news {
			ids = append(ids, o.ID)
			drafts = append(drafts, Draft{Op: o})
		}
		prior[r.Legacy.Issue] = ids
	}
	return drafts, nil
}
