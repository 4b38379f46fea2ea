package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"beads/internal/control"
	"beads/internal/workspace"
)

// healthPatience is how long a daemon may take to say how it is. Monitoring
// waits for it.
const healthPatience = 900 * time.Millisecond

// AskHealth asks the daemon of the workspace at p how it is. running is false if
// there is none; one that has the lock but does not answer is Unhealthy.
func AskHealth(ctx context.Context, p workspace.Place, sockets control.Place) (h control.Health, running bool, err error) {
	asking, cancel := context.WithTimeoutCause(ctx, healthPatience, errors.New("it does not answer"))
	defer cancel()
	client, err := search(asking, p, sockets)
	if err == nil {
		if h, err = client.Health(asking); err == nil {
			return h, true, nil
		}
	}
	if ctx.Err() != nil {
		return h, false, context.Cause(ctx)
	}
	pid, isHeld, lockErr := held(p.DaemonLock())
	check := control.Check{Name: "process", Status: control.Unhealthy}
	switch {
	case lockErr != nil:
		check.Message = "lock file corrupted: " + lockErr.Error()
	case isHeld:
		if client != nil && client.PID() != 0 {
			pid = client.PID()
		}
		check.Message = fmt.Sprintf("the daemon (PID %d) holds its lock but cannot be asked: %v", pid, err)
	default:
		check.Message = "daemon process not running: " + whyNot(p)
	}
	return control.HealthOf([]control.Check{check}), lockErr == nil && isHeld, nil
}

// whyNot says what is known of a daemon that does not run.
func whyNot(p workspace.Place) string {
	last := LoadState(p)
	switch {
	case last.StartTime == nil:
		return "none was started here"
	case last.PID != 0:
		return fmt.Sprintf("the last one (PID %d) ended without a clean stop", last.PID)
	case last.Status == control.Failing && last.LastError != "":
		return "the last one ended in trouble: " + last.LastError
	}
	return "the last one was stopped"
}
