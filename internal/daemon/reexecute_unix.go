//go:build unix

package daemon

import (
	"fmt"
	"os"
	"syscall"
)

const canReexecute = true

// Reexecute replaces this process by the program args, with the same PID and
// standard streams; everything else that is open is closed by the kernel. It
// returns only if that fails.
func Reexecute(args, environ []string) error {
	err := &os.PathError{Op: "exec", Path: args[0], Err: syscall.Exec(args[0], args, environ)}
	return fmt.Errorf("the new program was not started: %w", err)
}
