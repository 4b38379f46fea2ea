package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"beads/internal/projection"
)

// errStale ends a view that found the copies ahead of the database.
var errStale = errors.New("database is behind")

// View runs fn on one consistent snapshot. If a file is ahead of the database,
// the database is brought up to date first, provided that the write lock can be
// had within 50 ms; otherwise fn sees the database as it is, which holds
// everything acknowledged through it. A database that is missing or unusable is
// made again, and for that View waits as long as a writer would.
//
// fn is called a second time only if its first call was not reached, or met a
// corrupt page.
//
// The interactions are as the database has them; see ViewAll.
func (w *Workspace) View(ctx context.Context, fn func(*projection.Query) error) error {
	return w.view(ctx, refreshing{}, readerPatience, fn)
}

// ViewAll is View with the interactions brought up to date too.
func (w *Workspace) ViewAll(ctx context.Context, fn func(*projection.Query) error) error {
	return w.view(ctx, refreshing{all: true}, readerPatience, fn)
}

// ViewLatest is View for who must not miss what the files hold: it waits for the
// write lock as long as a writer would, and fails with a LockedError when it
// cannot be had. A read-only workspace is seen as it is.
func (w *Workspace) ViewLatest(ctx context.Context, fn func(*projection.Query) error) error {
	return w.view(ctx, refreshing{}, 0, fn)
}

// view waits for the lock at most for patience, and then answers from what there
// is; 0 waits as a writer does, and then fails.
func (w *Workspace) view(ctx context.Context, want refreshing, patience time.Duration, fn func(*projection.Query) error) error {
	if w.opts.ReadOnly {
		return w.viewAsIs(ctx, fn)
	}
	if err := w.openDB(ctx); err != nil {
		if !repairable(err) {
			return err
		}
		if _, err := w.refresh(ctx, w.opts.LockTimeout, want); err != nil && w.db == nil {
			return err
		}
	}
	err := w.db.View(ctx, func(q *projection.Query) error {
		fresh, err := w.fresh(q, want.all)
		if err != nil {
			return err
		}
		if !fresh {
			return errStale
		}
		return fn(q)
	})
	if errors.Is(err, errStale) {
		_, err = w.refresh(ctx, cmp.Or(patience, w.opts.LockTimeout), want)
		var locked *LockedError
		if patience == 0 && errors.As(err, &locked) {
			return err
		}
		if err = w.asItWas(ctx, err); err == nil {
			err = w.db.View(ctx, fn)
		}
	}
	if errors.Is(err, projection.ErrCorrupt) {
		_, err = w.repair(ctx, want.all)
		if err = w.asItWas(ctx, err); err == nil {
			err = w.db.View(ctx, fn)
		}
	}
	return err
}

// asItWas lets a view answer from the database as it is when it could not be
// brought up to date, if there is one.
func (w *Workspace) asItWas(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if w.db == nil || interrupted(ctx) != nil {
		return err
	}
	var locked *LockedError
	if !errors.As(err, &locked) {
		w.opts.Notice(fmt.Sprintf("answering from the database as it was: %v", err))
	}
	return nil
}

// Peek runs fn on one consistent snapshot of the database as it is: no lock is
// taken, no copy looked at and nothing written. It fails where there is no usable
// database.
func (w *Workspace) Peek(ctx context.Context, fn func(*projection.Query) error) error {
	if err := w.openDB(ctx); err != nil {
		return err
	}
	return w.db.View(ctx, fn)
}

// viewAsIs reads without ever writing.
func (w *Workspace) viewAsIs(ctx context.Context, fn func(*projection.Query) error) error {
	if err := w.openDB(ctx); err != nil {
		if repairable(err) {
			return fmt.Errorf("the database would have to be built first: %w", errors.Join(ErrReadOnly, err))
		}
		return err
	}
	return w.db.View(ctx, fn)
}

// repairable reports whether the write path makes a good database of it.
func repairable(err error) bool {
	for _, kind := range []error{projection.ErrMissing, projection.ErrForeign, projection.ErrStale, projection.ErrCorrupt} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
