package interrupt

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// WithTimeoutCause is context.WithTimeoutCause for a wait that is seldom needed:
// until somebody asks for the end of the context it has no timer, and parent is not
// asked for its own. Safe for concurrent use.
func WithTimeoutCause(parent context.Context, timeout time.Duration, cause error) (context.Context, context.CancelFunc) {
	w := &wait{parent: parent, deadline: time.Now().Add(timeout), cause: cause}
	return w, w.cancel
}

type wait struct {
	parent   context.Context
	deadline time.Time
	cause    error

	once  sync.Once
	begun atomic.Pointer[begun] // nil as long as nobody has asked
}

type begun struct {
	context.Context
	cancel context.CancelFunc
}

// Done begins the wait.
func (w *wait) Done() <-chan struct{} {
	w.once.Do(func() {
		ctx, cancel := context.WithDeadlineCause(w.parent, w.deadline, w.cause)
		w.begun.Store(&begun{ctx, cancel})
	})
	return w.current().Done()
}

// Err begins it when it is over, so that it has a cause.
func (w *wait) Err() error {
	if w.begun.Load() == nil && !time.Now().Before(w.deadline) {
		w.Done()
	}
	return w.current().Err()
}

// Deadline is when it is over.
func (w *wait) Deadline() (time.Time, bool) {
	if earlier, ok := w.parent.Deadline(); ok && earlier.Before(w.deadline) {
		return earlier, true
	}
	return w.deadline, true
}

// Value is also how package context finds the cause.
func (w *wait) Value(k any) any { return w.current().Value(k) }

func (w *wait) current() context.Context {
	if b := w.begun.Load(); b != nil {
		return b.Context
	}
	return w.parent
}

func (w *wait) cancel() {
	w.once.Do(func() { // for who asks later
		ctx, cancel := context.WithCancel(context.WithoutCancel(w.parent))
		w.begun.Store(&begun{ctx, cancel})
	})
	w.begun.Load().cancel()
}
