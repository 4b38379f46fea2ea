// Package interrupt turns the first interrupt (SIGINT) or request to terminate
// (SIGTERM) into the end of a context, for commands that mostly take milliseconds.
//
// To catch signals costs a program a twentieth of what such a command takes: two
// threads, and a wait for each of them. So they are caught from when somebody asks
// for the end of the context, as who waits does. Before that nothing can be undone
// or said, and a signal does what it does to a program that catches none: it ends it
// at once. No command may rely on more, since SIGKILL can come at any time. A time
// limit begins in the same way, since it would ask for the end of what it limits.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Context is a context that ends with the first signal; its cause names it. Safe for
// concurrent use. One is enough for a process, and it lasts as long as that.
func Context() context.Context {
	return &signals{late{parent: context.Background(), start: func() context.Context {
		// To stop catching them is left to the end of the process.
		ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		return ctx
	}}}
}

type signals struct{ late }

// key is what Value answers with the context itself.
type key struct{}

func (s *signals) Value(k any) any {
	if k == (key{}) {
		return s
	}
	return s.late.Value(k)
}

// Catch has the signals caught that would end the process: for who gives the terminal
// to another program, and is to stay when a person sends that one an interrupt, and for
// who takes a while to make something that is to go when it is not finished.
func Catch(ctx context.Context) { ctx.Done() }

// Done is ctx.Done for work that does not wait but may take long: it does not have
// the signals caught. Where they are not, it is nil, and a signal ends the process.
func Done(ctx context.Context) <-chan struct{} {
	// Who derives a context that can end by itself has asked for the end of this one.
	if s, ok := ctx.Value(key{}).(*signals); ok && s.started.Load() == nil {
		return nil
	}
	return ctx.Done()
}
