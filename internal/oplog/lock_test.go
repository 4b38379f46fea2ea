package oplog_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"beads/internal/oplog"
)

// locker is what a log's file and a lock file have in common.
type locker interface {
	Lock(context.Context) error
	Unlock() error
	Close() error
}

// lockers makes descriptors of one file, in both kinds.
func lockers(t *testing.T, test func(t *testing.T, open func() locker)) {
	kinds := map[string]func(path string) (locker, error){
		"log":  func(path string) (locker, error) { return oplog.Open(oplog.OS{}, path, true) },
		"lock": func(path string) (locker, error) { return oplog.OpenLock(path) },
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			test(t, func() locker {
				l, err := kind(path)
				must(t, err)
				t.Cleanup(func() { l.Close() })
				return l
			})
		})
	}
}

var errPatience = errors.New("out of patience")

// abandon starts a wait that ends before the lock is granted.
func abandon(t *testing.T, l locker) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() { done <- l.Lock(ctx) }()
	cancel(errPatience)
	if err := <-done; !errors.Is(err, errPatience) {
		t.Fatalf("Lock = %v, want the cause", err)
	}
}

// abandonInKernel is abandon with a wait that has surely begun: the lock is
// refused to us only after the attempt that needs no waiting.
func abandonInKernel(t *testing.T, l locker) {
	t.Helper()
	ctx := &lateContext{Context: t.Context(), done: make(chan struct{})}
	if err := l.Lock(ctx); !errors.Is(err, errPatience) {
		t.Fatalf("Lock = %v, want the cause", err)
	}
}

// lateContext ends as soon as somebody waits for its end.
type lateContext struct {
	context.Context
	once sync.Once
	done chan struct{}
}

func (c *lateContext) Done() <-chan struct{} {
	c.once.Do(func() { close(c.done) })
	return c.done
}

func (c *lateContext) Err() error {
	select {
	case <-c.done:
		return errPatience
	default:
		return nil
	}
}

func TestLockExcludes(t *testing.T) {
	lockers(t, func(t *testing.T, open func() locker) {
		a, b := open(), open()
		must(t, a.Lock(t.Context()))
		abandonInKernel(t, b)
		granted := make(chan error)
		go func() { granted <- b.Lock(t.Context()) }()
		must(t, a.Unlock())
		must(t, <-granted)
		abandonInKernel(t, a)
		must(t, b.Close()) // frees it
		must(t, a.Lock(t.Context()))
	})
}

// An abandoned wait that is granted later must not keep the lock.
func TestLockAbandoned(t *testing.T) {
	lockers(t, func(t *testing.T, open func() locker) {
		a, b, c := open(), open(), open()
		must(t, a.Lock(t.Context()))
		abandonInKernel(t, b)
		abandonInKernel(t, b) // the same wait again
		must(t, a.Unlock())
		must(t, c.Lock(t.Context()))
		must(t, c.Unlock())
		must(t, b.Lock(t.Context()))
	})
}

// The next Lock takes an abandoned wait over; when that is granted, it must not
// be unlocked under the one who has it now.
func TestLockAbandonedThenWanted(t *testing.T) {
	lockers(t, func(t *testing.T, open func() locker) {
		for range 50 {
			a, b, c := open(), open(), open()
			must(t, a.Lock(t.Context()))
			abandonInKernel(t, b)
			granted := make(chan error)
			go func() { granted <- b.Lock(t.Context()) }()
			must(t, a.Unlock())
			must(t, <-granted)
			abandonInKernel(t, c) // refused: b has it
			must(t, b.Unlock())
			must(t, c.Lock(t.Context()))
			must(t, errors.Join(a.Close(), b.Close(), c.Close()))
		}
	})
}

// Close may come while an abandoned wait is still in the kernel.
func TestLockClosedWhileWaiting(t *testing.T) {
	lockers(t, func(t *testing.T, open func() locker) {
		a, b, c := open(), open(), open()
		must(t, a.Lock(t.Context()))
		abandonInKernel(t, b)
		must(t, b.Close())
		must(t, a.Unlock())
		must(t, c.Lock(t.Context()))
		if err := b.Lock(t.Context()); !errors.Is(err, fs.ErrClosed) {
			t.Fatalf("Lock after Close = %v", err)
		}
	})
}

