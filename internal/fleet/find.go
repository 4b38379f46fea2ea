package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"beads/internal/control"
	"beads/internal/workspace"
)

// How long a daemon may take to answer, to end, and to die.
const (
	answerPatience = 800 * time.Millisecond // no command takes a second longer for a daemon that hangs
	stopPatience   = 10 * time.Second
	killPatience   = 5 * time.Second
	searchInterval = 100 * time.Millisecond

	successorPatience = 500 * time.Millisecond // before it is asked whether another daemon has the lock
)

// ErrNotRunning is what Stop fails with when there is no daemon.
var ErrNotRunning = errors.New("daemon not running")

// StopError says why a daemon could not be stopped.
type StopError struct {
	Reason  string
	Patient bool // force was not used and may help
}

func (e *StopError) Error() string { return "failed to stop daemon: " + e.Reason }

// Inspect says how the daemon of the workspace at p is. It asks the daemon and,
// if none answers, reads what the last one left; it changes nothing. A daemon
// that has the lock but does not answer within 800 ms is Failing.
func Inspect(ctx context.Context, p workspace.Place, sockets control.Place) (control.Status, error) {
	s, answered, err := ask(ctx, p, sockets)
	if err == nil {
		return s, nil
	}
	if ctx.Err() != nil {
		return control.Status{}, context.Cause(ctx)
	}
	pid, isHeld, lockErr := held(p.DaemonLock())
	if lockErr != nil {
		return control.Status{}, lockErr
	}
	s = LoadState(p).Report()
	s.Workspace = p.Dir
	if isHeld {
		if answered != 0 {
			pid = answered
		}
		s.Status = control.Failing
		s.PID, s.LastError = pid, unanswered(pid, err)
		return s, nil
	}
	s.PID = 0
	if s.Status != control.Failing {
		s.Status = control.Stopped
	}
	return s, nil
}

// unanswered names the process that has the lock.
func unanswered(pid int, err error) string {
	return fmt.Sprintf("PID %d holds the daemon's lock but cannot be asked: %v", pid, err)
}

// Trouble is why the daemon that runs for the workspace at p cannot do its work,
// as it wrote down itself; "" if it can, or if none runs. It asks nobody: one
// small file is read, and the lock is looked at only where that tells of trouble.
func Trouble(p workspace.Place) string {
	s := LoadState(p)
	if s.Status != control.Failing {
		return ""
	}
	if _, isHeld, err := held(p.DaemonLock()); err != nil || !isHeld {
		return ""
	}
	return s.LastError
}

// ask asks the daemon how it is. pid is the process at the other end of the
// socket, as the kernel says, also when that did not answer; 0 if unknown. ask
// fails with ErrNotRunning when nobody holds the lock.
func ask(ctx context.Context, p workspace.Place, sockets control.Place) (s control.Status, pid int, err error) {
	pid, err = askFor(ctx, p, sockets, func(asking context.Context, client *control.Client) error {
		s, err = client.Status(asking)
		return err
	})
	return s, pid, err
}

// askFor is Ask for who names the process that does not answer.
func askFor(ctx context.Context, p workspace.Place, sockets control.Place, fn func(context.Context, *control.Client) error) (pid int, err error) {
	asking, cancel := context.WithTimeoutCause(ctx, answerPatience, errNoAnswer)
	defer cancel()
	client, err := search(asking, p, sockets)
	if err == nil {
		pid = client.PID()
		err = fn(asking, client)
	}
	if err != nil && asking.Err() != nil {
		err = context.Cause(asking)
	}
	return pid, err
}

var errNoAnswer = errors.New("it does not answer")

// Ask calls fn with the daemon of the workspace at p, and with a context that
// ends when fn has taken as long as a command waits for an answer. It fails with
// ErrNotRunning when there is no daemon.
func Ask(ctx context.Context, p workspace.Place, sockets control.Place, fn func(context.Context, *control.Client) error) error {
	pid, err := askFor(ctx, p, sockets, fn)
	if !errors.Is(err, errNoAnswer) {
		return err
	}
	if pid == 0 {
		pid, _, _ = held(p.DaemonLock())
	}
	return errors.New(unanswered(pid, err))
}

