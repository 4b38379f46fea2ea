package oplog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// errHeld is for a caller that locks twice: with flock the second call would
// succeed and the first Unlock free both.
var errHeld = errors.New("lock already held or awaited through this descriptor")

// FileLock is a lock file: its flock excludes others, its content only informs
// people. The file is never removed, so that two processes cannot hold locks on
// different files of one name; who must be sure asks Current after locking.
//
// TryLock, Lock, Unlock and Close may be called from several goroutines; the
// lock belongs to the FileLock, not to a goroutine.
type FileLock struct {
	flocker
	path string
}

// OpenLock opens the lock file at path, made with 0600 if it is missing. A path
// that is no regular file is refused by name.
func OpenLock(path string) (*FileLock, error) { return OS{}.OpenLock(path) }

// OpenLock is the function OpenLock with o's mode.
func (o OS) OpenLock(path string) (*FileLock, error) {
	// Not for appending: that would turn WriteContent's pwrite into an append.
	file, err := o.open(path, os.O_RDWR, true)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	return &FileLock{flocker: flocker{file: file}, path: path}, nil
}

// Path is the path the lock was opened by.
func (l *FileLock) Path() string { return l.path }

// Current reports whether the path still names this file. A path that names
// nothing is no error.
func (l *FileLock) Current() (bool, error) {
	named, err := OS{}.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("stat lock: %w", err)
	}
	open, err := l.stat()
	return err == nil && named.Same(open), err
}

// WriteContent replaces the content. It is not fsynced, and a reader may see
// none or a part of it meanwhile. Call it while holding the lock.
func (l *FileLock) WriteContent(content []byte) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := l.file.WriteAt(content, 0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

// maxLockContent bounds what is read from a lock file, which anyone may have
// written.
const maxLockContent = 64 << 10

// ReadContent reads the content, at most 64 KiB of it. It needs no lock.
func (l *FileLock) ReadContent() ([]byte, error) {
	content, err := io.ReadAll(io.NewSectionReader(l.file, 0, maxLockContent))
	if err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	return content, nil
}
