// Package interrupt turns the first interrupt (SIGINT) or request to terminate
// (SIGTERM) into the end of a context, for commands that mostly take milliseconds.
//
// To catch signals costs a program a twentieth of what such a command takes: two
// threads, and a wait for each of them. So they are caught from when somebody asks
// for the end of the context, as who waits does. Before that nothing can be undone
// or said, and a signal does what it does to a program that catches none: it ends it
// at once. No command may rely on more, since SIGKILL can come at any time.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Context is a context that ends with the first signal; its cause names it. Safe for
// concurrent use. One is enough for a process, and it lasts as long as that.
func Context() context.Context { return &lazy{parent: context.Background()} }

type lazy struct {
	parent context.Context
	once   sync.Once
	caught atomic.Pointer[context.Context] // nil as long as nobody has asked
}

// Done catches the signals from now on.
func (l *lazy) Done() <-chan struct{} {
	l.once.Do(func() {
		// To stop catching them is left to the end of the process.
		ctx, _ := signal.NotifyContext(l.parent, os.Interrupt, syscall.SIGTERM)
		l.caught.Store(&ctx)
	})
	return l.current().Done()
}

// Err is nil as long as the signals are not caught.
func (l *lazy) Err() error { return l.current().Err() }

// Deadline is that of no deadline.
func (l *lazy) Deadline() (time.Time, bool) { return l.parent.Deadline() }

// key is what Value answers with the context itself.
type key struct{}

// Value is also how package context finds the cause of the end.
func (l *lazy) Value(k any) any {
	if k == (key{}) {
		return l
	}
	return l.current().Value(k)
}

func (l *lazy) current() context.Context {
	if ctx := l.caught.Load(); ctx != nil {
		return *ctx
	}
	return l.parent
}

// Catch has the signals caught that would end the process: for who gives the terminal
// to another program, and is to stay when a person sends that one an interrupt, and for
// who takes a while to make something that is to go when it is not finished.
func Catch(ctx context.Context) { ctx.Done() }

// Done is ctx.Done for work that does not wait but may take long: it does not have
// the signals caught. Where they are not, it is nil, and a signal ends the process.
func Done(ctx context.Context) <-chan struct{} {
	// Who derives a context that can end by itself has asked for the end of this one.
	if l, ok := ctx.Value(key{}).(*lazy); ok && l.caught.Load() == nil {
		return nil
	}
	return ctx.Done()
}
