//go:build unix

package watch

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// identify says which directory path names.
func identify(path string) (identity, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return identity{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return identity{}, &fs.PathError{Op: "stat", Path: path, Err: unix.ENOTDIR}
	}
	return identity{uint64(st.Dev), uint64(st.Ino)}, nil
}

// stampOf is the state of the file at path; a link is not followed.
func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return stamp{}, err
	}
	return stamp{
		identity: identity{uint64(st.Dev), uint64(st.Ino)},
		size:     st.Size, changed: st.Mtim.Nano(), status: st.Ctim.Nano(),
	}, nil
}
