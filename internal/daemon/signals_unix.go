//go:build unix

package daemon

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Signals is where SIGHUP (read the settings again) and SIGUSR1 (sync now)
// arrive from now on; release lets go of them.
func Signals() (signals <-chan os.Signal, release func()) {
	c := make(chan os.Signal, 2) // what is asked twice is done once
	signal.Notify(c, syscall.SIGHUP, syscall.SIGUSR1)
	return c, func() { signal.Stop(c) }
}

// signalled is the step that a signal asks for. It fails only to leave.
func (d *Daemon) signalled(ctx context.Context, s os.Signal) error {
	d.active = d.opts.Now()
	if s == syscall.SIGHUP {
		return leaveOnly(d.Reload(ctx))
	}
	return d.Sync(ctx)
}