// A deadline bounds the waiting: on a busy machine it may have passed before the
// lock was asked for at all, and a lock that is free needs no waiting.
func TestLockEndedContext(t *testing.T) {
	lockers(t, func(t *testing.T, open func() locker) {
		a, b := open(), open()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errPatience)
		must(t, a.Lock(ctx))
		if err := b.Lock(ctx); !errors.Is(err, errPatience) {
			t.Fatalf("Lock = %v", err)
		}
		must(t, a.Unlock())
		must(t, b.Lock(t.Context()))
		abandon(t, a)
	})
}

func TestLockTwice(t *testing.T) {
	lockers(t, func(t *testing.T, open func() locker) {
		a := open()
		must(t, a.Unlock()) // not held: nothing
		must(t, a.Lock(t.Context()))
		if err := a.Lock(t.Context()); err == nil {
			t.Fatal("locked twice: the first Unlock would free both")
		}
	})
}

// Many descriptors, waits that are abandoned at any moment: never two holders,
// and the lock is free at the end.
func TestLockStorm(t *testing.T) {
	lockers(t, func(t *testing.T, open func() locker) {
		var holders, turns atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			l := open()
			group.Go(func() {
				for i := range 100 {
					ctx, cancel := context.WithCancel(context.Background())
					if i%3 > 0 {
						go cancel()
					}
					if l.Lock(ctx) == nil {
						if holders.Add(1) != 1 {
							t.Error("two holders")
						}
						turns.Add(1)
						holders.Add(-1)
						if err := l.Unlock(); err != nil {
							t.Error(err)
						}
					}
					cancel()
				}
			})
		}
		group.Wait()
		must(t, open().Lock(t.Context()))
		if n := turns.Load(); n < 8*34 { // those that are never cancelled
			t.Errorf("%d turns", n)
		}
	})
}

func TestTryLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.lock")
	a, err := oplog.OpenLock(path)
	must(t, err)
	defer a.Close()
	b, err := oplog.OpenLock(path)
	must(t, err)
	defer b.Close()
	try := func(l *oplog.FileLock, want bool) {
		t.Helper()
		if ok, err := l.TryLock(); ok != want || err != nil {
			t.Fatalf("TryLock = %v, %v, want %v", ok, err, want)
		}
	}
	try(a, true)
	try(b, false)
	abandonInKernel(t, b)
	try(b, false)
	must(t, a.Unlock())
	must(t, b.Lock(t.Context()))
	try(a, false)
	if _, err := b.TryLock(); err == nil {
		t.Fatal("locked twice")
	}
}

func TestLockContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	must(t, os.WriteFile(path, []byte(`{"pid":1}`), 0o600))
	l, err := oplog.OpenLock(path)
	must(t, err)
	defer l.Close()
	for _, content := range []string{`{"pid":1}`, `{"pid":12345,"version":"1"}`, `{}`, ``} {
		if content != `{"pid":1}` { // opening truncates nothing
			must(t, l.WriteContent([]byte(content)))
		}
		got, err := l.ReadContent()
		if must(t, err); string(got) != content || read(t, path) != content {
			t.Fatalf("content %q, file %q, want %q", got, read(t, path), content)
		}
	}
	must(t, l.WriteContent([]byte(repeat("x", 1<<20))))
	if got, err := l.ReadContent(); err != nil || len(got) != 64<<10 {
		t.Fatalf("read %d bytes, %v", len(got), err)
	}
}

func TestLockCurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	l, err := oplog.OpenLock(path)
	must(t, err)
	defer l.Close()
	current := func(want bool) {
		t.Helper()
		if got, err := l.Current(); got != want || err != nil {
			t.Fatalf("Current = %v, %v, want %v", got, err, want)
		}
	}
	current(true)
	must(t, os.Remove(path))
	current(false)
	must(t, os.WriteFile(path, nil, 0o600))
	current(false)
	if l.Path() != path {
		t.Errorf("Path = %q", l.Path())
	}
}
