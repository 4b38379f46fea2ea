package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"beads/internal/config"
	"beads/internal/control"
	"beads/internal/daemonlog"
	"beads/internal/projection"
)

const (
	// unhealthyBad is how many unhealthy checks in a row make the status an
	// error: the first may have been a moment's trouble.
	unhealthyBad = 2

	// checkupLate is how long a running step may keep a check from being made
	// until it is told.
	checkupLate = 2 * time.Minute
)

// health is what the health step remembers. Its fields are the loop's.
type health struct {
	next time.Time // when the next check is due

	mark  projection.Mark // of a database that was read whole and is sound
	whole time.Time       // when it is read whole again, and our ref is looked at

	polled      bool // the watcher polled from the start
	quarantined int  // lines; -1: not known yet
	grown       time.Time
	processor   processorSpan

	unhealthy int               // checks in a row
	told      map[string]string // what the log says of each check that is not healthy
}

// checkup is the result of one check, as others read it.
type checkup struct {
	at     time.Time // zero: none yet
	checks []control.Check
	limits config.Daemon
}

func newHealth(now time.Time, c config.Daemon, unclean bool) health {
	h := health{next: now.Add(c.HealthInterval), whole: now.Add(fullInterval), quarantined: -1, told: map[string]string{}}
	h.processor.begin(now)
	if unclean {
		h.next, h.whole = now, now
	}
	return h
}

// doubt lets the next check read the whole database.
func (h *health) doubt() { h.mark = projection.Mark{} }

// woke keeps time that nobody could use from counting.
func (h *health) woke(now time.Time) { h.processor.begin(now) }

func (d *Daemon) healthDue(now time.Time) bool {
	return d.config.EnableHealthChecks && !now.Before(d.health.next)
}

// healthWait is how long no check is due.
func (d *Daemon) healthWait(now time.Time) time.Duration {
	if !d.config.EnableHealthChecks {
		return fullInterval
	}
	return max(d.health.next.Sub(now), 0)
}

// CheckHealth looks once at everything the daemon depends on and mends what it
// can: a database that is corrupt, gone or another file is set aside and built
// again, the lock's content is written again, our ref in Git is looked at by an
// exchange. What is found is there for Health, in the log when it changes, and,
// when it was unhealthy twice in a row, in the status. It fails only to leave.
func (d *Daemon) CheckHealth(ctx context.Context) error {
	h, now := &d.health, d.opts.Now()
	h.next = now.Add(d.config.HealthInterval)
	if err := d.Look(); err != nil {
		return err
	}
	if !now.Before(h.whole) {
		h.whole = now.Add(fullInterval)
		h.doubt()
		d.exchange.checkRefs()
	}
	checks := []control.Check{d.checkDirectory()}
	condition := workspaceCondition{}
	if checks[0].Status == control.Healthy {
		database, found, err := d.checkDatabase(ctx)
		if err != nil {
			return err
		}
		condition = found
		checks = append(checks, database)
	}
	now = d.opts.Now() // a rebuild takes its time
	checks = append(checks, d.checkLock(now), d.checkSync(now))
	checks = append(checks, d.checkExchange(now)...)
	checks = append(checks, d.checkClock(now, condition), d.checkDisk(), d.checkQuarantine(now, condition))
	checks = append(checks, h.processor.check(now, d.config))
	d.mu.Lock()
	d.checked = checkup{at: now, checks: checks, limits: d.config}
	d.mu.Unlock()
	found, err := d.Health(ctx)
	if err == nil {
		d.judge(found)
		d.noteHealth(found)
	}
	return err
}

