package workspace

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"beads/internal/interrupt"
	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// copies are the files of one stream, open and locked.
type copies struct {
	stream op.Stream
	log    *oplog.Log
	guard  *oplog.Log // nil if there is no guard copy
}

// open opens the copies, made if they are missing, and locks both: who removes
// the lock file and replaces the log in one moment still admits no second writer.
func (c *copies) open(ctx context.Context, w *Workspace) (err error) {
	if c.log, err = c.openOne(ctx, w, w.place.StreamPath(c.stream)); err != nil || w.place.Guard == "" {
		return err
	}
	if err = os.MkdirAll(w.place.Guard, 0o700); err != nil {
		return err
	}
	c.guard, err = c.openOne(ctx, w, w.place.StreamGuard(c.stream))
	return err
}

func (c *copies) openOne(ctx context.Context, w *Workspace, path string) (*oplog.Log, error) {
	log, err := oplog.Open(w.opts.FS, path, true)
	if err != nil {
		return nil, err
	}
	log.Stream = c.stream
	return log, log.Lock(ctx)
}

// Current reports whether the paths still name what is locked.
func (c *copies) Current() (bool, error) {
	for _, log := range []*oplog.Log{c.log, c.guard} {
		if log == nil {
			continue
		}
		if current, err := log.Current(); err != nil || !current {
			return false, err
		}
	}
	return true, nil
}

// close gives the locks back. A nil receiver has nothing open.
func (c *copies) close() error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, file := range []*oplog.Log{c.guard, c.log} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}

// cursorsOf are the names of the cursors of a stream's copies.
func cursorsOf(s op.Stream) (log, guard projection.Copy) {
	if s == op.Interactions {
		return projection.InteractionsCopy, projection.InteractionsGuardCopy
	}
	return projection.LogCopy, projection.GuardCopy
}

// of are the open copies of a stream, opened now if they are not yet. The locks
// are taken in the order of the streams, after the lock file.
func (s *session) of(ctx context.Context, stream op.Stream) (*copies, error) {
	if stream == op.Operations {
		return &s.copies, nil
	}
	if s.interactions != nil {
		return s.interactions, nil
	}
	waiting, cancel := interrupt.WithTimeoutCause(ctx, s.patience, errBusy)
	defer cancel()
	for {
		c := &copies{stream: stream}
		err := c.open(waiting, s.w)
		current := false
		if err == nil {
			current, err = c.Current()
		}
		if err == nil && current {
			s.interactions = c
			return c, nil
		}
		if errors.Is(err, errBusy) {
			err = &LockedError{} // nobody of ours: the lock file is held by us
		}
		if err = errors.Join(err, c.close()); err == nil {
			err = interrupted(waiting)
		}
		if err != nil {
			return nil, err
		}
	}
}

// untouched reports whether no copy of a stream has changed since the database
// saw it: one lstat each. never says that nothing of the stream was ever there,
// which is no change: a workspace need not have interactions.
func (w *Workspace) untouched(q *projection.Query, stream op.Stream) (fresh, never bool, err error) {
	log, guard := cursorsOf(stream)
	missing := 0
	paths := []struct {
		name projection.Copy
		path string
	}{{log, w.place.StreamPath(stream)}, {guard, w.place.StreamGuard(stream)}}
	for _, c := range paths {
		if c.path == "" {
			missing++
			continue
		}
		info, err := w.opts.FS.Stat(c.path)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return false, false, err
		}
		cursor, err := q.Cursor(c.name)
		if err != nil || cursor.Info != info {
			return false, false, err
		}
	}
	switch {
	case missing == 0 || missing == 1 && w.place.Guard == "":
		return true, false, nil
	case missing < len(paths) || stream == op.Operations:
		return false, false, nil
	}
	held, err := q.Of(stream).MaxSeq()
	return held == 0, held == 0, err
}

// cut reports whether a copy of a stream that the database holds lines of is gone or
// shorter than it was read, or was not read since it was written: one lstat each.
func (w *Workspace) cut(q *projection.Query, stream op.Stream) (bool, error) {
	suspect := false
	log, guard := cursorsOf(stream)
	for name, path := range map[projection.Copy]string{log: w.place.StreamPath(stream), guard: w.place.StreamGuard(stream)} {
		if path == "" {
			continue
		}
		cursor, err := q.Cursor(name)
		if err != nil {
			return false, err
		}
		info, err := w.opts.FS.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			suspect = suspect || cursor.Offset > 0
		case err == nil:
			suspect = suspect || cursor.Offset == 0 || info.Size < cursor.Offset
		}
	}
	if !suspect {
		return false, nil
	}
	held, err := q.Of(stream).MaxSeq()
	return held > 0, err
}
