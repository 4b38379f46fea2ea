package cli

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"testing"
	"time"
)

// waiting is a standard input that says nothing for ever: it ends the run and waits.
type waiting struct {
	end  context.CancelFunc
	gone <-chan struct{}
}

func (s waiting) Read([]byte) (int, error) {
	s.end()
	<-s.gone
	return 0, io.EOF
}

// TestInterruptedInput: what waits for standard input ends with the signal.
func TestInterruptedInput(t *testing.T) {
	dir := t.TempDir()
	run := func(ctx context.Context, in io.Reader, args ...string) (int, string) {
		var errs strings.Builder
		code := Run(ctx, Process{
			Args: args, Dir: dir, Getenv: func(string) string { return "" }, Stdin: in, Stdout: io.Discard, Stderr: &errs,
			Login: func() string { return "ada" }, Now: time.Now, Rand: rand.Reader, Location: time.UTC,
		})
		return code, errs.String()
	}
	if code, errs := run(t.Context(), strings.NewReader(""), "init"); code != exitDone {
		t.Fatal(errs)
	}
	for _, args := range []string{"import", "create -d - title", "close -", "comments add bd-x -", "interactions add --stdin"} {
		ctx, end := context.WithCancel(t.Context())
		code, errs := run(ctx, waiting{end, t.Context().Done()}, strings.Fields(args)...)
		if code != exitFail || errs != "bd: error: interrupted\n" {
			t.Errorf("bd %s: exit code %d, %q", args, code, errs)
		}
		end()
	}
}
