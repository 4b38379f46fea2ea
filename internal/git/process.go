package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// drainTime is how long output may still come when git itself has ended, and how
// long what it started may take to end too: what it left running (an ssh that
// stays to share its connection) can hold a pipe open for ever.
const drainTime = 2 * time.Second

// process is a git process under way.
type process struct {
	call
	cmd     *exec.Cmd
	grace   time.Duration
	started time.Time
	pid     int
	stderr  headAndTail
	reap    func() error // after exited: the exit status
}

// run starts the process and stays with it until it is gone.
func (p *process) run(ctx context.Context) ([]byte, error) {
	stdout, stderr, stdin, err := p.start()
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	defer stderr.Close()
	p.pid = p.cmd.Process.Pid
	exited, reap := await(p.cmd)
	p.reap = reap

	silent := make(chan struct{})
	go func() {
		defer close(silent)
		_, _ = io.Copy(&p.stderr, stderr) // ends with the pipe
	}()
	stopped := make(chan error, 1)
	go func() { stopped <- p.stopAt(ctx, exited, silent) }()
	var collected bytes.Buffer
	read := make(chan error, 1)
	go func() { read <- p.readOutput(stdout, exited, &collected) }()
	var fed error
	if p.input != nil {
		fed = p.input(stdin)
		// A command that gets a complete stream is told so inside of it: an
		// end of file alone proves nothing.
		if err := stdin.Close(); fed == nil {
			fed = err
		}
	}
	readErr := <-read
	stopErr := <-stopped
	waitErr := p.reap()
	within(drainTime, silent)
	_ = stderr.Close()
	<-silent
	switch {
	case stopErr != nil:
		return nil, stopErr
	case fed != nil && !brokenPipe(fed):
		return nil, fed // git died of an input that broke off
	case readErr != nil && !endedEarly(readErr):
		return nil, readErr // git died of an output that nobody read
	case waitErr != nil:
		return nil, waitErr
	}
	return collected.Bytes(), errors.Join(fed, readErr)
}

// start starts the process and returns our ends of its pipes; stdin is nil if
// it gets none.
func (p *process) start() (stdout, stderr *os.File, stdin io.WriteCloser, err error) {
	stdout, theirOut, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	stderr, theirErr, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, errors.Join(err, stdout.Close(), theirOut.Close())
	}
	if p.input != nil {
		stdin, err = p.cmd.StdinPipe()
	}
	p.cmd.Stdout, p.cmd.Stderr = theirOut, theirErr
	if err == nil {
		if err = p.cmd.Start(); err != nil {
			err = &startError{err}
		}
	}
	_, _ = theirOut.Close(), theirErr.Close() // the child has its own
	if err != nil {
		return nil, nil, nil, errors.Join(err, stdout.Close(), stderr.Close())
	}
	return stdout, stderr, stdin, nil
}

// within waits until done is closed, but not longer than d.
func within(d time.Duration, done <-chan struct{}) {
	limit := time.NewTimer(d)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	}
}

// readOutput hands standard output to who wants it. On a failure the pipe is
// closed, so that git notices.
func (p *process) readOutput(stdout *os.File, exited <-chan struct{}, collected *bytes.Buffer) error {
	out := &outputReader{file: stdout, woken: make(chan struct{})}
	go out.wake(exited)
	var err error
	if p.output != nil {
		err = p.output(out)
	} else {
		_, err = collected.ReadFrom(&limitedReader{r: out, left: maxOutput})
	}
	if err != nil {
		return errors.Join(err, stdout.Close())
	}
	// What a reader leaves must not block git's end.
	_, err = io.Copy(io.Discard, out)
	return err
}

// outputReader reads a pipe to its end, or, once git has ended, until nothing
// comes for drainTime. Who reads slowly loses nothing: what git wrote is in the
// pipe.
type outputReader struct {
	file  *os.File
	woken chan struct{} // closed when git has ended and a read that waited was woken
}

func (r *outputReader) wake(exited <-chan struct{}) {
	<-exited
	_ = r.file.SetReadDeadline(time.Unix(1, 0)) // closed already is as good
	close(r.woken)
}

func (r *outputReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	<-r.woken
	if err := r.file.SetReadDeadline(time.Now().Add(drainTime)); err != nil {
		return 0, err
	}
	if n, err = r.file.Read(p); errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, io.EOF
	}
	return n, err
}

// stopAt ends the process group when ctx ends first, and then returns ctx's
// cause. The process is not reaped before, so the group's number is not
// another's.
func (p *process) stopAt(ctx context.Context, exited, silent <-chan struct{}) error {
	select {
	case <-exited:
		return nil
	case <-ctx.Done():
	}
	signalGroup(p.cmd.Process, syscall.SIGTERM)
	patience := time.NewTimer(p.grace)
	defer patience.Stop()
	select {
	case <-exited:
		// What git started ends a little later. When the remote is a directory
		// here it holds locks of the remote's, which nobody else removes. That
		// it has ended shows only in the end of the standard error it shares.
		within(min(p.grace, drainTime), silent)
	case <-patience.C:
	}
	signalGroup(p.cmd.Process, syscall.SIGKILL)
	<-exited
	return context.Cause(ctx)
}

func brokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed)
}

// endedEarly reports whether output only broke off, which git has a reason for.
func endedEarly(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed)
}

// startError: there was no process.
type startError struct{ err error }

func (e *startError) Error() string { return e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// errOutput is the end of what is collected of a command's output.
var errOutput = fmt.Errorf("git wrote more than %d bytes", maxOutput)

// limitedReader fails when more than left bytes come.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, errOutput
	}
	return n, err
}

// headAndTail keeps the beginning and the end of what is written to it.
type headAndTail struct {
	head, tail []byte
}

const keptOfStderr = 8 << 10 // bytes at each end

func (h *headAndTail) Write(p []byte) (int, error) {
	n := len(p)
	if room := keptOfStderr - len(h.head); room > 0 {
		take := min(room, len(p))
		h.head, p = append(h.head, p[:take]...), p[take:]
	}
	h.tail = append(h.tail, p...)
	if over := len(h.tail) - keptOfStderr; over > 0 {
		h.tail = append(h.tail[:0], h.tail[over:]...)
	}
	return n, nil
}

func (h *headAndTail) String() string { return string(h.head) + string(h.tail) }
