package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"beads/internal/config"
	"beads/internal/control"
	"beads/internal/daemonlog"
	"beads/internal/fleet"
	"beads/internal/watch"
	"beads/internal/workspace"
)

const (
	megabyte = 1_000_000

	// Less than this is little room; a large disk has enough left below one
	// per cent.
	diskLow      = 100 * megabyte
	diskLowShare = 1 << 30

	// processorWindow is what the processor's share is averaged over.
	processorWindow = time.Minute

	// syncSlack is how much longer than planned a change may wait.
	syncSlack = time.Minute

	// unsharedRounds and unsharedLeast bound how long operations may wait for
	// the remote: so many questions to it, and not less.
	unsharedRounds = 3
	unsharedLeast  = 5 * time.Minute

	// grownShown is how long health tells that the quarantine grew.
	grownShown = 24 * time.Hour
)

// workspaceCondition is a Condition if there is one.
type workspaceCondition struct {
	workspace.Condition
	known bool
}

func (d *Daemon) checkDirectory() control.Check {
	for _, dir := range []string{d.opts.Place.Dir, d.opts.Place.Guard} {
		if dir == "" {
			continue
		}
		err := reachable(dir)
		if errors.Is(err, fs.ErrNotExist) && dir == d.opts.Place.Guard {
			continue // the next refresh makes it again
		}
		if err != nil {
			return unhealthy("directory", "beads directory inaccessible: %s", daemonlog.Visible(err.Error()))
		}
	}
	return healthy("directory", "%s", daemonlog.Visible(d.opts.Place.Dir))
}