// judge tells the log what changed, and makes lasting trouble the status.
func (d *Daemon) judge(found control.Health) {
	h := &d.health
	reason := ""
	for _, c := range found.Checks {
		said, known := h.told[c.Name], false
		switch {
		case c.Status == control.Healthy:
			if said != "" {
				delete(h.told, c.Name)
				d.log.Info("Healthy again: "+c.Name, "operation", "health", "check", c.Name)
			}
			continue
		case c.Status == control.Unhealthy && reason == "":
			reason = c.Message
		}
		if known = said == c.Status; known {
			continue // its figures may have changed
		}
		h.told[c.Name] = c.Status
		d.log.Warn(c.Message, "operation", "health", "check", c.Name, "health", c.Status)
	}
	h.unhealthy++
	if found.Status != control.Unhealthy {
		h.unhealthy = 0
	}
	if h.unhealthy < unhealthyBad {
		reason = ""
	}
	d.mu.Lock()
	before := d.state.Status
	d.healthError = reason
	d.judgeLocked()
	changed := before != d.state.Status
	d.mu.Unlock()
	if changed {
		d.saveState()
	}
}

// judgeLocked makes the status of what the last steps came to.
func (d *Daemon) judgeLocked() {
	d.state.LastError, d.state.Status = d.syncError, control.Running
	if d.syncError == "" {
		d.state.LastError = d.healthError
	}
	if d.syncError != "" && d.failures >= failuresBad || d.healthError != "" {
		d.state.Status = control.Failing
	}
}

// Health answers at once, also while a step runs, from the last check and what
// costs nothing to read.
func (d *Daemon) Health(context.Context) (control.Health, error) {
	now := d.opts.Now()
	d.mu.Lock()
	last := d.checked
	d.mu.Unlock()
	checks := append([]control.Check{}, last.checks...)
	checks = append(checks, d.checkWatcher(), checkMemory(last.limits), checkDescriptors(last.limits))
	switch late := now.Sub(last.at); {
	case !last.limits.EnableHealthChecks:
		checks = append(checks, healthy("checks", "switched off by enable_health_checks"))
	case last.at.IsZero():
		checks = append(checks, healthy("checks", "the first one is made within %s", last.limits.HealthInterval))
	case late > last.limits.HealthInterval+checkupLate:
		checks = append(checks, warning("checks", "a step has kept the daemon busy: the last check was made %s ago", late.Round(time.Second)))
	default:
		checks = append(checks, healthy("checks", "the last one was made %s ago", max(late, 0).Round(time.Second)))
	}
	return control.HealthOf(checks), nil
}

// checkDatabase asks the database, and repairs it if need be.
func (d *Daemon) checkDatabase(ctx context.Context) (control.Check, workspaceCondition, error) {
	h := &d.health
	condition, err := d.ws.Check(ctx, h.mark)
	repaired := ""
	if err != nil && ctx.Err() == nil && !errors.Is(err, projection.ErrNewer) {
		d.log.Warn("The database is looked at under the lock", "operation", "health", "error", err)
		d.doubted, repaired = true, err.Error()
		if _, stepErr := d.cycle(ctx); stepErr == nil {
			condition, err = d.ws.Check(ctx, projection.Mark{})
		} else if leave := leaveOnly(stepErr); leave != nil {
			return control.Check{}, workspaceCondition{}, leave
		} else {
			err = stepErr
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return control.Check{}, workspaceCondition{}, leaveError{"a stop has begun"}
	case err != nil:
		h.doubt()
		return unhealthy("database", "database connection failed: %s", daemonlog.Visible(err.Error())), workspaceCondition{}, nil
	}
	h.mark = condition.Mark
	found := workspaceCondition{condition, true}
	if condition.Mark.WALSize() > walLarge {
		d.upkeep.next = time.Time{}
	}
	if repaired != "" {
		return warning("database", "was mended: %s", daemonlog.Visible(repaired)), found, nil
	}
	return healthy("database", "answers"), found, nil
}

func healthy(name, format string, args ...any) control.Check {
	return control.Check{Name: name, Status: control.Healthy, Message: fmt.Sprintf(format, args...)}
}

func warning(name, format string, args ...any) control.Check {
	return control.Check{Name: name, Status: control.Warning, Message: fmt.Sprintf(format, args...)}
}

func unhealthy(name, format string, args ...any) control.Check {
	return control.Check{Name: name, Status: control.Unhealthy, Message: fmt.Sprintf(format, args...)}
}
