package daemon

import (
	"context"
	"time"

	"beads/internal/control"
	"beads/internal/metrics"
	"beads/internal/workspace"
)

// handler is the daemon as its control socket sees it.
type handler struct {
	*Daemon
	socket string // the path that it is asked through
}

var _ control.Handler = handler{}

// Status answers at once, also while a step runs.
func (h handler) Status(context.Context) (control.Status, error) {
	d := h.Daemon
	now, used := d.opts.Now(), processorTime()
	d.mu.Lock()
	s := d.state.Report()
	s.CPUPercent = d.cpu.percent(now, used)
	s.ConfigError = d.configError
	s.Remote, s.ExchangingSince, s.Quarantine = d.remote, d.exchanging, d.quarantine
	s.Health, s.HealthReason = d.found.Status, firstProblem(d.found)
	d.mu.Unlock()
	s.MemoryUsage, s.MemoryPeak, s.CPUSeconds = residentMemory(), peakMemory(), used.Seconds()
	if s.Remote != nil {
		s.Unpublished = &s.Remote.Unshared
	}
	s.UptimeSeconds = int64(now.Sub(*s.StartTime) / time.Second)
	s.Workspace = d.opts.Place.Dir
	s.Watcher, s.WatcherReason = d.watcher.Mode(), d.watcher.Reason()
	s.Config, s.Socket = d.current.Load().Path, h.socket
	return s, nil
}

// Health is the daemon's.
func (h handler) Health(ctx context.Context) (control.Health, error) { return h.Daemon.Health(ctx) }

// Metrics answers at once, with gauges as they were sampled.
func (h handler) Metrics(context.Context) (metrics.Snapshot, error) {
	h.mu.Lock()
	on := h.measures
	h.mu.Unlock()
	if !on {
		return metrics.Snapshot{}, control.ErrMetricsOff
	}
	return h.metrics.Snapshot(), nil
}

// Sync runs one cycle in the loop, waits for it, and then for the exchange that
// it asked for.
func (h handler) Sync(ctx context.Context) (control.SyncResult, error) {
	d := h.Daemon
	var report workspace.Report
	var exchange <-chan exchanged
	err := d.ask(ctx, func(steps context.Context) (err error) {
		if report, err = d.whole(steps); err == nil && d.exchange != nil {
			exchange = d.exchange.await()
		}
		return err
	})
	if err != nil {
		return control.SyncResult{}, err
	}
	result := control.SyncResult{Report: answer(report)}
	if exchange == nil {
		return result, nil
	}
	select {
	case r := <-exchange:
		result.Exchange = r.answer()
		return result, nil
	case <-d.halted.Done():
		return control.SyncResult{}, control.ErrStopping
	case <-ctx.Done():
		return control.SyncResult{}, context.Cause(ctx)
	}
}

// Reload reads the settings again in the loop.
func (h handler) Reload(ctx context.Context) error { return h.ask(ctx, h.Daemon.Reload) }

// Stop begins a clean stop.
func (h handler) Stop(context.Context) error {
	h.log.Info("Stop requested", "operation", "stop")
	h.halt()
	return nil
}

// Subscribe is the hub's.
func (h handler) Subscribe() (<-chan control.Event, func()) { return h.events.Subscribe() }

// ask lets the loop run step between two of its own, and returns step's error.
// Where it returns another one, step may run still or later.
func (d *Daemon) ask(ctx context.Context, step func(context.Context) error) error {
	begins := d.metrics.Waits()
	defer begins()
	done := make(chan error, 1)
	call := func(steps context.Context) error {
		begins()
		d.active = d.opts.Now()
		err := step(steps)
		done <- err
		return leaveOnly(err)
	}
	select {
	case d.wake <- call:
	case <-d.halted.Done():
		return control.ErrStopping
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answer is a report as the control socket tells it.
func answer(r workspace.Report) control.Report {
	return control.Report{
		Applied: r.Applied, Restored: r.Restored, Imported: r.Imported, Quarantined: r.Quarantined,
		Rebuilt: r.Rebuilt, FullScan: r.FullScan, Seconds: r.Duration.Seconds(),
	}
}

// firstProblem is the message of the worst check, "" if all is well.
func firstProblem(h control.Health) string {
	for _, c := range h.Checks {
		if c.Status != control.Healthy && c.Status == h.Status {
			return c.Message
		}
	}
	return ""
}
