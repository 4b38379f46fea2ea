package git

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// await tells when a child has ended without reaping it; reap, to be called
// after that, reaps it and returns its exit status. Until then its number, and
// that of its group, cannot be given to another process.
func await(cmd *exec.Cmd) (exited <-chan struct{}, reap func() error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
			if err != unix.EINTR {
				return
			}
		}
	}()
	return done, cmd.Wait
}
