//go:build unix

package fleet

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// ReadyFD is the descriptor on which a daemon in the background reports.
const ReadyFD = 3

// inBackground gives a child a session of its own and the pipe for Ready.
func inBackground(child *exec.Cmd, pipe *os.File) {
	child.ExtraFiles = []*os.File{pipe}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}

// terminate asks our own child, which was not waited for, to stop.
func terminate(child *os.Process) error { return child.Signal(syscall.SIGTERM) }

// Detach prepares the process in the background: the pipe for Ready is not
// passed on to children, and the end of a terminal's session is no reason to
// end.
func Detach() io.WriteCloser {
	signal.Ignore(syscall.SIGHUP)
	syscall.CloseOnExec(ReadyFD)
	return os.NewFile(ReadyFD, "ready")
}
