//go:build unix

package daemon

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has used so far, in user and system mode.
func processorTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
