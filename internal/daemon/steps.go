package daemon

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

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
	verify := d.verify
	report, err := d.ws.Refresh(ctx, verify)
	if err != nil && ctx.Err() != nil {
		return report, leaveError{"a stop has begun"} // it was cancelled, nothing is wrong
	}
	now := d.opts.Now()
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
	d.mu.Lock()
	d.state.Applied += int64(report.Applied)
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
	report, err := d.Refresh(ctx)
	if leave := leaveOnly(err); leave != nil {
		return report, err
	}
	moved := d.take()
	now := d.opts.Now().UTC()
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

// sample starts a new span for the processor's share.
func (d *Daemon) sample(now time.Time) {
	used := processorTime()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cpu = cpuSample{at: now, used: used}
}

// handler is the daemon as its control socket sees it.
type handler struct{ *Daemon }

var _ control.Handler = handler{}

// Status answers at once, also while a step runs.
func (h handler) Status(context.Context) (control.Status, error) {
	d := h.Daemon
	now, used := d.opts.Now(), processorTime()
	d.mu.Lock()
	s := d.state.status()
	cpu := d.cpu
	s.Remote, s.ExchangingSince = d.remote, d.exchanging
	d.mu.Unlock()
	s.MemoryUsage = residentMemory()
	if span := now.Sub(cpu.at); span > 0 {
		s.CPUPercent = float64((used - cpu.used).Milliseconds()) / float64(max(span.Milliseconds(), 1)) * 100
	}
	s.UptimeSeconds = int64(now.Sub(*s.StartTime) / time.Second)
	s.Workspace = d.opts.Place.Dir
	s.Watcher, s.WatcherReason = d.watcher.Mode(), d.watcher.Reason()
	s.Config = d.opts.Config.Path
	return s, nil
}

// Refresh runs one cycle in the loop and waits for it.
func (h handler) Refresh(ctx context.Context) (control.Report, error) {
	type result struct {
		report workspace.Report
		err    error
	}
	d := h.Daemon
	done := make(chan result, 1)
	call := func(steps context.Context) error {
		d.active = d.opts.Now()
		report, err := d.cycle(steps)
		done <- result{report, err}
		return leaveOnly(err)
	}
	select {
	case d.wake <- call:
	case <-d.halted.Done():
		return control.Report{}, context.Canceled
	case <-ctx.Done():
		return control.Report{}, context.Cause(ctx)
	}
	select {
	case r := <-done:
		return control.Report{
			Applied: r.report.Applied, Restored: r.report.Restored, Imported: r.report.Imported,
			Quarantined: r.report.Quarantined, Rebuilt: r.report.Rebuilt, FullScan: r.report.FullScan,
			Seconds: r.report.Duration.Seconds(),
		}, r.err
	case <-ctx.Done():
		return control.Report{}, context.Cause(ctx)
	}
}

// Stop begins a clean stop.
func (h handler) Stop(context.Context) error {
	h.log.Info("Stop requested", "operation", "stop")
	h.halt()
	return nil
}