// Running reports whether a daemon holds the lock of the workspace at p. It asks
// nobody.
func Running(p workspace.Place) (bool, error) {
	_, isHeld, err := held(p.DaemonLock())
	return isHeld, err
}

// Stop ends the daemon of the workspace at p and returns its PID when its lock
// is free, which is when it has closed everything. force kills a daemon that
// does not end in time, if the kernel vouches for its process. It fails with
// ErrNotRunning or a StopError.
func Stop(ctx context.Context, p workspace.Place, sockets control.Place, force bool) (pid int, err error) {
	graceful, cancel := context.WithTimeoutCause(ctx, stopPatience, errors.New("it did not stop in "+stopPatience.String()))
	defer cancel()
	client, err := search(graceful, p, sockets)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case graceful.Err() != nil:
		return 0, silent(p, err)
	default:
		return 0, err
	}
	asking, cancelAsking := context.WithTimeoutCause(graceful, stopPatience/2, errors.New("it does not answer"))
	defer cancelAsking()
	err = client.Stop(asking)
	if err == nil || ctx.Err() == nil && !force {
		// Without an answer it may have heard all the same.
		if waitErr := waitStopped(graceful, p, sockets, client.PID()); waitErr == nil {
			return client.PID(), nil
		} else if err == nil {
			err = waitErr
		}
	}
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case !force:
		return 0, &StopError{Reason: fmt.Sprintf("PID %d: %v", client.PID(), err), Patient: true}
	}
	dying, cancelDying := context.WithTimeoutCause(ctx, killPatience, errors.New("it was killed but its lock is still held"))
	defer cancelDying()
	killErr := client.Kill(dying)
	// Also after a failed kill: it may just have ended by itself.
	if err := waitFree(dying, p.DaemonLock()); err != nil {
		if killErr != nil {
			err = killErr
		}
		return 0, &StopError{Reason: fmt.Sprintf("PID %d: %v", client.PID(), err)}
	}
	return client.PID(), nil
}

// waitStopped waits until the daemon pid and all that follow it have let go of
// the lock: one that auto_start had launched already may take over, and who
// asked for a stop means that one, too.
func waitStopped(ctx context.Context, p workspace.Place, sockets control.Place, pid int) error {
	for {
		waiting, cancel := context.WithTimeoutCause(ctx, successorPatience, errors.New("the lock is still held"))
		err := waitFree(waiting, p.DaemonLock())
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		client, err := control.Connect(ctx, sockets.Paths(p.Dir), sockets.UID)
		if err != nil || client.PID() == pid {
			continue // it is still at it, or its successor is not there yet
		}
		if err := client.Stop(ctx); err == nil {
			pid = client.PID()
		}
	}
}

// search finds the daemon that holds the lock. One that is starting, dying, or
// whose socket was removed, opens a socket or frees the lock within seconds, so
// it looks again until ctx ends.
func search(ctx context.Context, p workspace.Place, sockets control.Place) (*control.Client, error) {
	again := time.NewTicker(searchInterval)
	defer again.Stop()
	for {
		client, err := control.Connect(ctx, sockets.Paths(p.Dir), sockets.UID)
		if err == nil {
			return client, nil
		}
		_, isHeld, lockErr := held(p.DaemonLock())
		switch {
		case lockErr != nil:
			return nil, lockErr
		case !isHeld:
			return nil, ErrNotRunning
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// silent is the error for a lock that is held by who does not answer.
func silent(p workspace.Place, err error) error {
	pid, _, _ := held(p.DaemonLock())
	return &StopError{Reason: fmt.Sprintf("the lock is held (by PID %d, as its file says) but %v", pid, err)}
}
