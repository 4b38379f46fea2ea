package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"beads/internal/control"
	"beads/internal/watch"
)

// How long a clean stop lets the running step go on before it is cancelled,
// and before it is left behind.
const (
	stepGrace   = 4 * time.Second
	stepAbandon = 5 * time.Second
)

// leaveError makes the daemon end by itself.
type leaveError struct{ reason string }

func (e leaveError) Error() string { return e.reason }

// Run serves the workspace until ctx ends, Stop is called, or the daemon has
// reason to leave; then it stops cleanly and releases everything that Start
// opened. Call it once.
func (d *Daemon) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, d.halt)()
	defer context.AfterFunc(d.halted, d.events.Close)()
	steps, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	watching, stopWatching := context.WithCancel(steps)
	defer stopWatching()
	watched := make(chan error, 1)
	go func() { watched <- d.watcher.Run(watching) }()
	d.listen(d.socket)

	finish := d.workExchange()
	looped := make(chan error, 1)
	go func() { looped <- d.loop(steps) }()
	var err error
	abandoned := false
	select {
	case err = <-looped:
	case <-d.halted.Done():
		err, abandoned = patience(looped, cancel)
	}
	abandoned = !finish() || abandoned
	stopWatching()
	d.handOver()
	return errors.Join(d.end(err, abandoned, watched), d.release(!abandoned))
}

// patience waits for the loop to finish its step, cancels it, and at last gives
// it up: a step may hang in the kernel, and SQLite and the log survive a death.
func patience(looped <-chan error, cancel context.CancelFunc) (err error, abandoned bool) {
	grace := time.AfterFunc(stepGrace, cancel)
	defer grace.Stop()
	limit := time.NewTimer(stepAbandon)
	defer limit.Stop()
	select {
	case err = <-looped:
		return err, false
	case <-limit.C:
		return nil, true
	}
}

// end does the last steps that may need the workspace. It reports what went
// wrong in the stop itself, not why the loop ended.
func (d *Daemon) end(cause error, abandoned bool, watched <-chan error) error {
	var leave leaveError
	if errors.As(cause, &leave) && d.halted.Err() == nil {
		d.log.Warn("Leaving: "+leave.reason, "operation", "stop")
	}
	ours, err := d.lock.Current()
	switch {
	case abandoned:
		d.log.Warn("A step did not end in time and was left behind", "operation", "stop")
	case err == nil && ours:
		if err = d.ws.Checkpoint(); err != nil {
			d.log.Error("Checkpoint failed", "operation", "stop", "error", err)
		}
	}
	<-watched
	d.mu.Lock()
	d.state.PID = 0
	if d.state.Status == control.Running {
		d.state.Status = control.Stopped
	}
	d.mu.Unlock()
	d.saveState()
	d.log.Info("Daemon stopped", "operation", "stop")
	return err
}

// listen serves l until the daemon ends or l is closed.
func (d *Daemon) listen(l *control.Listener) {
	d.serving.Go(func() {
		if err := control.Serve(d.serve, l, d.opts.Sockets.UID, handler{d, l.Path()}); err != nil {
			d.log.Error("Control socket failed", "operation", "control", "error", err)
		}
	})
}

// loop runs steps until a stop begins or one says to leave.
func (d *Daemon) loop(steps context.Context) error {
	if d.config.SyncOnStartup {
		d.verify = d.verify || !d.scanned
		if err := d.Sync(steps); err != nil {
			return err
		}
	} else {
		d.export = d.opts.Now()
	}
	d.freeMemory() // starting needs more than waiting
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := d.opts.Now()
		d.count()
		wait := min(d.wait(now), d.exchange.wait(now), d.healthWait(now), d.upkeep.wait(now))
		if reload, pending := d.settings.reloads.Wait(now); pending {
			wait = min(wait, reload)
		}
		timer.Reset(wait)
		var err error
		select {
		case <-d.halted.Done():
			return nil
		case event, ok := <-d.watcher.Events():
			if !ok {
				return nil
			}
			err = d.Note(event)
		case result := <-d.results():
			d.Exchanged(result)
		case call := <-d.wake:
			err = call(steps)
		case signal := <-d.opts.Signals:
			err = d.signalled(steps, signal)
		case <-timer.C:
			err = d.Tick(steps)
		}
		if err != nil {
			return err
		}
	}
}

