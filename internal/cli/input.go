package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxInput bounds a text read from a file or standard input, in bytes: more
// than one operation can hold, so that the field's own check names the limit.
const maxInput = 2 << 20

// input is standard input for a command that reads it. A Read ends with the run: the
// signal that ends it is taken for that, and would not wake one that waits for a
// person, or for a program that writes nothing.
type input struct {
	ctx    context.Context // a Reader takes none
	in     io.Reader
	buffer []byte // of the read that waits; nobody else's
}

// Read leaves a read that still waits behind, for the end of the process.
func (i *input) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	if i.in == nil {
		return 0, io.EOF
	}
	type result struct {
		n   int
		err error
	}
	if len(i.buffer) < len(p) {
		i.buffer = make([]byte, len(p))
	}
	buffer, done := i.buffer[:len(p)], make(chan result, 1)
	go func() {
		n, err := i.in.Read(buffer)
		done <- result{n, err}
	}()
	select {
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	case r := <-done:
		return copy(p, buffer[:r.n]), r.err
	}
}

// readText reads a text from a file, or from standard input if name is "-".
// The line ends at its end, which editors and echo add, are not part of it.
func (a *app) readText(name string) (string, error) {
	var in io.Reader = a.input
	switch {
	case name == "-" && a.Stdin == nil:
		return name, nil
	case name == "-" && a.stdinRead:
		return "", usagef("standard input can be read only once")
	case name == "-":
		a.stdinRead = true
	default:
		file, _, err := a.openFile(name)
		if err != nil {
			return "", fmt.Errorf("reading text: %w", err)
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return "", fmt.Errorf("reading text from %s: %w", name, err)
	}
	if len(text) > maxInput {
		return "", failf("too_long", "the text of %s is longer than %d bytes", name, maxInput)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// dash puts standard input in the place of a flag's text that is "-".
func (a *app) dash(text *string) (err error) {
	if *text == "-" {
		*text, err = a.readText("-")
	}
	return err
}

// openFile opens a file for reading. size is 0 if it is not known. To open or to read a
// named pipe, which may wait for ever, ends with the run, as standard input does.
func (a *app) openFile(name string) (in io.ReadCloser, size int64, err error) {
	path := a.path(name)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, 0, err
	case info.IsDir():
		return nil, 0, failf("failed", "%s is a directory", name)
	case info.Mode().IsRegular():
		in, err = os.Open(path)
		return in, info.Size(), err
	}
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		file, err := os.Open(path)
		opened <- result{file, err}
	}()
	select {
	case <-a.input.ctx.Done():
		return nil, 0, a.input.ctx.Err()
	case r := <-opened:
		return struct {
			io.Reader
			io.Closer
		}{&input{ctx: a.input.ctx, in: r.file}, r.file}, 0, r.err
	}
}

// path makes a file name given on the command line absolute.
func (a *app) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.Dir, name)
}
