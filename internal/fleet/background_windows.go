package fleet

import (
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/windows"
)

// inBackground frees a child from the console and gives it the pipe for Ready:
// as standard output, since no other handle has a number that it could know.
func inBackground(child *exec.Cmd, pipe *os.File) {
	child.Stdout = pipe
	child.SysProcAttr = &windows.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}

// terminate ends our own child, which was not waited for.
func terminate(child *os.Process) error { return child.Kill() }

// Detach prepares the process in the background and returns the pipe for Ready.
func Detach() io.WriteCloser { return os.NewFile(uintptr(windows.Stdout), "ready") }
