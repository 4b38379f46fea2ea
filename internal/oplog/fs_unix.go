//go:build unix

package oplog

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// NoFollow are flags for os.OpenFile that refuse a symbolic link with ELOOP.
// O_NONBLOCK keeps a FIFO put in the file's place from hanging us; it means
// nothing for regular files.
const NoFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

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

// write goes past os.File, which continues a short write with a second one.
func (f *osFile) write(p []byte) (int, error) {
	var n int
	err := f.control("write", func(fd int) (err error) {
		n, err = unix.Write(fd, p)
		return err
	})
	return max(n, 0), err
}
