package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"beads/internal/config"
	"beads/internal/control"
	"beads/internal/fleet"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/watch"
	"beads/internal/workspace"
)

var testStart = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	// lumberjack's goroutine for old files never ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"))
}

// fakeWorkspace counts what is asked of it.
type fakeWorkspace struct {
	place       workspace.Place
	report      workspace.Report
	err         error
	refreshes   int
	verified    int
	checkpoints int
	closed      int
	freed       int
	limit       int // of the last batch
	backlog     int // lines that a batch may take in
	cost        func(lines int)
	repairs     int
	maintained  int
	condition   workspace.Condition
	checkErr    error
	problems    []op.Problem
	block       chan struct{} // not nil: Refresh waits for it, whatever its context says
}

func (w *fakeWorkspace) Place() workspace.Place { return w.place }
func (w *fakeWorkspace) Checkpoint() error      { w.checkpoints++; return nil }
func (w *fakeWorkspace) Close() error           { w.closed++; return nil }
func (w *fakeWorkspace) Peek(context.Context, func(*projection.Query) error) error {
	return nil // there is no database
}
func (w *fakeWorkspace) FreeMemory() error { w.freed++; return nil }
func (w *fakeWorkspace) RefreshBatch(ctx context.Context, verify bool, limit int) (workspace.Report, error) {
	w.limit = limit
	r, err := w.Refresh(ctx, verify)
	if n := min(w.backlog, limit); n > 0 {
		w.backlog -= n
		if w.cost != nil {
			w.cost(n)
		}
		r.Applied, r.More = n, w.backlog > 0
	}
	return r, err
}
func (w *fakeWorkspace) Check(context.Context, projection.Mark) (workspace.Condition, error) {
	return w.condition, w.checkErr
}
func (w *fakeWorkspace) Repair(context.Context) (workspace.Report, error) {
	w.repairs++
	if w.err == nil {
		w.checkErr = nil
	}
	return w.report, w.err
}
func (w *fakeWorkspace) Maintain(context.Context) (more bool, err error) {
	w.maintained++
	return w.maintained%2 == 1, w.err
}
func (w *fakeWorkspace) Problems(context.Context) ([]op.Problem, error) { return w.problems, nil }
func (w *fakeWorkspace) Refresh(ctx context.Context, verify bool) (workspace.Report, error) {
	w.refreshes++
	if verify {
		w.verified++
	}
	if w.block != nil {
		<-w.block
	}
	return w.report, w.err
}

// fixture is a daemon on a fake workspace with a clock that stands still.
type fixture struct {
	*Daemon
	ws    *fakeWorkspace
	now   time.Time
	spent time.Duration // processor time
	opts  Options
	log   strings.Builder
}

