package daemon

import (
	"context"
	"errors"
	"time"

	"beads/internal/daemonlog"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// Refresh brings log, guard copy and database together, or does one batch of
// that: Report.More says that more is left, which Tick does when the pace allows.
// Its failure is logged, shown in the status and tried again later; a leaveError
// says that the workspace is not ours to touch any more.
func (d *Daemon) Refresh(ctx context.Context) (workspace.Report, error) {
	if err := d.Look(); err != nil {
		return workspace.Report{}, err
	}
	began := d.opts.Now()
	report, err := d.refreshOrRepair(ctx)
	if err != nil && ctx.Err() != nil {
		return report, leaveError{"a stop has begun"} // it was cancelled, nothing is wrong
	}
	now := d.opts.Now()
	d.metrics.Refreshed(now.Sub(began))
	d.goOn(report.More && err == nil, now, d.pace.wait(now, d.opts.Spent()))
	if err == nil {
		if dir := d.ws.Place().Dir; dir != d.opts.Place.Dir {
			return report, leaveError{"the workspace is now in " + dir}
		}
		d.verify, d.doubted = d.verify && report.More && !report.FullScan, false
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
		d.health.doubt()
		d.log.Error("Sync failed: "+err.Error(), "operation", "refresh", "error", err)
	}
	d.takeStock(ctx, report.Applied)
	d.mu.Lock()
	d.state.Restored += int64(report.Restored)
	d.syncError = d.exportError
	if err != nil {
		d.syncError = daemonlog.Visible(err.Error())
	}
	d.judgeLocked()
	d.mu.Unlock()
	if err != nil {
		d.saveState()
	}
	if !report.More && !report.Quiet() || report.FullScan {
		d.freeMemory()
	}
	return report, err
}

func (d *Daemon) refreshOrRepair(ctx context.Context) (workspace.Report, error) {
	if d.doubted {
		return d.ws.Repair(ctx)
	}
	return d.ws.RefreshBatch(ctx, d.verify, d.config.BatchSize)
}

// Sync is one cycle: a refresh that counts, or its next batch. It fails only to
// leave.
func (d *Daemon) Sync(ctx context.Context) error {
	_, err := d.cycle(ctx)
	return leaveOnly(err)
}

// cycle begins a cycle or goes on with it, and reports what this batch moved.
func (d *Daemon) cycle(ctx context.Context) (workspace.Report, error) {
	if !d.begun {
		d.log.Debug("Starting sync operation", "operation", "sync")
		d.cycleBegan = d.opts.Now()
	}
	report, err := d.Refresh(ctx)
	if leave := leaveOnly(err); leave != nil {
		return report, err
	}
	d.begun = report.More && err == nil
	if d.counting = d.begun; d.counting {
		return report, nil
	}
	if err == nil {
		d.waiting = time.Time{}
		d.tellProblems(ctx)
	}
	moved := d.take()
	exportErr := error(nil)
	if err == nil {
		exportErr = d.Export(ctx)
	}
	now := d.opts.Now().UTC()
	d.metrics.Synced(now.Sub(d.cycleBegan), err != nil || exportErr != nil)
	d.publishCycle(moved, err)
	d.mu.Lock()
	d.state.SyncCount++
	d.state.LastSync = &now
	if err != nil || exportErr != nil {
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
			"quarantined", moved.Quarantined, "interactions", moved.Interactions.Applied, "rebuilt", moved.Rebuilt, "full_scan", moved.FullScan)
	}
	d.exchangeNow()
	return report, err
}

// whole runs a cycle to its end.
func (d *Daemon) whole(ctx context.Context) (workspace.Report, error) {
	var total workspace.Report
	for {
		report, err := d.cycle(ctx)
		sum(&total, report)
		if err != nil || !report.More || d.halted.Err() != nil {
			return total, err
		}
	}
}
