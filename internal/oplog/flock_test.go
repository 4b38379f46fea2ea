package oplog

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// The abandoned wait's own end, which callers cannot see: granted when nobody
// wants it, it leaves the lock free for others and its descriptor usable.
func TestAbandonedWaitUnlocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.lock")
	var locks [3]*FileLock
	for i := range locks {
		l, err := OpenLock(path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		locks[i] = l
	}
	holder, waiter, third := locks[0], locks[1], locks[2]
	try := func(l *FileLock, want bool) {
		t.Helper()
		if ok, err := l.TryLock(); ok != want || err != nil {
			t.Fatalf("TryLock = %v, %v, want %v", ok, err, want)
		}
	}
	for _, closed := range []bool{false, true} {
		try(holder, true)
		wait, err := waiter.begin()
		if err != nil {
			t.Fatal(err)
		}
		waiter.mu.Lock()
		wait.wanted = closed // a Close without an end of the context counts as well
		waiter.mu.Unlock()
		if closed {
			if err := waiter.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := holder.Unlock(); err != nil {
			t.Fatal(err)
		}
		<-wait.done
		try(third, true)
		if err := third.Unlock(); err != nil {
			t.Fatal(err)
		}
		if closed {
			if err := waiter.Lock(context.Background()); err == nil || errors.Is(err, errHeld) {
				t.Fatalf("Lock after Close = %v", err)
			}
			continue
		}
		try(waiter, true)
		if err := waiter.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
}
