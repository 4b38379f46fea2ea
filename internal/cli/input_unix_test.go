//go:build unix

package cli

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterruptedPipe: what waits for the other end of a named pipe, or for what it
// writes, ends with the signal. A pipe is not read before it is imported.
func TestInterruptedPipe(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, args ...string) (int, string) {
		var errs strings.Builder
		code := Run(ctx, Process{
			Args: args, Dir: dir, Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &errs,
			Login: func() string { return "ada" }, Now: time.Now, Rand: rand.Reader, Location: time.UTC,
		})
		return code, errs.String()
	}
	writing := func(then func(*os.File)) {
		file, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader
		if err != nil {
			t.Error(err)
		}
		then(file)
	}
	go writing(func(file *os.File) {
		_, _ = io.WriteString(file, `{"id":"up-1","title":"one"}`+"\n")
		file.Close()
	})
	if code, errs := run(t.Context(), "init", "--from-jsonl", "pipe", "--json"); code != exitDone {
		t.Fatal(errs)
	}
	if code, errs := run(t.Context(), "show", "up-1"); code != exitDone {
		t.Error(errs)
	}
	for _, args := range []string{"import pipe", "comments add up-1 -f pipe", "create --body-file pipe title"} {
		for _, opened := range []bool{false, true} {
			ctx, end := context.WithCancel(t.Context())
			if opened {
				go writing(func(file *os.File) {
					end()
					<-t.Context().Done()
					file.Close()
				})
			} else {
				go end()
			}
			code, errs := run(ctx, strings.Fields(args)...)
			if code != exitFail || !strings.HasSuffix(errs, "interrupted\n") {
				t.Errorf("bd %s, opened %v: exit code %d, %q", args, opened, code, errs)
			}
			if !opened { // let go of who still waits
				file, err := os.OpenFile(pipe, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				file.Close()
			}
			end()
		}
	}
}
