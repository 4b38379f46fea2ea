//go:build !linux

package git

import "os/exec"

// await tells when a child has ended; reap, to be called after that, returns its
// exit status. Without waitid's WNOWAIT the child is reaped at once, so who
// signals it asks first whether it was.
func await(cmd *exec.Cmd) (exited <-chan struct{}, reap func() error) {
	done := make(chan struct{})
	var status error
	go func() {
		defer close(done)
		status = cmd.Wait()
	}()
	return done, func() error {
		<-done
		return status
	}
}
