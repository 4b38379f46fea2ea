//go:build unix

package control

import (
	"errors"
	"syscall"
)

// refused reports whether the socket is there and nobody listens.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
