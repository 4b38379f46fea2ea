package daemon

import (
	"reflect"

	"beads/internal/control"
	"beads/internal/daemonlog"
	"beads/internal/workspace"
)

// publish tells everyone who listens on the control socket. It waits for nobody.
func (d *Daemon) publish(kind string, data any) {
	if err := d.events.Publish(kind, data); err != nil {
		d.log.Warn("Event not published", "operation", "events", "error", err)
	}
}

func (d *Daemon) publishApplied(n int64, issues []string) {
	data := control.Applied{Time: d.opts.Now().UTC(), Operations: n, Issues: issues}
	if len(issues) > namedIssues {
		data.Issues, data.More = issues[:namedIssues], true
	}
	d.publish(control.AppliedEvent, data)
}

func (d *Daemon) publishCycle(moved workspace.Report, err error) {
	report := answer(moved)
	data := control.Synced{Time: d.opts.Now().UTC(), Report: &report}
	if err != nil {
		data.Error = daemonlog.Visible(err.Error())
	}
	d.publish(control.SyncEvent, data)
}

// noteHealth keeps what a look found, for the status, and tells who listens if
// it is another than before.
func (d *Daemon) noteHealth(h control.Health) {
	d.mu.Lock()
	changed := d.found.Status != h.Status || !reflect.DeepEqual(unwell(d.found), unwell(h))
	d.found = h
	d.mu.Unlock()
	if changed {
		d.publish(control.HealthEvent, control.HealthChange{Time: d.opts.Now().UTC(), Health: h})
	}
}

// unwell are the checks that are not healthy. Their messages hold figures,
// which alone are no change.
func unwell(h control.Health) []string {
	var names []string
	for _, c := range h.Checks {
		if c.Status != control.Healthy {
			names = append(names, c.Name+" "+c.Status)
		}
	}
	return names
}
