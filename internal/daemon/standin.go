package daemon

import (
	"context"

	"beads/internal/control"
)

// Health says whether the last steps went well.
func (d *Daemon) Health(context.Context) (control.Health, error) {
	d.mu.Lock()
	c := control.Check{Name: "sync", Status: control.Healthy, Message: d.state.LastError}
	d.mu.Unlock()
	if c.Message != "" {
		c.Status = control.Unhealthy
	}
	h := control.Health{Status: c.Status, Checks: []control.Check{c}}
	d.noteHealth(h)
	return h, nil
}
