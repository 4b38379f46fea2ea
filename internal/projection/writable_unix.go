//go:build unix

package projection

import "golang.org/x/sys/unix"

// writable reports whether we may write to the file or directory.
func writable(path string) bool { return unix.Access(path, unix.W_OK) == nil }
