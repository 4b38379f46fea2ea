package daemon

import (
	"bytes"
	"fmt"
	"os"
)

// peakMemory is the most memory that this process ever had resident, in bytes,
// 0 if unknown. Not from getrusage: that one also counts who started us.
func peakMemory() int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, found := bytes.Cut(data, []byte("VmHWM:"))
	var kilobytes int64
	if _, err := fmt.Sscan(string(rest), &kilobytes); err != nil || !found {
		return 0
	}
	return kilobytes * 1024
}
