package companion

import (
	"context"
	"fmt"
	"os/exec"
)

// Become runs the program with this process's streams and waits for its end: a
// process cannot become another program here.
func Become(ctx context.Context, p Program) error {
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Environ, p.Stdin, p.Stdout, p.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", p.Path, err)
	}
	return nil
}
