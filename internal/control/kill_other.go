//go:build !linux

package control

import (
	"errors"
	"net"
)

// kill needs a descriptor of the process, so that a reused number is never
// signalled; this system has none.
func kill(*net.UnixConn, int) error {
	return errors.New("this system cannot signal a process without the risk of hitting another")
}
