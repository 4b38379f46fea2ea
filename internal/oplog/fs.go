package oplog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Info is what fstat tells.
type Info struct {
	Dev, Inode          uint64
	Size                int64
	ModTime, ChangeTime int64 // nanoseconds
}

// Same reports whether both are the same file.
func (i Info) Same(other Info) bool { return i.Dev == other.Dev && i.Inode == other.Inode }

// FS is the small file-system interface; OS is the real one.
type FS interface {
	// Open opens a regular file for reading and appending, following no link
	// and waiting for nothing. With create, a missing file is made.
	Open(path string, create bool) (File, error)
	// Stat is lstat.
	Stat(path string) (Info, error)
	// SyncDir makes the names in directory path durable.
	SyncDir(path string) error
}

// File is an open log.
type File interface {
	// ReadAt reads as io.ReaderAt does.
	ReadAt(p []byte, off int64) (int, error)
	// Write appends p with one write call. It is not continued when it falls
	// short: a foreign append could come between the parts of a line.
	Write(p []byte) (int, error)
	// Sync returns nil only when everything written is durable. After an error
	// nothing may be concluded from a later nil.
	Sync() error
	Stat() (Info, error)
	// Lock takes the exclusive flock, waiting in the kernel. When ctx ends
	// first it returns ctx's cause, and the abandoned wait unlocks if it is
	// granted later.
	Lock(ctx context.Context) error
	Unlock() error
	Close() error
}

// OS is the operating system's file system.
type OS struct {
	// Mode is the permission of files made, whatever the umask; 0: 0600.
	Mode fs.FileMode
}

var (
	_ FS   = OS{}
	_ File = (*osFile)(nil)
)

// Open implements FS. A file that exists but may not be written is opened for
// reading unless create is set; writing to it fails with the reason.
func (o OS) Open(path string, create bool) (File, error) {
	file, err := o.open(path, os.O_RDWR|os.O_APPEND, create)
	if err == nil {
		return newOSFile(file, nil), nil
	}
	denied := errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
	if !denied || create {
		return nil, err
	}
	file, readErr := o.open(path, os.O_RDONLY, false)
	if readErr != nil {
		return nil, err
	}
	return newOSFile(file, err), nil
}

// open opens a regular file and nothing else.
func (o OS) open(path string, flag int, create bool) (*os.File, error) {
	flag |= NoFollow
	mode := o.Mode.Perm()
	if mode == 0 {
		mode = 0o600
	}
	file, err := os.OpenFile(path, flag, 0)
	if create && errors.Is(err, fs.ErrNotExist) {
		// Exclusive, so that only a file of our making gets our mode.
		file, err = os.OpenFile(path, flag|os.O_CREATE|os.O_EXCL, mode)
		switch {
		case errors.Is(err, fs.ErrExist):
			file, err = os.OpenFile(path, flag, 0)
		case err == nil:
			if err := file.Chmod(mode); err != nil {
				return nil, errors.Join(err, file.Close())
			}
		}
	}
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, notRegular(path, err)
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENXIO):
		return nil, notRegular(path, err)
	case err != nil:
		return nil, err
	}
	status, err := file.Stat()
	if err == nil && !status.Mode().IsRegular() {
		err = notRegular(path, nil)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func notRegular(path string, err error) error {
	what := "not a regular file"
	if errors.Is(err, syscall.ELOOP) {
		what = "a symbolic link, not a regular file"
	}
	return fmt.Errorf("%s is %s: %w", path, what, fs.ErrInvalid)
}

// osFile is an open file of OS.
type osFile struct {
	flocker
	denied error // why it is open for reading only; nil: it can be written
}

func newOSFile(file *os.File, denied error) *osFile {
	return &osFile{flocker: flocker{file: file}, denied: denied}
}

func (f *osFile) ReadAt(p []byte, off int64) (int, error) { return f.file.ReadAt(p, off) }

func (f *osFile) Write(p []byte) (int, error) {
	if f.denied != nil {
		return 0, fmt.Errorf("open for reading only: %w", f.denied)
	}
	return f.write(p)
}

func (f *osFile) Sync() error { return f.file.Sync() }

func (f *osFile) Stat() (Info, error) { return f.stat() }
