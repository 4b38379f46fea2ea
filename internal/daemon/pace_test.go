package daemon

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPace(t *testing.T) {
	const ms = time.Millisecond
	type step struct {
		after, used time.Duration // since the step before
		percent     int           // not 0: changed first
		wait        time.Duration
	}
	for _, test := range []struct {
		name    string
		percent int
		steps   []step
	}{
		{"an ordinary refresh does not wait", 10, []step{{used: 200 * ms}, {used: 800 * ms}}},
		{"what is overdrawn is waited for", 10, []step{
			{used: 1100 * ms, wait: time.Second}, {after: 400 * ms, wait: 600 * ms}, {after: 600 * ms},
		}},
		{"a small share saves up less and waits longer", 2, []step{{used: 300 * ms, wait: 5 * time.Second}}},
		{"nothing is saved up beyond the burst", 10, []step{
			{after: time.Hour}, {used: 1100 * ms, wait: time.Second},
		}},
		{"a pause is bounded", 10, []step{{used: time.Hour, wait: maxPause}, {after: maxPause}}},
		{"a clock that goes back stands still", 10, []step{
			{used: 1100 * ms, wait: time.Second}, {after: -time.Hour, wait: time.Second}, {after: time.Second},
		}},
		{"another share", 10, []step{
			{used: 1100 * ms, wait: time.Second}, {percent: 20, wait: 500 * ms}, {percent: 5, after: 500 * ms, wait: 1500 * ms},
			{after: 1500 * ms}, {used: 600 * ms, wait: 12 * time.Second},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			now, used := testStart, time.Minute
			p := newPace(test.percent, now, used)
			for n, s := range test.steps {
				if s.percent != 0 {
					p.SetPercent(s.percent)
				}
				now, used = now.Add(s.after), used+s.used
				if wait := p.wait(now, used); wait != s.wait {
					t.Errorf("step %d: waits %v, want %v", n, wait, s.wait)
				}
			}
		})
	}
}

// Whoever waits as long as it is told keeps the average, but for the burst.
func TestPaceKeepsTheAverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		now, used := testStart, time.Duration(0)
		p := newPace(percent, now, used)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			// A step takes at most what a pause can make up for.
			cost := time.Duration(rapid.Int64Range(0, int64(p.share(maxPause))).Draw(t, "cost"))
			if rapid.Bool().Draw(t, "small") {
				cost /= 100
			}
			used, now = used+cost, now.Add(cost)
			now = now.Add(p.wait(now, used))
		}
		allowed := p.share(now.Sub(testStart)) + p.share(burstSpan)
		if used > allowed {
			t.Fatalf("%v used in %v, allowed %v", used, now.Sub(testStart), allowed)
		}
	})
}
