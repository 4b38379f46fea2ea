package interrupt

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// late is a context that is its parent until somebody asks for its end, and from then
// on the one that start makes. Safe for concurrent use.
type late struct {
	parent  context.Context
	start   func() context.Context
	once    sync.Once
	started atomic.Pointer[context.Context] // nil as long as nobody has asked
}

// Done starts it.
func (l *late) Done() <-chan struct{} {
	l.begin(l.start)
	return l.current().Done()
}

// Err is its parent's as long as it is not started.
func (l *late) Err() error { return l.current().Err() }

// Deadline is its parent's as long as it is not started.
func (l *late) Deadline() (time.Time, bool) { return l.current().Deadline() }

// Value is also how package context finds the cause of the end.
func (l *late) Value(k any) any { return l.current().Value(k) }

// begin makes it what start makes, unless it is started.
func (l *late) begin(start func() context.Context) {
	l.once.Do(func() {
		ctx := start()
		l.started.Store(&ctx)
	})
}

func (l *late) current() context.Context {
	if ctx := l.started.Load(); ctx != nil {
		return *ctx
	}
	return l.parent
}
