package cli

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"beads/internal/interrupt"
)

// An export into a file has signals caught, since an unfinished file is to go. What
// only reads has not.
func TestExportCatchesSignals(t *testing.T) {
	t.Cleanup(func() { signal.Reset(os.Interrupt, syscall.SIGTERM) })
	dir := t.TempDir()
	run := func(ctx context.Context, args ...string) {
		var errs strings.Builder
		code := Run(ctx, Process{
			Args: args, Dir: dir, Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &errs,
			Login: func() string { return "ada" }, Now: time.Now, Rand: rand.Reader, Location: time.UTC,
		})
		if code != exitDone {
			t.Fatalf("bd %q: %s", args, &errs)
		}
	}
	run(t.Context(), "init")
	run(t.Context(), "q", "one")
	ctx := interrupt.Context()
	for _, args := range []string{"export", "list", "q two", "count"} {
		run(ctx, strings.Fields(args)...)
		if interrupt.Done(ctx) != nil {
			t.Errorf("bd %s has signals caught", args)
		}
	}
	run(ctx, "export", "-o", "backup.jsonl")
	if interrupt.Done(ctx) == nil {
		t.Error("a signal would leave what an export has begun")
	}
}
