package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// PagerCommand is the command line that the environment names: BD_PAGER, then
// PAGER, then less. "" and cat mean none.
func PagerCommand(getenv func(string) string, set func(string) bool) string {
	for _, name := range []string{"BD_PAGER", "PAGER"} {
		if set(name) {
			if line := strings.TrimSpace(getenv(name)); line != "cat" {
				return line
			}
			return ""
		}
	}
	return "less"
}

// Pager is a writer to a terminal. As long as what was written fits the screen it
// is kept; what is longer goes to the pager, which is started then. A pager that
// cannot be started, or that ends early because the person has seen enough, is no
// error.
type Pager struct {
	Command string
	Rows    int // of the screen
	Streams

	kept   bytes.Buffer
	lines  int
	pipe   *io.PipeWriter
	ended  chan error
	broken bool // no pager to be had: everything goes to Stdout
}

// Write implements io.Writer.
func (p *Pager) Write(data []byte) (int, error) {
	switch {
	case p.pipe != nil:
		return p.pipe.Write(data)
	case p.broken:
		return p.Stdout.Write(data)
	}
	p.kept.Write(data)
	p.lines += bytes.Count(data, []byte("\n"))
	if p.lines < p.Rows-1 { // the prompt takes the last one
		return len(data), nil
	}
	if err := p.start(); err != nil {
		return 0, err
	}
	return len(data), nil
}

// start hands over what was kept.
func (p *Pager) start() error {
	if _, err := exec.LookPath(strings.Fields(p.Command)[0]); err != nil && !strings.ContainsAny(p.Command, `"'$`) {
		p.broken = true
		_, err := p.kept.WriteTo(p.Stdout)
		return err
	}
	read, write := io.Pipe()
	p.pipe, p.ended = write, make(chan error, 1)
	streams := p.Streams
	streams.Environ = withDefault(streams.Environ, "LESS", "FRX") // as Git does: colours pass, nothing is cleared
	go func() {
		err := streams.run(context.Background(), p.Command, read)
		// Who still writes is told that nobody reads.
		_ = read.CloseWithError(syscall.EPIPE)
		p.ended <- err
	}()
	_, err := p.kept.WriteTo(write)
	return err
}

// Close writes what was kept, or waits until the person leaves the pager.
func (p *Pager) Close() error {
	if p.pipe == nil {
		_, err := p.kept.WriteTo(p.Stdout)
		return err
	}
	err := p.pipe.Close()
	<-p.ended // its exit code is the person's business
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// withDefault adds a variable unless it is there.
func withDefault(environ []string, name, value string) []string {
	if slices.ContainsFunc(environ, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
		return environ
	}
	return append(slices.Clone(environ), name+"="+value)
}
