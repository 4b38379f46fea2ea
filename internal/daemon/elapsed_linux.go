package daemon

import (
	"time"

	"golang.org/x/sys/unix"
)

// SystemElapsed reads the system's clocks for Options.Elapsed.
func SystemElapsed() func() Elapsed {
	return func() Elapsed {
		var running, total unix.Timespec
		if unix.ClockGettime(unix.CLOCK_MONOTONIC, &running) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &total) != nil {
			return Elapsed{}
		}
		return Elapsed{
			Running: time.Duration(running.Nano()),
			Asleep:  time.Duration(total.Nano() - running.Nano()),
			Told:    true,
		}
	}
}
