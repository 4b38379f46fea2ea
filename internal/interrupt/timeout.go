package interrupt

import (
	"context"
	"time"
)

// WithTimeoutCause is context.WithTimeoutCause for a wait that is seldom needed:
// until somebody asks for the end of the context it has no timer, and parent is not
// asked for its own. Safe for concurrent use.
func WithTimeoutCause(parent context.Context, timeout time.Duration, cause error) (context.Context, context.CancelFunc) {
	w := &wait{deadline: time.Now().Add(timeout)}
	w.parent = parent
	w.start = func() (ctx context.Context) {
		ctx, w.stop = context.WithDeadlineCause(parent, w.deadline, cause)
		return ctx
	}
	return w, w.cancel
}

type wait struct {
	late
	deadline time.Time
	stop     context.CancelFunc // of what was started
}

// Err starts it when it is over, so that it has a cause.
func (w *wait) Err() error {
	if !time.Now().Before(w.deadline) {
		w.Done()
	}
	return w.late.Err()
}

// Deadline is when it is over.
func (w *wait) Deadline() (time.Time, bool) {
	if earlier, ok := w.parent.Deadline(); ok && earlier.Before(w.deadline) {
		return earlier, true
	}
	return w.deadline, true
}

// cancel starts it as one that has ended, for who asks later.
func (w *wait) cancel() {
	w.begin(func() (ctx context.Context) {
		ctx, w.stop = context.WithCancel(context.WithoutCancel(w.parent))
		return ctx
	})
	w.stop()
}
