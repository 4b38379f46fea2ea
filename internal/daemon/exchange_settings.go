package daemon

import (
	"context"
	"time"

	"beads/internal/replica"
)

// reopening asks work for another replica, and then for an exchange with it.
type reopening struct {
	open func(context.Context) (Exchanger, error)
	want replica.SyncOptions
}

func (s RemoteSettings) withDefaults() RemoteSettings {
	if s.Interval <= 0 {
		s.Interval = 30 * time.Second
	}
	return s
}

// apply makes s count from now on and reports whether it differs from what
// counted. With another ref or remote, or with interactions or without, the
// replica is opened again, after the exchange that runs.
func (e *exchange) apply(s RemoteSettings, open func(context.Context) (Exchanger, error), now time.Time) bool {
	s = s.withDefaults()
	if e == nil || s == e.settings {
		return false
	}
	elsewhere := s.Name != e.settings.Name || s.Ref != e.settings.Ref || s.Interactions != e.settings.Interactions
	e.settings = s
	e.rhythm.Retime(s.Interval, now)
	if elsewhere {
		e.refused = 0
		select {
		case <-e.anew: // only the last counts
		default:
			e.asked++
		}
		e.anew <- reopening{open, e.want()}
	}
	return true
}

// reopen replaces the replica, or keeps the old one if there is no new one to be
// had.
func (e *exchange) reopen(ctx context.Context, open func(context.Context) (Exchanger, error)) error {
	fresh, err := open(ctx)
	if err != nil {
		return err
	}
	old := e.replica
	e.replica = fresh
	return old.Close()
}

// reopenExchange opens the replica as the settings are now.
func (d *Daemon) reopenExchange(ctx context.Context) (Exchanger, error) {
	return d.opts.Exchange(ctx, d.notice)
}
