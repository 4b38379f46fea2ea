package workspace

import (
	"fmt"
	"time"

	"beads/internal/op"
)

// clockTolerance is how far an id may be ahead of our clock and still pull it
// along; beyond it, a wrong clock elsewhere would poison everyone.
const clockTolerance = 24 * time.Hour

// batch is what one commit writes.
type batch struct {
	stream  op.Stream
	records []op.Record
	made    bool // an operation was made here: its line may say less than it does
}

// stamp makes lines of drafts: ids from the clock, so that each is greater than
// everything its issue has seen, and conditions checked as the fold will.
func (w *Workspace) stamp(tx *Tx, drafts []Draft) (batch, error) {
	b := batch{}
	clock := op.Clock{Now: func() time.Time { return tx.Now }, Rand: w.opts.Rand}
	newest, err := tx.MaxID(tx.Now.Add(clockTolerance))
	if err != nil {
		return batch{}, err
	}
	latest := map[string]op.ID{} // of the issues changed in this commit
	for _, d := range drafts {
		o, anew := d.Op, d.Op.ID.IsZero()
		if anew {
			last, known := latest[o.Issue]
			if !known {
				if last, err = tx.IssueMaxID(o.Issue); err != nil {
					return batch{}, err
				}
			}
			if o.ID, err = clock.Next(newest, last); err != nil {
				return batch{}, fmt.Errorf("%s: %w", o.Issue, err)
			}
			latest[o.Issue] = o.ID
			if o.ID.Time().Before(tx.Now.Add(clockTolerance)) {
				newest = o.ID
			}
			o.V, o.At, o.By, o.Session = op.Version, tx.Now.UTC().Truncate(time.Millisecond), w.opts.Actor(), w.opts.Session
			if err := holds(tx, o); err != nil {
				return batch{}, err
			}
		}
		if err := b.add(tx, d, anew); err != nil {
			return batch{}, err
		}
	}
	return b, nil
}

// stampInteractions is stamp for interactions: an id is greater than every other
// one, that of the record it judges included.
func (w *Workspace) stampInteractions(tx *Tx, drafts []Draft) (batch, error) {
	b := batch{stream: op.Interactions}
	clock := op.Clock{Now: func() time.Time { return tx.Now }, Rand: w.opts.Rand}
	newest, err := tx.Of(op.Interactions).MaxID(tx.Now.Add(clockTolerance))
	if err != nil {
		return batch{}, err
	}
	for _, d := range drafts {
		i, anew := d.Interaction, d.Interaction.ID.IsZero()
		if anew {
			if i.ID, err = clock.Next(newest, i.Parent); err != nil {
				return batch{}, err
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
		if err := b.add(tx, d, anew); err != nil {
			return batch{}, err
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

// add encodes a draft, unless its line is held already. One with a new id is not.
func (b *batch) add(tx *Tx, d Draft, anew bool) (err error) {
	r := op.Record{Op: d.Op, Interaction: d.Interaction, Line: d.Line, Sum: d.Sum}
	if r.Line == nil {
		b.made, r.Sum = true, true
		if b.stream == op.Interactions {
			r.Line, err = op.EncodeInteraction(d.Interaction)
		} else if r.Line, err = op.Encode(d.Op); err != nil {
			err = fmt.Errorf("%s %s: %w", d.Op.Do, d.Op.Issue, err)
		}
		if err != nil {
			return err
		}
	}
	if !anew {
		_, held, err := tx.Of(b.stream).Seq(r.ID(), op.Hash(r.Line))
		if err != nil || held {
			return err
		}
	}
	b.records = append(b.records, r)
	return nil
}
