package workspace

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// verifyName is the database that Verify builds and removes.
const verifyName = "verify.db"

// Verify builds a second database from the logs alone and compares it with the
// live one, under the write lock so that nothing moves. It reports whether every
// derived row is equal, and in the indexes as it should be: the proof that the logs
// hold everything and that the incremental path did what a full fold does.
func (w *Workspace) Verify(ctx context.Context) (equal bool, err error) {
	if w.opts.ReadOnly {
		return false, ErrReadOnly
	}
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	s.all = true
	if _, err := s.refresh(ctx, false); err != nil {
		return false, err
	}
	held, err := s.held(ctx, op.Interactions)
	if err == nil && held > 0 {
		_, err = s.of(ctx, op.Interactions)
	}
	if err != nil {
		return false, err
	}
	live, err := fingerprint(ctx, w.db)
	if err != nil {
		return false, err
	}
	built, err := s.buildAside(ctx)
	if err != nil || live != built {
		return false, err
	}
	// The rows are right; queries also ask the indexes.
	err = w.db.IndexCheck(ctx)
	if errors.Is(err, projection.ErrCorrupt) {
		return false, nil
	}
	return err == nil, err
}

// held is how many lines of a stream the database holds.
func (s *session) held(ctx context.Context, stream op.Stream) (n int64, err error) {
	err = s.w.db.View(ctx, func(q *projection.Query) error {
		n, err = q.Of(stream).Held()
		return err
	})
	return n, err
}

// buildAside is the fingerprint of a database made of the logs alone.
func (s *session) buildAside(ctx context.Context) (sum string, err error) {
	path := filepath.Join(s.w.place.Dir, verifyName)
	if err := removeDatabase(path); err != nil {
		return "", err
	}
	db, err := projection.Build(ctx, path, s.w.id, s.w.opts.CacheSize, func(tx *projection.Tx) error {
		add := func(e oplog.Entry) error {
			if e.Record.ID().IsZero() {
				return nil // unreadable lines and raw records are no operations
			}
			_, _, err := tx.AddRecord(e.Record)
			return err
		}
		_, err := s.log.Scan(ctx, oplog.Cursor{}, nil, add)
		if err == nil && s.interactions != nil {
			_, err = s.interactions.log.Scan(ctx, oplog.Cursor{}, nil, add)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close(), removeDatabase(path)) }()
	return fingerprint(ctx, db)
}

func fingerprint(ctx context.Context, db *projection.DB) (sum string, err error) {
	err = db.View(ctx, func(q *projection.Query) error {
		sum, err = q.Fingerprint()
		return err
	})
	return sum, err
}

func removeDatabase(path string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
