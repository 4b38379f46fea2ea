package daemon

import (
	"context"
	"errors"
	"runtime/debug"

	"beads/internal/control"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// Refresh brings log, guard copy and database together once. Its failure is
// logged, shown in the status and tried again later; a leaveError says that the
// workspace is not ours to touch any more.
func (d *Daemon) Refresh(ctx context.Context) (workspace.Report, error) {
	if err := d.Look(); err != nil {
		return workspace.Report{}, err
	}
	verify, began := d.verify, d.opts.Now()
	report, err := d.ws.Refresh(ctx, verify)
	if err != nil && ctx.Err() != nil {
		return report, leaveError{"a stop has begun"} // it was cancelled, nothing is wrong
	}
	now := d.opts.Now()
	d.metrics.Refreshed(now.Sub(began))
	if err == nil {
		if dir := d.ws.Place().Dir; dir != d.opts.Place.Dir {
			return report, leaveError{"the workspace is now in " + dir}
		}
		d.verify = false
		d.succeeded()
		d.add(report)
	} else {
		if leave := d.Look(); leave != nil {
			return report, leave // it failed because the workspace went away
		}
		if errors.Is(err, projection.ErrNewer) {
			return report, d.outdated(ctx, err)
		}
		d.failed(now)
		d.log.Error("Sync failed: "+err.Error(), "operation", "refresh", "error", err)
	}
	d.takeStock(ctx, report.Applied)
	d.mu.Lock()
	d.state.Restored += int64(report.Restored)
	d.state.LastError, d.state.Status = "", control.Running
	if err != nil {
		d.state.LastError = visible(err.Error())
		if d.failures >= failuresBad {
			d.state.Status = control.Failing
		}
	}
	d.mu.Unlock()
	if err != nil {
		d.saveState()
	}
	if report.Rebuilt || report.FullScan {
		debug.FreeOSMemory() // a large log needs memory that an idle daemon does not
	}
	return report, err
}

// Sync is one cycle: a refresh that counts. It fails only to leave.
func (d *Daemon) Sync(ctx context.Context) error {
	_, err := d.cycle(ctx)
	return leaveOnly(err)
}

func (d *Daemon) cycle(ctx context.Context) (workspace.Report, error) {
	d.log.Debug("Starting sync operation", "operation", "sync")
	began := d.opts.Now()
	report, err := d.Refresh(ctx)
	if leave := leaveOnly(err); leave != nil {
		return report, err
	}
	moved := d.take()
	now := d.opts.Now().UTC()
	d.metrics.Synced(now.Sub(began), err != nil)
	d.publishCycle(moved, err)
	d.mu.Lock()
	d.state.SyncCount++
	d.state.LastSync = &now
	if err != nil {
		d.state.ErrorCount++
	}
	d.mu.Unlock()
	d.saveState()
	switch {
	case err != nil: // logged
		return report, err
	case moved.Quiet():
		d.log.Debug("No sync needed", "operation", "sync", "duration", moved.Duration)
	default:
		d.log.Info("Sync completed successfully", "operation", "sync", "duration", moved.Duration,
			"applied", moved.Applied, "restored", moved.Restored, "imported", moved.Imported,
			"quarantined", moved.Quarantined, "rebuilt", moved.Rebuilt, "full_scan", moved.FullScan)
	}
	d.exchangeNow()
	return report, err
}