func (f *fixture) start(t *testing.T) *fixture {
	t.Helper()
	d, err := Start(t.Context(), f.opts)
	if err != nil {
		t.Fatal(err)
	}
	f.Daemon = d
	f.ws.refreshes = 0
	return f
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir, err := os.MkdirTemp("", "bd") // short: its paths become sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	place := workspace.Place{Root: dir, Dir: filepath.Join(dir, ".beads"), Exists: true}
	for _, d := range []string{place.Dir, filepath.Join(dir, "run")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f := &fixture{ws: &fakeWorkspace{place: place}, now: testStart}
	f.opts = Options{
		Place: place, Config: config.Default(), Log: &f.log, Zone: time.UTC, PID: 7, Hostname: "host", Version: "1",
		Sockets: control.Place{Runtime: filepath.Join(dir, "run"), Temp: dir, UID: os.Getuid()},
		Now:     func() time.Time { return f.now },
		Spent:   func() time.Duration { return f.spent },
		Open:    func(context.Context, func(string)) (Workspace, error) { return f.ws, nil },
	}
	f.opts.Config.LogLevel = -4 // debug
	return f
}

// stop ends a daemon that does not run.
func (f *fixture) stop(t *testing.T) {
	t.Helper()
	if err := f.release(true); err != nil {
		t.Error(err)
	}
}

func (f *fixture) event(t *testing.T, name string, op watch.Op) {
	t.Helper()
	if err := f.Note(watch.Event{Dir: f.opts.Place.Dir, Name: name, Op: op}); err != nil {
		t.Fatal(err)
	}
}

// tick moves the clock and runs what is due.
func (f *fixture) tick(t *testing.T, after time.Duration) {
	t.Helper()
	f.now = f.now.Add(after)
	if err := f.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) left(t *testing.T) fleet.State {
	t.Helper()
	return fleet.LoadState(f.opts.Place)
}

func TestEventsAreDebounced(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.report = workspace.Report{Applied: 2}
	f.event(t, "issues.jsonl", watch.Modified)
	f.tick(t, 4*time.Second)
	f.event(t, "issues.jsonl", watch.Modified)
	f.tick(t, 4*time.Second)
	if f.ws.refreshes != 0 {
		t.Fatalf("%d refreshes before it was quiet", f.ws.refreshes)
	}
	f.tick(t, time.Second)
	if f.ws.refreshes != 1 || f.ws.verified != 0 {
		t.Fatalf("%d refreshes, %d of them full, want 1 plain one", f.ws.refreshes, f.ws.verified)
	}
	for _, name := range []string{"beads.db-wal", ".lock", "daemon.log", "notes.txt"} {
		f.event(t, name, watch.Modified)
	}
	f.tick(t, time.Minute)
	if f.ws.refreshes != 1 {
		t.Error("our own or a foreign file caused a refresh")
	}
	if s := f.left(t); s.SyncCount != 1 || s.Applied != 2 || s.LastSync == nil || s.Status != control.Running || s.PID != 7 {
		t.Errorf("state %+v", s)
	}
	for _, want := range []string{"File modified: issues.jsonl", "Starting sync operation", "Sync completed successfully", "applied=2", "operation=sync", "pid=7"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, f.log.String())
		}
	}
	f.event(t, "", watch.Overflow)
	f.tick(t, 5*time.Second)
	if f.ws.verified != 1 {
		t.Error("lost events led to no full check")
	}
}

func TestSourceIsWatched(t *testing.T) {
	f := newFixture(t)
	source := filepath.Join(f.opts.Place.Root, "tracked", "issues.jsonl")
	if err := os.Mkdir(filepath.Dir(source), 0o700); err != nil {
		t.Fatal(err)
	}
	f.opts.Place.Source = source
	f.opts.Config.WatchPatterns = []string{"config.yaml"}
	f.start(t)
	defer f.stop(t)
	for _, test := range []struct {
		name string
		want bool
	}{{"config.yaml", false}, {"issues.jsonl", true}} {
		if err := f.Note(watch.Event{Dir: filepath.Dir(source), Name: test.name, Op: watch.Modified}); err != nil {
			t.Fatal(err)
		}
		if got := f.refreshes.Pending(); got != test.want {
			t.Errorf("%s beside the tracked snapshot: counts = %t", test.name, got)
		}
	}
}

func TestFailuresAreRetried(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.err = errors.New("disk\x1b[31m full")
	f.event(t, "issues.jsonl", watch.Modified)
	f.tick(t, 5*time.Second)
	if s := f.left(t); s.Status != control.Running || s.ErrorCount != 1 || s.SyncCount != 1 || s.LastError != `disk\u001b[31m full` {
		t.Errorf("after one failure: %+v", s)
	}
	f.tick(t, 5*time.Second)
	f.tick(t, 10*time.Second)
	if s := f.left(t); s.Status != control.Failing || f.ws.refreshes != 3 {
		t.Errorf("after %d failures: %+v", f.ws.refreshes, s)
	}
	if !strings.Contains(f.log.String(), "Sync failed: disk") || strings.Contains(f.log.String(), "\x1b") {
		t.Errorf("log: %s", f.log.String())
	}
	f.ws.err = nil
	f.tick(t, 20*time.Second)
	if s := f.left(t); s.Status != control.Running || s.LastError != "" || s.ErrorCount != 3 {
		t.Errorf("after it went well: %+v", s)
	}
}

