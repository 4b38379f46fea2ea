package cli

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestCommandsExplainThemselves: help is what a newcomer and an agent read
// first.
func TestCommandsExplainThemselves(t *testing.T) {
	a := &app{Process: Process{Stdout: io.Discard, Stderr: io.Discard}, out: bufio.NewWriter(io.Discard)}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			path := c.CommandPath()
			if c.Short == "" || strings.HasSuffix(c.Short, ".") || strings.Contains(c.Short, "\n") {
				t.Errorf("%s: Short is %q; it should be one line without a full stop", path, c.Short)
			}
			if !c.Hidden && !strings.Contains(c.Example, "bd ") {
				t.Errorf("%s has no example", path)
			}
			for line := range strings.SplitSeq(c.Example, "\n") {
				if c.Example != "" && !strings.HasPrefix(line, "  ") {
					t.Errorf("%s: the example line %q is not indented by two blanks", path, line)
				}
			}
			if c.Args == nil && !c.DisableFlagParsing {
				t.Errorf("%s does not check its arguments", path)
			}
			if c.Run != nil || c.RunE == nil {
				t.Errorf("%s should have RunE alone", path)
			}
			walk(c)
		}
	}
	walk(newRoot(a))
}

// TestLockTimeoutOfNothing: 0 does not mean the default, as it does to a workspace.
func TestLockTimeoutOfNothing(t *testing.T) {
	for value, want := range map[string]time.Duration{"0": noWait, "0s": noWait, "2s": 2 * time.Second, "1ms": time.Millisecond} {
		a := &app{Process: Process{Stdout: io.Discard, Stderr: io.Discard}, out: bufio.NewWriter(io.Discard)}
		root := newRoot(a)
		root.SetArgs([]string{"version", "--lock-timeout", value})
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		if a.lockTimeout != want {
			t.Errorf("--lock-timeout %s waits for %s, want %s", value, a.lockTimeout, want)
		}
	}
}

// TestHelpNeedsNothing: --help of every command works where there is no
// workspace, and ends in 0.
func TestHelpNeedsNothing(t *testing.T) {
	var paths [][]string
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			if !c.DisableFlagParsing { // which takes --help as it takes everything
				paths = append(paths, strings.Fields(c.CommandPath())[1:])
			}
			walk(c)
		}
	}
	walk(newRoot(&app{out: bufio.NewWriter(io.Discard)}))
	for _, path := range paths {
		var out, errs strings.Builder
		code := Run(context.Background(), Process{
			Args: append(path, "--help"), Dir: t.TempDir(), Getenv: func(string) string { return "" },
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Login: func() string { return "" },
			Now: time.Now, Location: time.UTC,
		})
		if code != exitDone || errs.Len() > 0 || !strings.Contains(out.String(), "Usage:") {
			t.Errorf("bd %s --help: exit code %d, %q", strings.Join(path, " "), code, errs.String())
		}
	}
}
