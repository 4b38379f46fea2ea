//go:build unix

package control

import (
	"fmt"
	"os"
	"syscall"
)

func checkOwner(dir string, info os.FileInfo, uid int) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int(stat.Uid) != uid:
		return fmt.Errorf("socket directory %s belongs to another user", dir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("socket directory %s is open to other users (mode %04o, want 0700)", dir, info.Mode().Perm())
	}
	return nil
}
