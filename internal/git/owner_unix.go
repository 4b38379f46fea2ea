//go:build unix

package git

import (
	"os"
	"syscall"
)

// FileOwner is the user id that owns path.
func FileOwner(path string) (int, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), nil
	}
	return -1, nil
}
