//go:build !linux

package daemon

import "time"

// SystemElapsed measures for Options.Elapsed, from now on. This system does not
// tell how long it slept.
func SystemElapsed() func() Elapsed {
	start := time.Now()
	return func() Elapsed { return Elapsed{Running: time.Since(start)} }
}
