//go:build unix

package daemon

import (
	"fmt"
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

// spentTime is the processor time of this process and of those that it started
// and that have ended.
func spentTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &usage); err != nil {
		return processorTime()
	}
	return processorTime() + time.Duration(usage.Utime.Nano()+usage.Stime.Nano())
}

// setFileLimit lets this process, and those it will start, have at most n files
// open, or fewer where the system's own limit is lower.
func setFileLimit(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	limit.Cur = atMost(n, limit.Max)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	return nil
}

// atMost is n, or most if that is less. The fields of a limit are signed on some
// systems.
func atMost[T int64 | uint64](n int, most T) T { return min(T(n), most) }
