package projection

import "os"

// writable reports whether the file or directory is there and not marked as
// read-only. What access lists forbid shows when it is written.
func writable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o200 != 0
}
