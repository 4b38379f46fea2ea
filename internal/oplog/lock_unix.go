//go:build unix

package oplog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// flocker is a file with its flock. A flock belongs to the open file
// description, so at most one kernel wait runs for it: a second wait would be
// granted at once while the first holds the lock, and, if it was abandoned,
// would unlock under its holder. An abandoned wait is therefore taken over by
// the next Lock instead.
type flocker struct {
	file *os.File

	mu     sync.Mutex // guards what follows; never held during a wait
	held   bool
	closed bool
	wait   *flockWait // in the kernel; nil: none
}

// flockWait is one flock call that waits. Its fields are guarded by the
// flocker's mutex until done is closed.
type flockWait struct {
	wanted bool // somebody still waits for it
	done   chan struct{}
	err    error
}

// TryLock takes the exclusive lock if that needs no waiting.
func (f *flocker) TryLock() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held || f.wait != nil && f.wait.wanted {
		return false, errHeld
	}
	if f.wait != nil {
		// The kernel has not granted the abandoned wait, so another
		// descriptor holds the lock.
		return false, nil
	}
	return f.tryLocked()
}

func (f *flocker) tryLocked() (bool, error) {
	err := f.control("flock", func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	f.held = err == nil
	return f.held, err
}

// Lock takes the exclusive lock. It waits in the kernel, so waiters are served
// without polling; when ctx ends first, it returns ctx's cause. It is the waiting
// that ctx bounds: a lock that is free is taken whatever ctx says, since on a busy
// machine a short time may be over before it was used.
func (f *flocker) Lock(ctx context.Context) error {
	wait, err := f.begin()
	if wait == nil {
		return err
	}
	select {
	case <-wait.done:
		return wait.err
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-wait.done: // granted at the last moment
		return wait.err
	default:
		wait.wanted = false
		return context.Cause(ctx)
	}
}

// begin takes the lock if it is free (nil, nil), else joins or starts a wait.
func (f *flocker) begin() (*flockWait, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, fs.ErrClosed
	}
	if f.held || f.wait != nil && f.wait.wanted {
		return nil, errHeld
	}
	if f.wait != nil {
		f.wait.wanted = true
		return f.wait, nil
	}
	if ok, err := f.tryLocked(); ok || err != nil {
		return nil, err
	}
	// The wait owns a descriptor of its own, since Close may come meanwhile.
	own := -1
	err := f.control("dup", func(fd int) (err error) {
		own, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	f.wait = &flockWait{wanted: true, done: make(chan struct{})}
	go f.await(f.wait, own)
	return f.wait, nil
}

// await waits on descriptor fd, which it closes.
func (f *flocker) await(wait *flockWait, fd int) {
	err := retry(func() error { return unix.Flock(fd, unix.LOCK_EX) })
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		wait.err = fmt.Errorf("flock %s: %w", f.file.Name(), err)
	} else if f.closed {
		wait.err = fs.ErrClosed
	}
	f.held = wait.err == nil && wait.wanted
	if err == nil && !f.held {
		// Explicitly: closing this descriptor frees nothing while the other
		// one is open. Unlocking cannot fail on a valid descriptor.
		_ = unix.Flock(fd, unix.LOCK_UN)
	}
	_ = unix.Close(fd)
	f.wait = nil
	close(wait.done)
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
	return f.control("flock", func(fd int) error { return unix.Flock(fd, unix.LOCK_UN) })
}

// Close unlocks and closes. It unlocks explicitly because a child process
// between fork and exec still shares the description.
func (f *flocker) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.unlockLocked()
	f.closed = true
	return errors.Join(err, f.file.Close())
}

func (f *flocker) stat() (Info, error) {
	var st unix.Stat_t
	if err := f.control("fstat", func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return Info{}, err
	}
	return infoOf(&st), nil
}

// control runs one system call on the descriptor, again while it is
// interrupted, and names the file in its error.
func (f *flocker) control(call string, fn func(fd int) error) error {
	conn, err := f.file.SyscallConn()
	if err != nil {
		return err
	}
	var callErr error
	err = conn.Control(func(fd uintptr) {
		callErr = retry(func() error { return fn(int(fd)) })
	})
	if err == nil && callErr != nil {
		err = &fs.PathError{Op: call, Path: f.file.Name(), Err: callErr}
	}
	return err
}

// retry repeats an interrupted system call.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