// Note takes one event of the watcher. It fails only to leave.
func (d *Daemon) Note(event watch.Event) error {
	p := d.opts.Place
	switch {
	case event.Op == watch.Overflow:
		d.log.Debug("Events may have been lost", "operation", "watch", "directory", event.Dir)
		d.changed(d.opts.Now(), true)
		d.settingsChanged(d.opts.Now())
		return d.Look()
	case event.Name == filepath.Base(p.DaemonLock()):
		if event.Op == watch.Modified {
			return nil // our own heartbeat
		}
		return d.Look()
	case p.Source != "" && event.Dir == filepath.Dir(p.Source):
		if event.Name != filepath.Base(p.Source) {
			return nil
		}
	case event.Dir == p.Dir && settingsName(event.Name):
		d.settingsChanged(d.opts.Now())
	case !d.config.Watches(event.Name):
		return nil
	}
	d.log.Debug("File "+event.Op.String()+": "+event.Name, "operation", "watch", "directory", event.Dir)
	d.changed(d.opts.Now(), false)
	return nil
}

// Tick runs every step that is due now. It fails only to leave.
func (d *Daemon) Tick(ctx context.Context) error {
	now := d.opts.Now()
	d.watchClock(now)
	if !now.Before(d.look) {
		d.look = now.Add(lookInterval)
		if err := d.Look(); err != nil {
			return err
		}
		if err := d.Upgrade(ctx); err != nil {
			return err
		}
		d.lookAtSettings(now)
	}
	if d.settings.reloads.Take(now) {
		if err := leaveOnly(d.Reload(ctx)); err != nil {
			return err
		}
	}
	if !now.Before(d.beat) {
		d.beat = now.Add(beatInterval)
		d.mu.Lock()
		d.cpu.sample(now)
		d.mu.Unlock()
		if err := d.lock.Beat(now); err != nil {
			d.log.Warn("Lock file not written", "operation", "lock", "error", err)
		}
	}
	if d.measureDue(now) {
		d.takeStock(ctx, 0)
		d.measure(now)
	}
	if !d.more && d.exchange.remoteDue(now) { // else it would do the rest at once
		d.exchangeNow()
	}
	if d.healthDue(now) {
		if err := d.CheckHealth(ctx); err != nil {
			return err
		}
	}
	cycle, refresh := d.due(now)
	switch {
	case cycle:
		return d.Sync(ctx)
	case refresh:
		_, err := d.Refresh(ctx)
		return leaveOnly(err)
	case !d.export.IsZero() && !now.Before(d.export):
		_ = d.Export(ctx) // logged, shown, and tried again
	case d.upkeep.wait(now) == 0 && d.cycles.Pending():
		d.upkeep.next = now.Add(upkeepRetry)
	case d.upkeep.wait(now) == 0:
		return d.Maintain(ctx)
	case d.idle(now):
		return leaveError{"no events for " + d.config.IdleExit.String()}
	}
	return nil
}

// Look makes sure that the lock is still ours, which is reason to leave if it
// is not, and that the socket can still be found.
func (d *Daemon) Look() error {
	current, err := d.lock.Current()
	if err != nil {
		if text := err.Error(); text != d.lookErr { // a failure that goes on is told once
			d.lookErr = text
			d.log.Warn("Lock file not readable", "operation", "lock", "error", err)
		}
		return nil
	}
	d.lookErr = ""
	if !current {
		return leaveError{d.opts.Place.DaemonLock() + " is gone or another file now"}
	}
	if d.socket == nil || d.socket.Current() {
		return nil
	}
	fresh, err := control.Listen(d.socketPaths(), d.opts.Sockets.UID)
	if err != nil {
		d.log.Warn("The control socket is gone and could not be made again", "operation", "control", "error", err)
		return nil
	}
	old := d.socket
	d.socket = fresh
	d.listen(fresh)
	d.log.Warn("The control socket was gone and is made again", "operation", "control", "socket", fresh.Path())
	return old.Close()
}

// leaveOnly drops errors that the daemon lives with; they are logged.
func leaveOnly(err error) error {
	var leave leaveError
	if errors.As(err, &leave) {
		return err
	}
	return nil
}
