package oplog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/windows"
)

// lockInterval is how often a lock that is held is asked for. LockFileEx can
// wait by itself, but then every read through the same handle waits with it.
const lockInterval = 5 * time.Millisecond

// flocker is a file with its lock. Locks are mandatory here, so it lies on one
// byte far beyond any content: readers are not to be kept out.
type flocker struct {
	file *os.File

	mu      sync.Mutex // guards what follows; never held during a wait
	held    bool
	awaited bool
	closed  bool
}

// TryLock takes the exclusive lock if that needs no waiting.
func (f *flocker) TryLock() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held || f.awaited {
		return false, errHeld
	}
	return f.tryLocked()
}

func (f *flocker) tryLocked() (bool, error) {
	if f.closed {
		return false, fs.ErrClosed
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := f.control("lock", func(fd windows.Handle) error { return windows.LockFileEx(fd, flags, 0, 1, 0, lockedByte()) })
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	f.held = err == nil
	return f.held, err
}

// Lock takes the exclusive lock; when ctx ends while it waits, it returns ctx's
// cause.
func (f *flocker) Lock(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held || f.awaited {
		return errHeld
	}
	f.awaited = true
	defer func() { f.awaited = false }()
	again := time.NewTicker(lockInterval)
	defer again.Stop()
	for {
		if ok, err := f.tryLocked(); ok || err != nil {
			return err
		}
		if err := f.pause(ctx, again.C); err != nil {
			return err
		}
	}
}

// pause waits for the next turn without the mutex.
func (f *flocker) pause(ctx context.Context, turn <-chan time.Time) error {
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Unlock gives the lock back. Unlocking what is not held does nothing.
func (f *flocker) Unlock() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unlockLocked()
}

func (f *flocker) unlockLocked() error {
	if !f.held {
		return nil
	}
	f.held = false
	return f.control("unlock", func(fd windows.Handle) error { return windows.UnlockFileEx(fd, 0, 1, 0, lockedByte()) })
}

// Close unlocks and closes. It unlocks explicitly because the system may take
// its time with the locks of a closed file.
func (f *flocker) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.unlockLocked()
	f.closed = true
	return errors.Join(err, f.file.Close())
}

// lockedByte is the offset of the byte that stands for the file.
func lockedByte() *windows.Overlapped {
	return &windows.Overlapped{Offset: 0xfffffffe, OffsetHigh: 0x7fffffff}
}

func (f *flocker) stat() (info Info, err error) {
	err = f.control("stat", func(fd windows.Handle) error {
		info, err = infoOf(fd)
		return err
	})
	return info, err
}

// control runs one system call on the handle and names the file in its error.
func (f *flocker) control(call string, fn func(fd windows.Handle) error) error {
	conn, err := f.file.SyscallConn()
	if err != nil {
		return err
	}
	var callErr error
	err = conn.Control(func(fd uintptr) { callErr = fn(windows.Handle(fd)) })
	if err == nil && callErr != nil {
		err = &fs.PathError{Op: call, Path: f.file.Name(), Err: callErr}
	}
	return err
}
