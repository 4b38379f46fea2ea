package oplog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
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
	denied := errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS)
	if !denied || create {
		return nil, err
	}
	file, readErr := o.open(path, os.O_RDONLY, false)
	if readErr != nil {
		return nil, err
	}
	return newOSFile(file, err), nil
}

// open opens a regular file and nothing else. O_NONBLOCK keeps a FIFO put in
// the file's place from hanging us; it means nothing for regular files.
func (o OS) open(path string, flag int, create bool) (*os.File, error) {
	flag |= unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK
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
	case errors.Is(err, unix.ELOOP):
		return nil, notRegular(path, err)
	case errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENXIO):
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
	if errors.Is(err, unix.ELOOP) {
		what = "a symbolic link, not a regular file"
	}
	return fmt.Errorf("%s is %s: %w", path, what, fs.ErrInvalid)
}

// Stat implements FS.
func (OS) Stat(path string) (Info, error) {
	var st unix.Stat_t
	for {
		err := unix.Lstat(path, &st)
		if err == nil {
			return infoOf(&st), nil
		}
		if err != unix.EINTR {
			return Info{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
	}
}

// SyncDir implements FS.
func (OS) SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func infoOf(st *unix.Stat_t) Info {
	return Info{
		Dev:        uint64(st.Dev),
		Inode:      uint64(st.Ino),
		Size:       st.Size,
		ModTime:    st.Mtim.Nano(),
		ChangeTime: st.Ctim.Nano(),
	}
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

// Write goes past os.File, which continues a short write with a second one.
func (f *osFile) Write(p []byte) (int, error) {
	if f.denied != nil {
		return 0, fmt.Errorf("open for reading only: %w", f.denied)
	}
	var n int
	err := f.control("write", func(fd int) (err error) {
		n, err = unix.Write(fd, p)
		return err
	})
	return max(n, 0), err
}

func (f *osFile) Sync() error { return f.file.Sync() }

func (f *osFile) Stat() (Info, error) { return f.stat() }
