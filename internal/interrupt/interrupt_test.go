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

// A wait that nobody needs asks for nothing; one that somebody does is as that of
// package context.
func TestWithTimeoutCause(t *testing.T) {
	over := errors.New("over")
	outer := context.WithValue(context.Background(), key{}, "value")
	for name, c := range map[string]struct {
		timeout time.Duration
		end     func(cancel func(), stop context.CancelCauseFunc)
		err     error
		cause   error
	}{
		"going on":    {time.Hour, func(func(), context.CancelCauseFunc) {}, nil, nil},
		"in time":     {time.Hour, func(cancel func(), _ context.CancelCauseFunc) { cancel() }, context.Canceled, context.Canceled},
		"over":        {-1, func(func(), context.CancelCauseFunc) {}, context.DeadlineExceeded, over},
		"interrupted": {time.Hour, func(_ func(), stop context.CancelCauseFunc) { stop(io.EOF) }, context.Canceled, io.EOF},
	} {
		for _, asked := range []bool{true, false} {
			parent, stop := context.WithCancelCause(outer)
			ctx, cancel := WithTimeoutCause(parent, c.timeout, over)
			if asked {
				ctx.Done()
			}
			c.end(cancel, stop)
			err, cause := ctx.Err(), context.Cause(ctx)
			if err != c.err || cause != c.cause {
				t.Errorf("%s, asked before: %t: %v because of %v, want %v because of %v", name, asked, err, cause, c.err, c.cause)
			}
			select {
			case <-ctx.Done():
				if c.err == nil {
					t.Errorf("%s, asked before: %t: it has ended", name, asked)
				}
			default:
				if c.err != nil {
					t.Errorf("%s, asked before: %t: it has not ended", name, asked)
				}
			}
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > c.timeout || ctx.Value(key{}) != "value" {
				t.Errorf("%s: deadline %v, value %v", name, deadline, ctx.Value(key{}))
			}
			cancel()
			stop(nil)
			if ctx.Err() == nil {
				t.Errorf("%s, asked before: %t: cancelled, it goes on", name, asked)
			}
		}
	}
	lazy := Context()
	_, cancel := WithTimeoutCause(lazy, time.Hour, over)
	if cancel(); Done(lazy) != nil {
		t.Error("a wait that nobody needed has the signals caught")
	}
}
