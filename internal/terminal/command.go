package terminal

import (
	"context"
	"io"
	"os/exec"
	"runtime"
	"strings"
)

// Streams are what a program gets from this process.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Dir            string
	Environ        []string
}

// run runs a command line that a person configured, with further arguments. A
// shell reads it, so that it may hold options and quotes.
func (s Streams) run(ctx context.Context, line string, stdin io.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", line + ` "$@"`, "sh"}, args...)...)
	if runtime.GOOS == "windows" {
		words := append(strings.Fields(line), args...)
		cmd = exec.CommandContext(ctx, words[0], words[1:]...)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, s.Stdout, s.Stderr
	cmd.Dir, cmd.Env = s.Dir, s.Environ
	return cmd.Run()
}
