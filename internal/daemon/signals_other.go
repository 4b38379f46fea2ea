//go:build !unix

package daemon

import (
	"context"
	"os"
)

// Signals is nil here: there are no signals that ask for something. The control
// socket takes the same requests.
func Signals() (signals <-chan os.Signal, release func()) { return nil, func() {} }

func (d *Daemon) signalled(context.Context, os.Signal) error { return nil }
