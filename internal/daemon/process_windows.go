package daemon

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// processorTime is what this process has used so far, in user and system mode.
func processorTime() time.Duration {
	var created, exited, system, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &system, &user); err != nil {
		return 0
	}
	return ticks(system) + ticks(user)
}

// spentTime is processorTime: what children used is not told here.
func spentTime() time.Duration { return processorTime() }

// setFileLimit does nothing: the system has no limit on a process's handles that
// it could set.
func setFileLimit(int) error { return nil }

// ticks is a span in units of 100 ns.
func ticks(t windows.Filetime) time.Duration {
	return time.Duration(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) * 100
}

// residentMemory is this process's working set in bytes, 0 if unknown.
func residentMemory() int64 {
	var counters struct { // PROCESS_MEMORY_COUNTERS
		size, faults                                 uint32
		peak, workingSet                             uintptr
		_, _, _, _, pagefileUsage, peakPagefileUsage uintptr
	}
	counters.size = uint32(unsafe.Sizeof(counters))
	ask := windows.NewLazySystemDLL("kernel32.dll").NewProc("K32GetProcessMemoryInfo")
	if ask.Find() != nil {
		return 0
	}
	ok, _, _ := ask.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&counters)), uintptr(counters.size))
	if ok == 0 {
		return 0
	}
	return int64(counters.workingSet)
}
