package workspace

import (
	"context"
	"errors"

	"beads/internal/projection"
)

// Note runs fn in one write transaction of the database, under the write lock
// and after a refresh. It is for facts about the copies, such as how far one
// was read: what fn stores is not durable and goes when the database goes.
func (w *Workspace) Note(ctx context.Context, fn func(*projection.Tx) error) (err error) {
	if w.opts.ReadOnly {
		return ErrReadOnly
	}
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if _, err := s.refresh(ctx, false); err != nil {
		return err
	}
	return w.db.Update(ctx, fn)
}