// reachable fails unless dir is a directory whose files can be listed and found.
func reachable(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	_, err = f.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if _, err = os.Lstat(filepath.Join(dir, fleet.StateName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// checkLock compares what the lock file says with what we wrote, and writes it
// again. That the file is ours was seen before.
func (d *Daemon) checkLock(now time.Time) control.Check {
	err := d.lock.Check()
	if err == nil {
		return healthy("lock", "held")
	}
	message := "lock file corrupted: " + daemonlog.Visible(err.Error())
	if err := d.lock.Beat(now); err != nil {
		return unhealthy("lock", "%s; not written again: %s", message, daemonlog.Visible(err.Error()))
	}
	return warning("lock", "%s; it is held all the same, and was written again", message)
}

// checkSync looks whether changes wait longer than they should.
func (d *Daemon) checkSync(now time.Time) control.Check {
	d.mu.Lock()
	last, failure := d.state.LastSync, d.syncError
	d.mu.Unlock()
	limit := 10*d.config.DebounceInterval + d.config.MaxSyncFrequency + syncSlack
	switch {
	case failure != "" && d.failures >= failuresBad:
		return unhealthy("sync", "failed %d times in a row: %s", d.failures, failure)
	case failure != "":
		return warning("sync", "failed, and is tried again: %s", failure)
	case !d.waiting.IsZero() && now.Sub(d.waiting) > limit:
		return warning("sync", "a change has waited for %s", now.Sub(d.waiting).Round(time.Second))
	case last == nil:
		return healthy("sync", "nothing to do yet")
	}
	return healthy("sync", "the last cycle ended %s ago", max(now.Sub(*last), 0).Round(time.Second))
}

// checkExchange looks whether operations reach the remote, and what became of
// our ref.
func (d *Daemon) checkExchange(now time.Time) []control.Check {
	e := d.exchange
	if e == nil {
		return nil
	}
	ref := healthy("ref", "sound")
	if !e.repaired.IsZero() && now.Sub(e.repaired) < grownShown {
		ref = warning("ref", "was damaged and made again %s ago", now.Sub(e.repaired).Round(time.Second))
	}
	d.mu.Lock()
	remote := d.remote
	d.mu.Unlock()
	limit := max(unsharedRounds*e.rhythm.interval, unsharedLeast)
	var c control.Check
	switch {
	case remote == nil || !e.pinned:
		c = healthy("remote", "not shared")
	case !e.waiting.IsZero() && now.Sub(e.waiting) > limit:
		text := fmt.Sprintf("%d unpublished, and none of them moved for %s", remote.Unshared, now.Sub(e.waiting).Round(time.Second))
		if e.lastErr != "" {
			text += ": " + e.lastErr
		}
		c = warning("remote", "%s", text)
	case e.lastErr != "":
		c = healthy("remote", "does not work, and is asked again: %s", e.lastErr)
	default:
		c = healthy("remote", "%d unpublished", remote.Unshared)
	}
	return []control.Check{c, ref}
}

func (d *Daemon) checkClock(now time.Time, c workspaceCondition) control.Check {
	if c.Ahead > 0 {
		return warning("clock", "the newest operation is %s ahead of this machine's clock", c.Ahead.Round(time.Minute))
	}
	if jump := d.clock.recent(now); jump > 0 {
		return warning("clock", "jumped forward by %s", jump.Round(time.Second))
	} else if jump < 0 {
		return warning("clock", "jumped back by %s", (-jump).Round(time.Second))
	}
	return healthy("clock", "runs evenly")
}

// checkDisk looks where log, database and Git's objects are.
func (d *Daemon) checkDisk() control.Check {
	least := int64(-1)
	for _, dir := range []string{d.opts.Place.Dir, d.opts.Place.CommonDir} {
		if dir == "" {
			continue
		}
		free, total, err := diskSpace(dir)
		if err != nil {
			continue // the directory's own check says why
		}
		if free < diskLow || free < diskLowShare && free < total/100 {
			return warning("disk", "%s left for %s", megabytes(free), daemonlog.Visible(dir))
		}
		if least < 0 || free < least {
			least = free
		}
	}
	if least < 0 {
		return healthy("disk", "not known on this system")
	}
	return healthy("disk", "%s left", megabytes(least))
}

// checkQuarantine tells when lines came that cannot be read.
func (d *Daemon) checkQuarantine(now time.Time, c workspaceCondition) control.Check {
	h := &d.health
	if !c.known {
		return healthy("quarantine", "not known")
	}
	if h.quarantined >= 0 && c.Quarantined > h.quarantined {
		h.grown = now
	}
	h.quarantined = c.Quarantined
	switch {
	case c.Quarantined == 0:
		return healthy("quarantine", "empty")
	case !h.grown.IsZero() && now.Sub(h.grown) < grownShown:
		return warning("quarantine", "grew to %d lines that cannot be read; see: bd doctor", c.Quarantined)
	}
	return healthy("quarantine", "%d lines that cannot be read; see: bd doctor", c.Quarantined)
}

// checkWatcher warns when notification was lost, not where it could not be had
// from the start.
func (d *Daemon) checkWatcher() control.Check {
	mode, reason := d.watcher.Mode(), d.watcher.Reason()
	if reason != "" {
		mode += ": " + daemonlog.Visible(reason)
	}
	if d.watcher.Mode() == watch.ModePolling && !d.health.polled {
		return warning("watcher", "%s", mode)
	}
	return healthy("watcher", "%s", mode)
}

func checkMemory(limits config.Daemon) control.Check {
	used := residentMemory()
	switch {
	case used == 0:
		return healthy("memory", "not known on this system")
	case limits.MaxMemory > 0 && used > limits.MaxMemory:
		return warning("memory", "Memory usage exceeds limit: %s of %s", megabytes(used), megabytes(limits.MaxMemory))
	}
	return healthy("memory", "%s of %s", megabytes(used), megabytes(limits.MaxMemory))
}

func checkDescriptors(limits config.Daemon) control.Check {
	used := openDescriptors()
	switch {
	case used <= 0:
		return healthy("descriptors", "not known on this system")
	case limits.MaxFileDescriptors > 0 && used*10 >= limits.MaxFileDescriptors*9:
		return warning("descriptors", "%d of %d are in use", used, limits.MaxFileDescriptors)
	}
	return healthy("descriptors", "%d of %d", used, limits.MaxFileDescriptors)
}

func megabytes(bytes int64) string {
	return fmt.Sprintf("%dMB", (bytes+megabyte/2)/megabyte)
}

// processorSpan averages the processor's share over a window of its own, longer
// than the status's: a burst is no breach of a limit that holds on average.
type processorSpan struct {
	start cpuSample
	share float64 // in per cent, over the last whole window; -1: none is over yet
}

func (p *processorSpan) begin(now time.Time) { *p = processorSpan{cpuSample{now, processorTime()}, -1} }

func (p *processorSpan) check(now time.Time, limits config.Daemon) control.Check {
	if span := now.Sub(p.start.at); span >= processorWindow {
		used := processorTime()
		p.share = float64(used-p.start.used) / float64(span) * 100
		p.start = cpuSample{now, used}
	}
	switch {
	case p.share < 0:
		return healthy("cpu", "not measured yet")
	case limits.MaxCPUPercent > 0 && p.share > float64(limits.MaxCPUPercent):
		return warning("cpu", "CPU usage exceeds limit: %.0f%% of %d%%", p.share, limits.MaxCPUPercent)
	}
	return healthy("cpu", "%.1f%% of %d%%", p.share, limits.MaxCPUPercent)
}
