package daemon

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"beads/internal/control"
	"beads/internal/fleet"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// check runs the health step and returns what it says of one thing.
func (f *fixture) check(t *testing.T, name string) control.Check {
	t.Helper()
	if err := f.CheckHealth(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f.found(t, name)
}

func (f *fixture) found(t *testing.T, name string) control.Check {
	t.Helper()
	h, err := f.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range h.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %q in %+v", name, h)
	return control.Check{}
}

func want(t *testing.T, got control.Check, status, message string) {
	t.Helper()
	if got.Status != status || !strings.Contains(got.Message, message) {
		t.Errorf("%s is %q: %q, want %q: …%s…", got.Name, got.Status, got.Message, status, message)
	}
}

func TestHealthIsCheckedEveryInterval(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.MaxMemory = 1 << 40
	f.start(t)
	defer f.stop(t)
	want(t, f.found(t, "checks"), control.Healthy, "the first one is made within 1m0s")
	f.tick(t, 59*time.Second)
	want(t, f.found(t, "checks"), control.Healthy, "the first one")
	f.tick(t, time.Second)
	want(t, f.found(t, "checks"), control.Healthy, "the last one was made 0s ago")
	if h, err := f.Health(t.Context()); err != nil || h.Status != control.Healthy {
		t.Errorf("%+v, %v", h, err)
	}
	f.now = f.now.Add(time.Minute + checkupLate + time.Second)
	want(t, f.found(t, "checks"), control.Warning, "kept the daemon busy")
}

func TestHealthSwitchedOff(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.EnableHealthChecks = false
	f.start(t)
	defer f.stop(t)
	f.ws.checkErr = errors.New("broken")
	f.tick(t, time.Hour)
	want(t, f.found(t, "checks"), control.Healthy, "switched off")
	if f.ws.repairs != 0 {
		t.Error("something was mended")
	}
}

// A database that does not answer is repaired at the same tick; if that fails,
// status says so after three attempts, and no longer once one succeeds.
func TestHealthRepairs(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.checkErr = projection.ErrCorrupt
	f.ws.report = workspace.Report{Rebuilt: true}
	want(t, f.check(t, "database"), control.Warning, "was mended: database is corrupt")
	if f.ws.repairs != 1 || f.ws.refreshes != 0 || f.doubted {
		t.Errorf("%d repairs, %d refreshes, doubted %t", f.ws.repairs, f.ws.refreshes, f.doubted)
	}
	want(t, f.check(t, "database"), control.Healthy, "answers")

	f.ws.checkErr, f.ws.err = projection.ErrCorrupt, errors.New("disk full")
	want(t, f.check(t, "database"), control.Unhealthy, "database connection failed: disk full")
	if s := f.left(t); s.Status != control.Running {
		t.Errorf("after one failure: %+v", s)
	}
	for range failuresBad {
		f.tick(t, time.Minute)
	}
	if s := f.left(t); s.Status != control.Failing || s.LastError != "disk full" {
		t.Errorf("after many failures: %+v", s)
	}
	f.ws.err = nil
	f.tick(t, time.Minute)
	want(t, f.found(t, "database"), control.Warning, "was mended")
	want(t, f.check(t, "database"), control.Healthy, "answers")
	if s := f.left(t); s.Status != control.Running || s.LastError != "" {
		t.Errorf("after it went well: %+v", s)
	}
	for _, want := range []string{"database connection failed: disk full", "Healthy again: database"} {
		if strings.Count(f.log.String(), want) == 0 {
			t.Errorf("the log lacks %q", want)
		}
	}
}

func TestHealthLeavesNewerDatabase(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.checkErr = projection.ErrNewer
	want(t, f.check(t, "database"), control.Unhealthy, "database connection failed: database written by a newer bd")
	if f.ws.repairs != 0 {
		t.Error("a newer database was repaired")
	}
	f.check(t, "database")
	if s := f.left(t); s.Status != control.Failing || !strings.Contains(s.LastError, "newer bd") {
		t.Errorf("twice in a row: %+v", s)
	}
	f.ws.checkErr = nil
	f.check(t, "database")
	if s := f.left(t); s.Status != control.Running || s.LastError != "" {
		t.Errorf("healthy again: %+v", s)
	}
}

func TestHealthOfLockAndDirectory(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	if err := os.WriteFile(f.opts.Place.DaemonLock(), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, f.check(t, "lock"), control.Warning, "lock file corrupted: ")
	want(t, f.check(t, "lock"), control.Healthy, "held")
	f.Daemon.opts.Place.Guard = f.opts.Place.DaemonLock() // no directory
	want(t, f.check(t, "directory"), control.Unhealthy, "beads directory inaccessible: ")
}

func TestHealthLimits(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	// As if set while it runs: the test's own process is not to be limited so.
	limits := &f.schedule.config
	limits.MaxMemory, limits.MaxFileDescriptors, limits.MaxCPUPercent = 1, 1, 1
	f.checked.limits = *limits
	want(t, f.found(t, "memory"), control.Warning, "Memory usage exceeds limit: ")
	want(t, f.found(t, "descriptors"), control.Warning, " of 1 are in use")
	want(t, f.check(t, "cpu"), control.Healthy, "not measured yet")
	f.health.processor.start.used -= time.Minute
	f.now = f.now.Add(processorWindow)
	want(t, f.check(t, "cpu"), control.Warning, "CPU usage exceeds limit: ")
}

func TestHealthOfChanges(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.condition = workspace.Condition{Quarantined: 1}
	want(t, f.check(t, "quarantine"), control.Healthy, "1 lines")
	f.ws.condition.Quarantined = 3
	want(t, f.check(t, "quarantine"), control.Warning, "grew to 3")
	f.now = f.now.Add(grownShown)
	want(t, f.check(t, "quarantine"), control.Healthy, "3 lines")
	f.ws.condition.Ahead = 48 * time.Hour
	want(t, f.check(t, "clock"), control.Warning, "48h0m0s ahead")

	f.ws.err = errors.New("disk full")
	f.changed(f.now, false)
	f.waiting = f.now.Add(-time.Hour)
	want(t, f.check(t, "sync"), control.Warning, "a change has waited for 1h0m0s")
	f.tick(t, 5*time.Second)
	want(t, f.check(t, "sync"), control.Warning, "failed, and is tried again: disk full")
}

// TestStuck: operations that do not reach the remote are told after some time,
// once they do no longer.
func TestStuck(t *testing.T) {
	f := newFixture(t)
	f.opts.Exchange = func(context.Context, func(string)) (Exchanger, error) { return stillRemote{}, nil }
	f.opts.Remote, f.opts.Rand = RemoteSettings{AutoPush: true, AutoFetch: true, Interval: time.Minute}, noJitter()
	f.start(t)
	defer f.stop(t)
	want(t, f.check(t, "remote"), control.Healthy, "not shared")
	status := pinned(f.now)
	status.Unshared = 4
	for range 4 {
		f.Exchanged(exchanged{status: status, err: errors.New("no route")})
		f.now = f.now.Add(time.Minute)
	}
	want(t, f.check(t, "remote"), control.Healthy, "asked again: no route")
	f.now = f.now.Add(time.Hour)
	want(t, f.check(t, "remote"), control.Warning, "4 unpublished, and none of them moved for 1h4m0s: no route")
	status.Unshared = 0
	f.Exchanged(exchanged{status: status, report: replica.Report{Pushed: 4, Repaired: true}})
	want(t, f.check(t, "remote"), control.Healthy, "0 unpublished")
	want(t, f.check(t, "ref"), control.Warning, "was damaged and made again")
}

// TestUnclean: after a daemon that was killed, the database is read and our ref
// looked at with the first tick.
func TestUnclean(t *testing.T) {
	f := newFixture(t)
	f.opts.Exchange = func(context.Context, func(string)) (Exchanger, error) { return stillRemote{}, nil }
	f.opts.Rand = noJitter()
	if err := (fleet.State{PID: 6}).Save(f.opts.Place); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	defer f.stop(t)
	f.tick(t, 0)
	want(t, f.found(t, "checks"), control.Healthy, "made 0s ago")
	if o := <-f.exchange.kick; !o.Look {
		t.Error("our ref is not looked at")
	}
	f.exchange.start()
	if o := <-f.exchange.kick; o.Look {
		t.Error("our ref is looked at each time")
	}
}

func TestProblemsAreTold(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	old := op.Problem{Issue: "bd-1", Kind: op.NewerVersion, Detail: "version 2"}
	f.ws.problems = []op.Problem{old}
	cycle := func() {
		if err := f.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	if strings.Contains(f.log.String(), "Failed to apply") {
		t.Error("an old problem is told again")
	}
	for n := range problemsShown + 5 {
		f.ws.problems = append(f.ws.problems, op.Problem{Op: op.ID{byte(n + 1)}, Issue: "bd-2", Kind: op.BadValue, Detail: "priority"})
	}
	cycle()
	cycle()
	if n := strings.Count(f.log.String(), "Failed to apply operation "); n != problemsShown {
		t.Errorf("%d problems told, want %d", n, problemsShown)
	}
	for _, want := range []string{"level=error", op.ID{1}.String() + ": priority", "metadata.kind=bad_value", "metadata.more=5"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}
