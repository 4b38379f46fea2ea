//go:build unix

package git

import (
	"os"
	"syscall"
)

// ownGroup makes a child the head of a process group, so that what it starts
// ends with it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signalGroup signals the process group of a child that was not reaped.
func signalGroup(child *os.Process, signal syscall.Signal) {
	if child.Signal(syscall.Signal(0)) != nil {
		return // reaped: the number may be another's
	}
	_ = syscall.Kill(-child.Pid, signal) // gone already is as good
}
