package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"beads/internal/op"
	"beads/internal/projection"
)

// Tx is what a decision sees: the current state, under the write lock.
type Tx struct {
	*projection.Query
	Now time.Time
}

// Draft is an operation or an interaction to be made. One without an id gets it
// from Commit or Record, and with it who made it and when. One with an id keeps
// everything it has; Line, if set, is its line, relayed verbatim, and Op what was
// decoded from it.
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
	b, err := w.commit(ctx, op.Operations, decide)
	var made []*op.Operation
	for _, r := range b.records {
		made = append(made, r.Op)
	}
	return made, err
}

// Record is Commit for interactions: they go to a log of their own, with the
// same guarantees. It returns those that were not held already.
func (w *Workspace) Record(ctx context.Context, decide func(*Tx) ([]Draft, error)) ([]*op.Interaction, error) {
	b, err := w.commit(ctx, op.Interactions, decide)
	var made []*op.Interaction
	for _, r := range b.records {
		made = append(made, r.Interaction)
	}
	return made, err
}

// Prepare makes the operations that Commit would make now, and writes nothing:
// they are handed over to become durable elsewhere, and come back as foreign
// input. Each draft has its operation and its line.
func (w *Workspace) Prepare(ctx context.Context, decide func(*Tx) ([]Draft, error)) ([]Draft, error) {
	var drafts []Draft
	err := w.locked(ctx, func(s *session) error {
		if err := s.freshen(ctx); err != nil {
			return err
		}
		return w.db.View(ctx, func(q *projection.Query) error {
			b, err := w.decide(q, op.Operations, decide)
			for _, r := range b.records {
				drafts = append(drafts, Draft{Op: r.Op, Line: r.Line, Sum: r.Sum})
			}
			return err
		})
	})
	return drafts, err
}

// locked runs fn under the write lock, with the database open. fn fails with
// ErrCorrupt only if it has written nothing.
func (w *Workspace) locked(ctx context.Context, fn func(*session) error) error {
	if w.opts.ReadOnly {
		return ErrReadOnly
	}
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return err
	}
	err = fn(s)
	if errors.Is(err, projection.ErrCorrupt) {
		err = s.mended(ctx, err)
	}
	// What is durable stays acknowledged, whatever closing says.
	if endErr := s.end(); err == nil && endErr != nil {
		w.opts.Notice(fmt.Sprintf("after the write: %v", endErr))
	}
	return err
}

// freshen is a refresh for who is about to write: every copy must be there.
func (s *session) freshen(ctx context.Context) error {
	if _, err := s.refresh(ctx, false); err != nil {
		return err
	}
	return s.degraded
}

// commit is Commit for either stream. It returns what was to be written.
func (w *Workspace) commit(ctx context.Context, stream op.Stream, decide func(*Tx) ([]Draft, error)) (b batch, err error) {
	err = w.locked(ctx, func(s *session) (err error) {
		s.all = stream == op.Interactions
		// Most often nothing else has happened, and one transaction is enough.
		if w.openDB(ctx) == nil && !w.adopted && w.keepSettings() == nil {
			b, err = s.write(ctx, stream, decide, true)
			if !errors.Is(err, errStale) {
				return err
			}
		}
		if err = s.freshen(ctx); err == nil {
			b, err = s.write(ctx, stream, decide, false)
		}
		return err
	})
	return b, err
}

// decide asks what is to be done in the current state, and makes lines of it.
func (w *Workspace) decide(q *projection.Query, stream op.Stream, decide func(*Tx) ([]Draft, error)) (batch, error) {
	tx := &Tx{Query: q, Now: w.opts.Now()}
	drafts, err := decide(tx)
	if err != nil || len(drafts) == 0 {
		return batch{}, err
	}
	if stream == op.Interactions {
		return w.stampInteractions(tx, drafts)
	}
	return w.stamp(tx, drafts)
}

// ChoosePrefix records what begins the ids of new issues. It counts only where none
// was chosen yet, here or, once they meet, in another clone. Where one is known
// nothing is done; else it is durable when ChoosePrefix returns nil.
func (w *Workspace) ChoosePrefix(ctx context.Context, prefix string) error {
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
