//go:build unix && !linux && !darwin

package control

import (
	"errors"
	"net"
	"syscall"
)

// peerOf cannot ask here; the socket's directory is this user's alone.
func peerOf(*net.UnixConn) (peer, error) { return peer{}, nil }

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
