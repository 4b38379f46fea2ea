//go:build unix

package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// noFollow refuses a link with ELOOP, and waits for nobody.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// private refuses what is another user's or open to other users.
func (r Registry) private(info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != r.UID {
		return errors.New("it belongs to another user")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("it is open to other users (mode %04o)", mode)
	}
	return nil
}
