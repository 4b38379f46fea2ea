package daemon

import (
	"strings"
	"testing"
	"time"

	"beads/internal/config"
	"beads/internal/watch"
)

// A long refresh is done in batches, each when the pace allows. It is one cycle,
// and what else falls due meanwhile is done with it.
func TestLongRefreshIsPaced(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	want := func(refreshes int, cycles int64) {
		t.Helper()
		if s := f.left(t); f.ws.refreshes != refreshes || s.SyncCount != cycles {
			t.Fatalf("%d batches and %d cycles, want %d and %d", f.ws.refreshes, s.SyncCount, refreshes, cycles)
		}
	}
	f.ws.backlog = 450 // batches of 100
	f.event(t, "issues.jsonl", watch.Modified)
	f.ws.cost = func(int) { f.spent += 600 * time.Millisecond } // a second is saved up
	f.tick(t, 5*time.Second)
	want(1, 0)
	f.tick(t, 0) // something is left, so there was no pause
	want(2, 0)
	if wait := f.wait(f.now); wait != 2*time.Second { // 0.2 s at 10 %
		t.Errorf("the loop sleeps %v", wait)
	}
	f.event(t, "issues.jsonl", watch.Modified)
	f.tick(t, time.Second)
	want(2, 0)
	f.tick(t, time.Second)
	want(3, 0)
	f.tick(t, 5*time.Second) // the event falls due, and does not make it sooner
	want(3, 0)
	f.tick(t, time.Second)
	want(4, 0)
	f.tick(t, 6*time.Second)
	want(5, 1)
	if log := f.log.String(); strings.Count(log, "Starting sync operation") != 1 || !strings.Contains(log, "applied=450") {
		t.Errorf("log:\n%s", log)
	}
	if f.ws.freed != 1 {
		t.Errorf("memory was freed %d times, want once, at the end", f.ws.freed)
	}
}

// Whoever asks for a cycle gets all of it, however much is owed.
func TestAskedForRefreshIsNotPaced(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.backlog = 1000
	f.spent += time.Hour
	report, err := f.whole(t.Context())
	if err != nil || report.Applied != 1000 || report.More || f.ws.refreshes != 10 || f.left(t).SyncCount != 1 {
		t.Errorf("%d batches, %+v, %v", f.ws.refreshes, report, err)
	}
}

// What Start left to do is gone on with even if there is no sync on start-up.
func TestStartLeavesTheRest(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.SyncOnStartup = false
	f.ws.backlog = 250
	f.start(t)
	defer f.stop(t)
	for range 2 {
		f.tick(t, 0)
	}
	if f.ws.backlog != 0 || f.ws.refreshes != 2 || f.wait(f.now) == 0 {
		t.Errorf("%d left after %d batches, next step in %v", f.ws.backlog, f.ws.refreshes, f.wait(f.now))
	}
}

// Two profiles, given the same: 2,000 lines at once, each costing 1 ms of the
// processor, and then one event a second for ten minutes.
func TestProfiles(t *testing.T) {
	type outcome struct {
		first, last time.Duration // the first batch, the last of the backlog
		batches     int           // until then
		cycles      int64         // in all
	}
	run := func(change func(*config.Daemon)) outcome {
		f := newFixture(t)
		change(&f.opts.Config)
		f.start(t)
		defer f.stop(t)
		f.ws.backlog = 2000
		f.ws.cost = func(lines int) { f.spent += time.Duration(lines) * time.Millisecond }
		var o outcome
		f.event(t, "issues.jsonl", watch.Modified)
		for f.now.Sub(testStart) < 10*time.Minute {
			before, left := f.ws.refreshes, f.ws.backlog
			f.tick(t, time.Second)
			f.event(t, "issues.jsonl", watch.Modified)
			switch at := f.now.Sub(testStart); {
			case f.ws.refreshes > before && before == 0:
				o.first = at
			case left > 0 && f.ws.backlog == 0:
				o.last = at
			}
			if left > 0 && f.ws.refreshes > before {
				o.batches += f.ws.refreshes - before
			}
		}
		o.cycles = f.left(t).SyncCount
		return o
	}
	high := run(func(c *config.Daemon) {
		c.DebounceInterval, c.MaxSyncFrequency, c.BatchSize, c.MaxMemory, c.MaxCPUPercent = 10*time.Second, time.Minute, 500, 200_000_000, 5
	})
	small := run(func(c *config.Daemon) {
		c.DebounceInterval, c.MaxSyncFrequency, c.BatchSize, c.MaxMemory, c.MaxCPUPercent = 30*time.Second, 5*time.Minute, 50, 50_000_000, 2
	})
	t.Logf("high-performance %+v, small %+v", high, small)
	if high.batches != 4 || small.batches != 40 || 3*high.last > small.last || high.first >= small.first || high.cycles <= small.cycles {
		t.Errorf("high-performance %+v, small %+v", high, small)
	}
	if big, little := CacheSize(200_000_000), CacheSize(50_000_000); big < 3*little {
		t.Errorf("page caches of %d and %d bytes", big, little)
	}
}
