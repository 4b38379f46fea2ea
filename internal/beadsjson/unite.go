package beadsjson

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"beads/internal/op"
)

// Unite adds to the file at output the lines of the others that it lacks, each
// once and in their order, and returns how many. Lines are compared as
// operations and records are: without outer blanks. The lines of output stay as
// and where they are, so doing it again adds nothing. Blank lines are not added.
// An output without a final newline gets one only if something is added.
func Unite(output string, others ...string) (added int, err error) {
	have := map[[sha256.Size]byte]bool{}
	ended := true
	err = eachLine(output, func(line []byte) error {
		ended = bytes.HasSuffix(line, []byte("\n"))
		for _, part := range op.Split(bytes.TrimSuffix(line, []byte("\n"))) {
			have[sha256.Sum256(part)] = true
		}
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	var missing bytes.Buffer
	for _, name := range others {
		err := eachLine(name, func(line []byte) error {
			for _, part := range op.Split(bytes.TrimSuffix(line, []byte("\n"))) {
				if hash := sha256.Sum256(part); !have[hash] {
					have[hash] = true
					added++
					missing.Write(part)
					missing.WriteByte('\n')
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	if added == 0 {
		return 0, nil
	}
	return added, WriteFile(output, nil, func(w io.Writer) error {
		if err := copyFile(w, output); err != nil {
			return err
		}
		if !ended {
			if _, err := w.Write([]byte("\n")); err != nil {
				return err
			}
		}
		_, err := missing.WriteTo(w)
		return err
	})
}

// SameFile reports whether two paths name one file, also through links and also
// if it does not exist.
func SameFile(a, b string) bool {
	target, err := resolve(a)
	if err != nil {
		return false
	}
	info, err := os.Stat(target)
	if err != nil {
		info = nil
	}
	return same(target, info, b)
}

// eachLine calls fn with each line of a file, its LF included, however long it
// is.
func eachLine(name string, fn func(line []byte) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 256<<10)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			if err := fn(line); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading %s: %w", name, err)
		}
	}
}

// copyFile copies a file that need not exist.
func copyFile(w io.Writer, name string) error {
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}
