//go:build !linux

package daemon

// peakMemory is the most memory that this process ever had resident, in bytes:
// what residentMemory tells here.
func peakMemory() int64 { return residentMemory() }
