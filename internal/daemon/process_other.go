//go:build unix && !linux

package daemon

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// residentMemory is the greatest resident memory so far, in bytes: what this
// system tells without further libraries.
func residentMemory() int64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss) // bytes there, kilobytes elsewhere
	}
	return int64(usage.Maxrss) * 1024
}
