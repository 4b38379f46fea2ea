package daemon

import (
	"context"
	"os"
	"slices"
	"time"

	"beads/internal/config"
	"beads/internal/daemonlog"
	"beads/internal/watch"
)

// reloadQuiet is how long a settings file must be left alone before it is read:
// editors empty a file before they fill it.
const reloadQuiet = 200 * time.Millisecond

// Settings are what a reload can change.
type Settings struct {
	Config config.Daemon
	Remote RemoteSettings
}

// settings is what the loop knows of the files that the settings come from.
type settings struct {
	reloads *watch.Debouncer
	seen    []os.FileInfo // of Options.Files, nil for one that is missing
	failed  string        // the reason that is in the log already
}

// settingsName reports whether a file of the workspace holds settings. They are
// watched whatever watch_patterns says.
func settingsName(name string) bool { return name == config.DaemonName || name == config.FileName }

// watchSettings begins to look for changes. What changed since the settings were
// loaded is found by the first reload.
func (d *Daemon) watchSettings(now time.Time) {
	d.settings.reloads = watch.NewDebouncer(reloadQuiet, 0, 0)
	d.settings.seen = d.statSettings()
	d.settingsChanged(now)
}

// settingsChanged plans a reload.
func (d *Daemon) settingsChanged(now time.Time) {
	if d.opts.Load != nil {
		d.settings.reloads.Note(now)
	}
}

// lookAtSettings plans a reload if a file elsewhere is another than before.
func (d *Daemon) lookAtSettings(now time.Time) {
	seen := d.statSettings()
	if !slices.EqualFunc(seen, d.settings.seen, sameFile) {
		d.settings.seen = seen
		d.settingsChanged(now)
	}
}

func (d *Daemon) statSettings() []os.FileInfo {
	seen := make([]os.FileInfo, len(d.opts.Files))
	for i, path := range d.opts.Files {
		if info, err := os.Stat(path); err == nil {
			seen[i] = info
		}
	}
	return seen
}

func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Reload reads the settings again and applies what differs, at once and without
// a restart. Settings that are not understood change nothing: the error is
// returned, shown in the status and logged once, until they are. Settings that
// disable the daemon are reason to leave.
func (d *Daemon) Reload(ctx context.Context) error {
	if d.opts.Load == nil {
		return nil
	}
	fresh, err := d.opts.Load()
	text := ""
	if err != nil {
		text = daemonlog.Visible(err.Error())
	}
	d.mu.Lock()
	d.configError = text
	d.mu.Unlock()
	before := d.settings.failed
	d.settings.failed = text
	if err != nil {
		if text != before {
			d.log.Error("Settings not reloaded: "+text, "operation", "reload", "error", err)
		}
		return err
	}
	if !fresh.Config.Enabled {
		return leaveError{DisabledError{fresh.Config.EnabledBy}.Error()}
	}
	now := d.opts.Now()
	old := d.config
	changed := fresh.Config.Changed(old)
	d.applyConfig(old, fresh.Config, now)
	if d.exchange.apply(fresh.Remote, d.reopenExchange, now) {
		changed = append(changed, "git")
	}
	if len(changed) > 0 || before != "" {
		d.log.Info("Settings reloaded", "operation", "reload", "changed", changed)
	}
	return nil
}

// applyConfig makes every setting that can change at run time count from now on.
// It runs in the loop; foreground, sync_on_startup and auto_start are for starts.
func (d *Daemon) applyConfig(old, fresh config.Daemon, now time.Time) {
	d.current.Store(&fresh)
	d.reconfigure(fresh)
	if fresh.LogFormat != old.LogFormat || fresh.LogLevel != old.LogLevel {
		d.setLogging(fresh)
	}
	d.pace.SetPercent(fresh.MaxCPUPercent)
	if fresh.MaxMemory != old.MaxMemory || fresh.MaxFileDescriptors != old.MaxFileDescriptors {
		d.setLimits(fresh)
	}
	if fresh.AutoSync && !old.AutoSync {
		d.changed(now, true) // nobody listened until now
	}
	if !slices.Equal(fresh.WatchPatterns, old.WatchPatterns) {
		d.changed(now, false)
	}
	if fresh.Export != old.Export {
		d.export = now
	}
	if next := now.Add(fresh.HealthInterval); next.Before(d.health.next) {
		d.health.next = next
	}
	d.mu.Lock()
	d.checked.limits = fresh
	d.mu.Unlock()
}

// setLimits sets those limits that hold for the whole process.
func (d *Daemon) setLimits(c config.Daemon) {
	setMemoryLimit(c.MaxMemory)
	if err := setFileLimit(c.MaxFileDescriptors); err != nil {
		d.log.Warn("The limit of open files is as it was", "operation", "settings", "error", err)
	}
}
