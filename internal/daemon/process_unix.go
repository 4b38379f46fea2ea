//go:build unix

package daemon

import (
	"fmt"
	"io/fs"
	"syscall"
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
	if most := uint64(limit.Max); uint64(n) < most { // the fields are signed on some systems
		lower(&limit.Cur, n)
	} else {
		limit.Cur = limit.Max
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	return nil
}

func lower[T int64 | uint64](to *T, n int) { *to = T(n) }

// ownerOf is whose a file is.
func ownerOf(info fs.FileInfo) (uid int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
