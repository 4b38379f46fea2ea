package interrupt

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be a program that gets a signal.
func TestMain(m *testing.M) {
	switch os.Getenv("INTERRUPT_TEST") {
	case "working":
		ctx := Context()
		work(ctx)
	case "waiting":
		ctx := Context()
		ended := ctx.Done()
		go work(ctx)
		<-ended
		os.Stdout.WriteString(context.Cause(ctx).Error() + "\n")
	case "deriving":
		ctx, cancel := context.WithTimeout(Context(), time.Hour)
		defer cancel()
		go work(ctx)
		<-Done(ctx)
		os.Stdout.WriteString(context.Cause(ctx).Error() + "\n")
	default:
		os.Exit(m.Run())
	}
}

// work says that it has begun, and does not wait for the end of ctx.
func work(ctx context.Context) {
	if ctx.Err() == nil && context.Cause(ctx) == nil {
		os.Stdout.WriteString("begun\n")
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// A signal ends the context of who waits for it, and else the process.
func TestSignal(t *testing.T) {
	for mode, want := range map[string]string{
		"working": "", "waiting": os.Interrupt.String(), "deriving": os.Interrupt.String(),
	} {
		t.Run(mode, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), "INTERRUPT_TEST="+mode, "GORACE=atexit_sleep_ms=0")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			if !lines.Scan() || lines.Text() != "begun" {
				t.Errorf("it says %q", lines.Text())
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				_ = cmd.Process.Kill()
				t.Skipf("no signals here: %v", err)
			}
			var rest []byte
			for lines.Scan() {
				rest = append(rest, lines.Text()...)
			}
			err = cmd.Wait()
			var ended *exec.ExitError
			switch {
			case want == "" && (!errors.As(err, &ended) || ended.Exited()):
				t.Errorf("it lives on, or ends by itself: %v", err)
			case want != "" && (err != nil || !strings.Contains(string(rest), want)):
				t.Errorf("it ends with %v and says %q", err, rest)
			}
		})
	}
}

// Work that does not wait has nothing caught, and sees whether others have.
func TestDone(t *testing.T) {
	ctx := Context()
	inner := context.WithValue(ctx, struct{ int }{}, 1)
	if Done(ctx) != nil || Done(inner) != nil {
		t.Error("signals are caught before anybody waits")
	}
	if _, limited := ctx.Deadline(); limited {
		t.Error("there is a deadline")
	}
	other, cancel := context.WithCancel(context.Background())
	if Done(other) == nil || Done(other) != other.Done() {
		t.Error("another context is not taken as it is")
	}
	cancel()
	if Catch(inner); Done(inner) == nil || Done(ctx) != ctx.Done() {
		t.Error("once they are caught, work does not hear of them")
	}
}
