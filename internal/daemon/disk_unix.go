//go:build linux || darwin || freebsd

package daemon

import "golang.org/x/sys/unix"

// diskSpace is how many bytes an ordinary user may still write below path, and
// how many there are.
func diskSpace(path string) (free, total int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize), nil
}
