package git

import (
	"os"
	"syscall"
)

// ownGroup keeps the interrupt of a console from the child.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// signalGroup ends the child, whatever the signal: there is no gentler way, and
// its own children are not reached.
func signalGroup(child *os.Process, _ syscall.Signal) {
	_ = child.Kill() // gone already is as good
}
