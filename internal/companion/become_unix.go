//go:build unix

package companion

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// Become replaces this process by the program: it keeps the PID and the
// standard streams, so that who started bd supervises the program itself. It
// returns only if that fails.
func Become(_ context.Context, p Program) error {
	args := append([]string{p.Path}, p.Args...)
	if err := syscall.Exec(p.Path, args, p.Environ); err != nil {
		return fmt.Errorf("start the program: %w", &os.PathError{Op: "exec", Path: p.Path, Err: err})
	}
	return nil
}
