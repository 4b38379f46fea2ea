package beadsjson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Keep makes the file at path, which is relative to the directory root and stays
// below it, a snapshot with what write writes, and reports whether it was another
// before. The file appears whole, synced, or not at all, with the mode that the
// old one had or that the umask gives; missing directories are made. If it has
// that content already, nothing of it changes, its times neither.
//
// No symbolic link is followed, neither on the way nor at its end, and a file
// that is not empty and no snapshot is refused: the path comes from a settings
// file, not from a person who sees what happens. At most one process at a time
// may call it for a path.
func Keep(root, path string, write func(io.Writer) error) (written bool, err error) {
	dir, err := openBelow(root, filepath.Dir(path))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	old, mode, err := openSnapshot(dir, filepath.Base(path))
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	if old != nil {
		defer old.Close()
	}
	return replaceSnapshot(dir, filepath.Base(path), old, mode, write)
}

// replaceSnapshot writes beside the old file and compares at the same time, so
// that nothing is held in memory. The name of what it writes is always the same:
// what a crash left is replaced, not added to.
func replaceSnapshot(dir *os.Root, name string, old *os.File, mode fs.FileMode, write func(io.Writer) error) (bool, error) {
	temporary := "." + name + ".bd-export"
	if err := dir.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	file, err := dir.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // the umask applies
	if err != nil {
		return false, err
	}
	if old != nil {
		err = file.Chmod(mode)
	}
	same := &comparer{}
	if old != nil {
		same.old = bufio.NewReaderSize(old, 64<<10)
	}
	if err == nil {
		err = write(io.MultiWriter(file, same))
	}
	unchanged := err == nil && same.whole()
	if err == nil && !unchanged {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil && !unchanged {
		if err = dir.Rename(temporary, name); err == nil {
			return true, nil
		}
	}
	return false, errors.Join(err, dir.Remove(temporary))
}

// openBelow opens the directory path below root, element by element.
func openBelow(root, path string) (*os.Root, error) {
	if !filepath.IsLocal(path) {
		return nil, fmt.Errorf("%s is not below %s", path, root)
	}
	at, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	for element := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if element == "." {
			continue
		}
		next, err := enter(at, element)
		if err = errors.Join(err, at.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		at = next
	}
	return at, nil
}

// enter opens a directory in at, and makes it if it is missing.
func enter(at *os.Root, name string) (*os.Root, error) {
	if err := at.Mkdir(name, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	info, err := at.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is a link or a file, not a directory", name)
	}
	next, err := at.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	// It may have become a link between the two.
	if opened, err := next.Stat("."); err != nil || !os.SameFile(info, opened) {
		return nil, errors.Join(fmt.Errorf("%s is another directory now", name), err, next.Close())
	}
	return next, nil
}

// openSnapshot opens the file that is to be replaced, nil if there is none.
func openSnapshot(dir *os.Root, name string) (*os.File, fs.FileMode, error) {
	info, err := dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("it is a link or no regular file")
	}
	file, err := dir.Open(name)
	if err != nil {
		return nil, 0, err
	}
	begin := make([]byte, len(recordBegin))
	n, err := io.ReadFull(file, begin)
	switch {
	case err == io.EOF: // empty
		return file, info.Mode().Perm(), nil
	case n < len(begin) || string(begin) != recordBegin:
		return nil, 0, errors.Join(errors.New("it is there and is no snapshot of issues; it is not replaced"), file.Close())
	}
	_, err = file.Seek(0, io.SeekStart)
	return file, info.Mode().Perm(), err
}

// recordBegin is what every snapshot of Writer, and of upstream, begins with.
const recordBegin = `{"id":"`

// comparer is a writer that compares what is written with an old file.
type comparer struct {
	old     *bufio.Reader // nil: there is none
	differs bool
}

func (c *comparer) Write(p []byte) (int, error) {
	if c.old == nil || c.differs {
		return len(p), nil
	}
	held := make([]byte, len(p))
	if _, err := io.ReadFull(c.old, held); err != nil || !bytes.Equal(held, p) {
		c.differs = true // also when the old file cannot be read
	}
	return len(p), nil
}

// whole reports whether what was written is all of the old file.
func (c *comparer) whole() bool {
	if c.old == nil || c.differs {
		return false
	}
	_, err := c.old.ReadByte()
	return err == io.EOF
}
