// Package oplog is the append-only log, of operations or of interactions: one
// file of lines, read from a cursor, appended to with one write and one fsync.
//
// Order: lines are yielded in the order of the file, which means nothing; the
// fold orders operations by their ids.
//
// Durability: when [Log.Append] returns nil, the lines are fsynced, and so is
// the directory when the file was empty before. After a failed write or fsync
// a Log refuses to append: the state of the page cache is unknown then (fsync
// reports an error once and may have dropped the pages), so the caller reopens
// the file and reads what is there. Nothing here ever truncates, renames or
// removes a file: a foreign tool may have appended.
//
// Concurrency: a Log belongs to one goroutine at a time. Processes exclude each
// other with [Log.Lock]; foreign tools that append without a lock are expected
// and noticed by [Log.Check]. Whoever rewrites a file within the granularity of
// its file system's timestamps, with the same size, and outside the last 4 KiB
// that the cursor hashes, is not noticed by the fresh check; for that the
// daemon scans the whole file daily.
package oplog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"beads/internal/op"
)

// Log is one copy, open.
type Log struct {
	// Stream says what the lines are; to be set before the first Scan. Writing
	// does not depend on it.
	Stream op.Stream

	fs     FS
	file   File
	path   string
	broken error // the write or fsync that failed; nil: in order
}

// Open opens the copy at path. A path that is no regular file is refused by
// name. With create, a missing file is made and its directory fsynced. A file
// that may only be read is opened for reading; then Append fails. Errors wrap
// fs.ErrNotExist where it applies.
func Open(fsys FS, path string, create bool) (*Log, error) {
	file, err := fsys.Open(path, false)
	if create && errors.Is(err, fs.ErrNotExist) {
		file, err = fsys.Open(path, true)
		if err == nil {
			if err = fsys.SyncDir(filepath.Dir(path)); err != nil {
				return nil, errors.Join(fmt.Errorf("create log %s: %w", path, err), file.Close())
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &Log{fs: fsys, file: file, path: path}, nil
}

// Path is the path the log was opened by.
func (l *Log) Path() string { return l.path }

// Close releases the lock, if held, and the descriptor. An abandoned wait for
// the lock stays harmless: it unlocks when it is granted.
func (l *Log) Close() error { return l.file.Close() }

// Lock takes the exclusive lock on the log's own descriptor, waiting in the
// kernel; it returns ctx's cause when that ends first.
func (l *Log) Lock(ctx context.Context) error {
	if err := l.file.Lock(ctx); err != nil {
		return fmt.Errorf("lock %s: %w", l.path, err)
	}
	return nil
}

// Unlock gives the lock back.
func (l *Log) Unlock() error {
	if err := l.file.Unlock(); err != nil {
		return fmt.Errorf("unlock %s: %w", l.path, err)
	}
	return nil
}

// Stat is fstat of the open file.
func (l *Log) Stat() (Info, error) {
	info, err := l.file.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("stat log %s: %w", l.path, err)
	}
	return info, nil
}

// Current reports whether the path still names this file (inode comparison).
// A path that names nothing is no error.
func (l *Log) Current() (bool, error) {
	named, err := l.fs.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("stat log: %w", err)
	}
	open, err := l.Stat()
	if err != nil {
		return false, err
	}
	return named.Same(open), nil
}
