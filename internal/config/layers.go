package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile bounds a settings file, in bytes: the workspace may come from a hostile
// repository, and the parser's time grows faster than its input.
const maxFile = 32 << 10

func tooLarge(path string) error {
	return &Error{File: path, Reason: fmt.Sprintf("is larger than %d bytes", maxFile)}
}

// Layers are the config.yaml files that count, the stronger first: the
// workspace's, then the user's. What is wrong with one is an error and does not
// hide the other, nor what of it could be read.
func (s Source) Layers() ([]*File, error) {
	var files []*File
	var errs error
	add := func(name string, data []byte, err error) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = errors.Join(errs, err)
		default:
			file, err := ParseFile(name, data)
			errs = errors.Join(errs, err)
			files = append(files, file)
		}
	}
	if s.Dir != "" {
		data, err := s.Read(FileName)
		add(filepath.Join(s.Dir, FileName), data, err)
	}
	if s.User != "" {
		data, err := readUser(s.User)
		add(s.User, data, err)
	}
	return files, errs
}

// MayAutoStart reports whether auto_start is mentioned anywhere, at the price of
// opening three small files and parsing none: what every command may pay.
func (s Source) MayAutoStart() bool {
	const name = "auto_start"
	if s.Getenv(Variable(name)) != "" {
		return true
	}
	for _, file := range []string{DaemonName, FileName} {
		if data, err := s.Read(file); err == nil && bytes.Contains(data, []byte(name)) {
			return true
		}
	}
	if s.User == "" {
		return false
	}
	data, err := readUser(s.User)
	return err == nil && bytes.Contains(data, []byte(name))
}

// readUser reads a file of the user's own, which may be a link.
func readUser(path string) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: a pipe would hang
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{File: path, Reason: "is not a regular file"}
	}
	return readBounded(path)
}

// readBounded reads one byte more than maxFile at most, for the caller to see.
func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}
