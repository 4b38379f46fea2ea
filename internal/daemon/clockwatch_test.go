package daemon

import (
	"context"
	"testing"
	"time"

	"beads/internal/control"
)

func TestClockWatch(t *testing.T) {
	second, hour := time.Second, time.Hour
	for _, test := range []struct {
		name                  string
		wall, running, asleep time.Duration
		told                  bool
		slept, jump           time.Duration
	}{
		{"nothing", second, second, 0, true, 0, 0},
		{"a little of each", 5 * second, second, 3 * second, true, 0, 0},
		{"sleep", hour, second, hour - second, true, hour - second, 0},
		{"set forward", hour, second, 0, true, 0, hour - second},
		{"set back", -hour, second, 0, true, 0, -hour - second},
		{"set back while asleep", second, second, hour, true, hour, -hour},
		{"ahead, where sleep is not told", hour, second, 0, false, hour - second, 0},
		{"set back, where sleep is not told", -hour, second, 0, false, 0, -hour - second},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := clockWatch{}
			first := Elapsed{Running: 7 * hour, Asleep: hour, Told: test.told}
			if slept, jump := c.look(testStart, first); slept != 0 || jump != 0 {
				t.Fatalf("the first look: slept %s, jump %s", slept, jump)
			}
			now := testStart.Add(test.wall)
			slept, jump := c.look(now, Elapsed{first.Running + test.running, first.Asleep + test.asleep, test.told})
			if slept != test.slept || jump != test.jump {
				t.Errorf("slept %s, jump %s; want %s, %s", slept, jump, test.slept, test.jump)
			}
			if got := c.recent(now); got != test.jump {
				t.Errorf("recent jump %s", got)
			}
			if got := c.recent(now.Add(jumpShown + 1)); got != 0 {
				t.Errorf("long after: %s", got)
			}
		})
	}
}

// TestSleep: after a night asleep the remote is asked at once, and nobody is
// alarmed. TestJump is the opposite.
func TestSleep(t *testing.T) {
	f, elapsed := clockFixture(t)
	defer f.stop(t)
	f.changed(f.now, false)
	f.tick(t, time.Second)
	elapsed.Running += time.Second
	if f.exchange.remoteDue(f.now) {
		t.Fatal("the remote is due before")
	}
	elapsed.Asleep += 8 * time.Hour
	elapsed.Running += time.Second
	f.tick(t, 8*time.Hour+time.Second)
	if o := <-f.exchange.kick; o.NoFetch {
		t.Errorf("asked for %+v", o)
	}
	if f.exchange.rhythm.interval != f.opts.Remote.Interval {
		t.Errorf("asked again in %s", f.exchange.rhythm.interval)
	}
	for _, name := range []string{"clock", "sync", "remote", "checks", "cpu"} {
		want(t, f.found(t, name), control.Healthy, "")
	}
}

func TestJump(t *testing.T) {
	for _, by := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		f, elapsed := clockFixture(t)
		elapsed.Running += time.Second
		f.tick(t, by+time.Second)
		c := f.check(t, "clock")
		want(t, c, control.Warning, map[bool]string{true: "jumped forward by 3h", false: "jumped back by 3h"}[by > 0])
		want(t, f.check(t, "remote"), control.Healthy, "")
		f.now = f.now.Add(jumpShown + time.Minute)
		want(t, f.check(t, "clock"), control.Healthy, "runs evenly")
		f.stop(t)
	}
}

// clockFixture is a daemon whose operations have waited for the remote since a
// moment ago, with a monotonic clock.
func clockFixture(t *testing.T) (*fixture, *Elapsed) {
	elapsed := &Elapsed{Running: time.Hour, Told: true}
	f := newFixture(t)
	f.opts.Elapsed = func() Elapsed { return *elapsed }
	f.opts.Exchange = func(context.Context, func(string)) (Exchanger, error) { return stillRemote{}, nil }
	f.opts.Remote, f.opts.Rand = RemoteSettings{AutoPush: true, AutoFetch: true, Interval: time.Minute}, noJitter()
	f.start(t)
	status := pinned(f.now)
	status.Unshared = 1
	f.Exchanged(exchanged{status: status})
	f.watchClock(f.now)
	return f, elapsed
}
