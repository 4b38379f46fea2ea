package daemon

import (
	"beads/internal/config"
	"testing"
	"time"
)

// at drives a schedule to t0+after and says what was due there.
type planned struct {
	after  time.Duration
	change bool // a file changed, before anything else
	want   string
}

func TestSchedule(t *testing.T) {
	base := config.Default() // 5 s quiet, 30 s between cycles
	manual := base
	manual.AutoSync = false
	for _, test := range []struct {
		name   string
		config config.Daemon
		steps  []planned
	}{
		{"nothing happens", base, []planned{{0, false, ""}, {time.Hour, false, ""}}},
		{"a change is a cycle once it is quiet", base, []planned{
			{time.Second, true, ""}, {5 * time.Second, false, ""}, {6 * time.Second, false, "cycle"}, {time.Minute, false, ""}}},
		{"further changes put it off", base, []planned{
			{0, true, ""}, {4 * time.Second, true, ""}, {8 * time.Second, false, ""}, {9 * time.Second, false, "cycle"}}},
		{"endless changes do not starve it", base, append(many(50, time.Second), planned{50 * time.Second, true, "cycle"})},
		{"soon after a cycle there is only a refresh, and the cycle later", base, []planned{
			{0, true, ""}, {5 * time.Second, false, "cycle"},
			{10 * time.Second, true, ""}, {15 * time.Second, false, "refresh"},
			{34 * time.Second, false, ""}, {35 * time.Second, false, "cycle"}, {2 * time.Minute, false, ""}}},
		{"once a day everything is read", base, []planned{{24*time.Hour - 1, false, ""}, {24 * time.Hour, false, "cycle, verify"}, {25 * time.Hour, false, ""}}},
		{"only when asked", manual, []planned{{0, true, ""}, {time.Hour, false, ""}, {25 * time.Hour, false, ""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
			s := newSchedule(test.config, start)
			for _, step := range test.steps {
				now := start.Add(step.after)
				if step.change {
					s.changed(now, false)
				}
				wait := s.wait(now)
				got := name(s.due(now))
				if s.verify {
					got, s.verify = got+", verify", false
				}
				if got != step.want {
					t.Errorf("at %v: %q is due, want %q", step.after, got, step.want)
				}
				if got != "" && wait != 0 {
					t.Errorf("at %v: %s is due, but the loop would sleep %v", step.after, got, wait)
				}
			}
		})
	}
}

func name(cycle, refresh bool) string {
	switch {
	case cycle && refresh:
		return "both"
	case cycle:
		return "cycle"
	case refresh:
		return "refresh"
	}
	return ""
}

// many are changes every step, none of which is due.
func many(n int, step time.Duration) (all []planned) {
	for i := range n {
		all = append(all, planned{time.Duration(i) * step, true, ""})
	}
	return all
}

func TestScheduleRetries(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	s := newSchedule(config.Default(), now)
	var delays []time.Duration
	for range 10 {
		s.failed(now)
		delay := s.retry.Sub(now)
		if cycle, _ := s.due(now.Add(delay - 1)); cycle {
			t.Fatalf("tried again before %v", delay)
		}
		now = now.Add(delay)
		if cycle, _ := s.due(now); !cycle {
			t.Fatalf("not tried again after %v", delay)
		}
		delays = append(delays, delay)
	}
	if delays[0] != 5*time.Second || delays[1] != 10*time.Second || delays[9] != maxRetry {
		t.Errorf("delays %v", delays)
	}
	s.failed(now)
	s.succeeded()
	if cycle, refresh := s.due(now.Add(time.Hour)); cycle || refresh || s.failures != 0 {
		t.Error("tried again after a success")
	}
}

func TestScheduleIdle(t *testing.T) {
	c := config.Default()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	never := newSchedule(c, now)
	c.IdleExit = time.Minute
	s := newSchedule(c, now)
	s.changed(now.Add(30*time.Second), false)
	for after, want := range map[time.Duration]bool{time.Minute: false, 89 * time.Second: false, 90 * time.Second: true} {
		if s.idle(now.Add(after)) != want {
			t.Errorf("after %v: idle = %t", after, !want)
		}
		if never.idle(now.Add(after)) {
			t.Error("idle without idle_exit")
		}
	}
}