func TestLeaves(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(t *testing.T, f *fixture)
	}{
		{"the lock file is removed", func(t *testing.T, f *fixture) { remove(t, f.opts.Place.DaemonLock()) }},
		{"the lock file is another", func(t *testing.T, f *fixture) {
			remove(t, f.opts.Place.DaemonLock())
			if err := os.WriteFile(f.opts.Place.DaemonLock(), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"the workspace is gone", func(t *testing.T, f *fixture) { remove(t, f.opts.Place.Dir) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t).start(t)
			test.do(t, f)
			steps := map[string]func() error{
				"a look":    f.Look,
				"an event":  func() error { return f.Note(watch.Event{Dir: f.opts.Place.Dir, Name: ".lock", Op: watch.Removed}) },
				"a refresh": func() error { _, err := f.Refresh(t.Context()); return err },
				"a cycle":   func() error { return f.Sync(t.Context()) },
				"a tick":    func() error { f.now = f.now.Add(lookInterval); return f.Tick(t.Context()) },
			}
			for name, step := range steps {
				var leave leaveError
				if err := step(); !errors.As(err, &leave) {
					t.Errorf("%s: %v, want to leave", name, err)
				}
			}
			if f.ws.refreshes != 0 {
				t.Error("a workspace that is not ours was refreshed")
			}
			if err := f.Run(t.Context()); err != nil { // the start-up sync notices
				t.Error(err)
			}
			if !strings.Contains(f.log.String(), "Leaving: ") || f.ws.checkpoints != 0 {
				t.Errorf("checkpoints %d, log %s", f.ws.checkpoints, f.log.String())
			}
			if _, err := os.Lstat(filepath.Join(f.opts.Place.Dir, fleet.StateName)); err == nil && f.left(t).PID == 0 {
				t.Error("it wrote into a workspace that is not its own")
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestWorkspaceMoved(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.place.Dir = "/elsewhere"
	var leave leaveError
	if err := f.Sync(t.Context()); !errors.As(err, &leave) || !strings.Contains(err.Error(), "/elsewhere") {
		t.Errorf("got %v", err)
	}
}

func TestSocketIsMadeAgain(t *testing.T) {
	f := newFixture(t).start(t)
	first := f.socket
	f.listen(first)
	remove(t, first.Path())
	if err := f.Look(); err != nil {
		t.Fatal(err)
	}
	if f.socket == first || !f.socket.Current() {
		t.Fatal("no new socket")
	}
	c, err := control.Connect(t.Context(), f.opts.Sockets.Paths(f.opts.Place.Dir), os.Getuid()) // which waits longer than commands do
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.Status(t.Context()); err != nil || s.Status != control.Running || s.PID != 7 {
		t.Errorf("asked through it: %+v %v", s, err)
	}
	f.stop(t)
}

func TestStartFails(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.Enabled, f.opts.Config.EnabledBy = false, "/x/daemon.yaml"
	if _, err := Start(t.Context(), f.opts); err == nil || err.Error() != "daemon disabled in /x/daemon.yaml" {
		t.Errorf("disabled: %v", err)
	}
	f.opts.Config.Enabled = true
	f.ws.err = errors.New("no database")
	if _, err := Start(t.Context(), f.opts); err == nil || !strings.Contains(err.Error(), "no database") {
		t.Errorf("broken: %v", err)
	}
	if !strings.Contains(f.log.String(), "Daemon not started") || f.ws.closed != 1 {
		t.Errorf("closed %d times, log %s", f.ws.closed, f.log.String())
	}
	if isHeld, _ := fleet.Running(f.opts.Place); isHeld {
		t.Error("a start that failed keeps the lock")
	}
	f.ws.err = nil
	f.start(t)
	var running *fleet.RunningError
	if _, err := Start(t.Context(), f.opts); !errors.As(err, &running) || running.PID != 7 {
		t.Errorf("a second one: %v", err)
	}
	f.stop(t)
}
