package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/config"
	"beads/internal/replica"
	"beads/internal/watch"
	"beads/internal/workspace"
)

// reloading is a fixture whose settings are in daemon.yaml, or in file.
func reloading(t *testing.T, file string) *fixture {
	t.Helper()
	f := newFixture(t)
	source := config.Source{
		Dir: f.opts.Place.Dir, Read: f.opts.Place.ReadFile, Getenv: func(string) string { return "" }, File: file,
	}
	f.opts.Load = func() (Settings, error) {
		c, err := config.LoadDaemon(source, nil)
		return Settings{Config: c, Remote: f.opts.Remote}, err
	}
	if file != "" {
		f.opts.Files = []string{file}
	}
	loaded, err := f.opts.Load()
	if err != nil {
		t.Fatal(err)
	}
	f.opts.Config = loaded.Config
	return f
}

func (f *fixture) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) said(text string) int { return strings.Count(f.log.String(), text) }

// configFailure is what a status shows.
func (f *fixture) configFailure(t *testing.T) string {
	t.Helper()
	s, err := handler{Daemon: f.Daemon}.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.ConfigError
}

func TestSettingsAreReloaded(t *testing.T) {
	f := reloading(t, "").start(t)
	defer f.stop(t)
	path := filepath.Join(f.opts.Place.Dir, config.DaemonName)
	changed := func(text string) {
		t.Helper()
		f.write(t, path, text)
		f.event(t, config.DaemonName, watch.Modified)
		f.tick(t, reloadQuiet)
	}
	f.tick(t, reloadQuiet) // what changed while it started
	if f.said("reload") != 0 {
		t.Errorf("nothing changed, and it says:\n%s", f.log.String())
	}
	changed("daemon: {debounce_interval: 1s, max_sync_frequency: 0s, watch_patterns: ['*.txt'], log_level: debug}")
	if f.said("Settings reloaded") != 1 || f.said("debounce_interval watch_patterns") > 1 || !f.config.Watches("a.txt") || !f.current.Load().Watches("a.txt") {
		t.Errorf("%+v\n%s", f.config, f.log.String())
	}
	f.tick(t, time.Second) // new patterns, and the copy of the file
	before := f.ws.refreshes
	f.event(t, "a.txt", watch.Modified)
	f.event(t, "issues.jsonl", watch.Modified)
	f.tick(t, time.Second)
	if f.ws.refreshes != before+1 {
		t.Errorf("%d refreshes after the new interval, want %d", f.ws.refreshes, before+1)
	}
	if f.said("File modified: a.txt") != 1 || f.said("File modified: issues.jsonl") != 0 {
		t.Errorf("level and patterns: %s", f.log.String())
	}

	changed("daemon: {debounce_interval: soon}")
	changed("# still\ndaemon: {debounce_interval: soon}")
	changed("# still\ndaemon: {debounce_interval: soon}")
	if f.config.DebounceInterval != time.Second || f.said("Settings not reloaded") != 2 || !strings.Contains(f.configFailure(t), "daemon.yaml:2: debounce_interval") {
		t.Errorf("broken: %v %q\n%s", f.config.DebounceInterval, f.configFailure(t), f.log.String())
	}
	changed("daemon: {debounce_interval: 1s, max_sync_frequency: 0s, watch_patterns: ['*.txt'], log_format: json}")
	if f.configFailure(t) != "" || f.said(`"message":"Settings reloaded"`) != 1 {
		t.Errorf("mended: %q\n%s", f.configFailure(t), f.log.String())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f.event(t, config.DaemonName, watch.Removed)
	f.tick(t, reloadQuiet)
	if f.config.DebounceInterval != 5*time.Second {
		t.Errorf("without the file: %+v", f.config)
	}

	f.write(t, path, "daemon: {enabled: false}")
	var leave leaveError
	if err := f.Reload(t.Context()); !errors.As(err, &leave) || err.Error() != "daemon disabled in "+path {
		t.Errorf("disabled: %v", err)
	}
}

// TestHalfWrittenSettings: an editor empties the file before it fills it.
func TestHalfWrittenSettings(t *testing.T) {
	f := reloading(t, "").start(t)
	defer f.stop(t)
	path := filepath.Join(f.opts.Place.Dir, config.DaemonName)
	f.tick(t, reloadQuiet)
	f.write(t, path, "daem")
	f.event(t, config.DaemonName, watch.Modified)
	f.tick(t, reloadQuiet/2)
	f.write(t, path, "daemon: {log_level: warn}")
	f.event(t, config.DaemonName, watch.Modified)
	f.tick(t, reloadQuiet)
	if f.said("not reloaded") != 0 || f.configFailure(t) != "" {
		t.Errorf("it was read too early: %s", f.log.String())
	}
}

// TestSettingsElsewhere: such a file is looked at, not watched.
func TestSettingsElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "named.yaml")
	if err := os.WriteFile(file, []byte("daemon: {idle_exit: 1h}"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := reloading(t, file).start(t)
	defer f.stop(t)
	f.tick(t, reloadQuiet)
	f.write(t, file, "daemon: {idle_exit: 10h}")
	f.tick(t, lookInterval)
	f.tick(t, reloadQuiet)
	if f.config.IdleExit != 10*time.Hour {
		t.Errorf("idle_exit %v", f.config.IdleExit)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	f.tick(t, lookInterval)
	f.tick(t, reloadQuiet)
	if f.config.IdleExit != 10*time.Hour || !strings.Contains(f.configFailure(t), "named.yaml") {
		t.Errorf("a named file that is gone: %v %q", f.config.IdleExit, f.configFailure(t))
	}
}

func TestAutoSyncIsTurnedOn(t *testing.T) {
	f := reloading(t, "")
	f.opts.Config.AutoSync = false
	f.start(t)
	defer f.stop(t)
	f.event(t, "issues.jsonl", watch.Modified)
	f.tick(t, time.Minute) // the file says nothing of auto_sync: it is reloaded to true
	f.tick(t, 5*time.Second)
	if f.ws.verified != 1 {
		t.Errorf("%d full checks of what was not looked at, want 1", f.ws.verified)
	}
}

// TestExchangeIsMadeAgain: another ref is another replica, another interval is
// not.
func TestExchangeIsMadeAgain(t *testing.T) {
	f := newFixture(t)
	opened := make(chan *countedRemote, 3)
	f.opts.Rand = noJitter()
	f.opts.Remote = RemoteSettings{Name: "origin", Ref: "refs/a", AutoFetch: true, AutoPush: true}
	f.opts.Exchange = func(context.Context, func(string)) (Exchanger, error) {
		r := &countedRemote{}
		opened <- r
		return r, nil
	}
	next := Settings{Config: f.opts.Config, Remote: f.opts.Remote}
	f.opts.Load = func() (Settings, error) { return next, nil }
	f.start(t)
	first := <-opened
	next.Remote.Interval = time.Minute
	if err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.exchange.rhythm.interval != time.Minute || len(f.exchange.anew) != 0 {
		t.Errorf("interval %v, %d reopenings", f.exchange.rhythm.interval, len(f.exchange.anew))
	}
	for _, ref := range []string{"refs/b", "refs/c"} {
		next.Remote.Ref, next.Remote.AutoPush = ref, false
		if err := f.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan struct{})
	go func() { defer close(worked); f.exchange.work(ctx, ctx.Done()) }()
	result := <-f.exchange.done
	cancel()
	<-worked
	second := <-opened
	if result.err != nil || !first.closed || first.synced != 0 || second.synced != 1 || !second.last.NoPush || len(opened) != 0 {
		t.Errorf("%v; first %+v, second %+v, %d more", result.err, first, second, len(opened))
	}
	f.stop(t)
	if !second.closed {
		t.Error("the new one is not closed at the end")
	}
}

type countedRemote struct {
	synced int
	last   replica.SyncOptions
	closed bool
}

func (r *countedRemote) Sync(_ context.Context, o replica.SyncOptions) (replica.Report, error) {
	r.synced, r.last = r.synced+1, o
	return replica.Report{}, nil
}
func (*countedRemote) Status(context.Context) (replica.Status, error) { return replica.Status{}, nil }
func (r *countedRemote) Close() error                                 { r.closed = true; return nil }

// TestExportFails: it is said once, shown, tried again, and nothing else stops.
func TestExportFails(t *testing.T) {
	f := newFixture(t)
	failure := error(nil)
	var paths []string
	f.opts.Config.Export = "x.jsonl"
	f.opts.Export = func(_ context.Context, path string) (bool, error) {
		paths = append(paths, path)
		return failure == nil, failure
	}
	f.start(t)
	defer f.stop(t)
	if err := f.Sync(t.Context()); err != nil || len(paths) != 1 || paths[0] != "x.jsonl" || f.said("Snapshot written") != 1 {
		t.Errorf("%v, exports %q\n%s", err, paths, f.log.String())
	}
	failure = errors.New("read-only\x1b[31m")
	f.ws.report = workspace.Report{Applied: 1}
	for range 2 {
		if err := f.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s := f.left(t); s.LastError != `export: read-only\u001b[31m` || s.ErrorCount != 2 || s.Status != "running" || f.said("Export failed") != 1 {
		t.Errorf("%+v\n%s", s, f.log.String())
	}
	if _, err := f.Refresh(t.Context()); err != nil || f.state.LastError == "" {
		t.Errorf("a refresh hides it: %v", err)
	}
	failure = nil
	f.tick(t, maxRetry)
	if s := f.left(t); s.LastError != "" || len(paths) != 4 {
		t.Errorf("after it went well: %+v, %d exports", s, len(paths))
	}
}
