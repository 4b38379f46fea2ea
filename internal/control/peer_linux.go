package control

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf asks for SO_PEERCRED: on the client's side that is who called listen.
func peerOf(conn *net.UnixConn) (peer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, credErr); err != nil {
		return peer{}, fmt.Errorf("peer credentials: %w", err)
	}
	return peer{known: true, uid: int(cred.Uid), pid: int(cred.Pid)}, nil
}

// kill signals pid through a descriptor of the process. The order is what makes
// it safe: the process that listens lived until the connection was checked, and
// the descriptor was opened before, so it cannot be of a process that has
// inherited the number.
func kill(conn *net.UnixConn, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("pidfd: %w", err)
	}
	defer unix.Close(fd)
	alive, err := open(conn)
	if err != nil {
		return err
	}
	if !alive {
		return errors.New("it has just closed the connection")
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		return fmt.Errorf("pidfd signal: %w", err)
	}
	return nil
}

// open reports whether the other end still holds the connection.
func open(conn *net.UnixConn) (alive bool, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false, err
	}
	var n int
	var readErr error
	err = raw.Control(func(fd uintptr) {
		n, _, readErr = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	switch {
	case err != nil:
		return false, err
	case errors.Is(readErr, unix.EAGAIN):
		return true, nil
	case readErr != nil:
		return false, nil
	}
	return n > 0, nil
}
