package daemon

import (
	"errors"
	"testing"
	"time"

	"beads/internal/control"
	"beads/internal/watch"
	"beads/internal/workspace"
)

// TestCPUMeter: the span is never shorter than an interval, once one is over.
func TestCPUMeter(t *testing.T) {
	m := newCPUMeter(testStart)
	at := func(after time.Duration) time.Time { return testStart.Add(after) }
	if got := m.percent(testStart, time.Second); got != 0 {
		t.Errorf("without a span: %g", got)
	}
	if got := m.percent(at(10*time.Second), time.Second); got != 10 {
		t.Errorf("since the start: %g, want 10", got)
	}
	m.last = cpuSample{at: at(30 * time.Second), used: 3 * time.Second}
	m.sample(at(60 * time.Second))
	if m.before.used != 3*time.Second || m.last.used <= 0 {
		t.Errorf("after a sample: %+v", m)
	}
	if got := m.percent(at(61*time.Second), 3*time.Second+310*time.Millisecond); got != 1 {
		t.Errorf("a second after a sample: %g, want 1 over the last 31 s", got)
	}
}

// TestGaugesAreSampled: every metrics_interval and not in between.
func TestGaugesAreSampled(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.MetricsInterval = 10 * time.Second
	f.start(t)
	defer f.stop(t)
	sampled := func() time.Duration {
		shot, err := handler{Daemon: f.Daemon}.Metrics(t.Context())
		if err != nil || shot.SampledAt == nil || shot.MemoryUsage < 1<<20 || shot.MemoryPeak < shot.MemoryUsage {
			t.Fatalf("metrics %+v, %v", shot, err)
		}
		return shot.SampledAt.Sub(testStart)
	}
	if got := sampled(); got != 0 {
		t.Errorf("at the start: %s", got)
	}
	for _, step := range []struct{ after, want time.Duration }{{9 * time.Second, 0}, {time.Second, 10 * time.Second}, {9 * time.Second, 10 * time.Second}, {time.Second, 20 * time.Second}} {
		f.tick(t, step.after)
		if got := sampled(); got != step.want {
			t.Errorf("%s later: sampled at %s, want %s", step.after, got, step.want)
		}
	}
	if got := f.wait(f.now); got > 10*time.Second {
		t.Errorf("the next step is %s away", got)
	}
}

// TestMetricsCount: what steps do is in the metrics, failed cycles too.
func TestMetricsCount(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	f.ws.report = workspace.Report{Applied: 2}
	f.event(t, "issues.jsonl", watch.Modified)
	f.count()
	h := handler{Daemon: f.Daemon}
	if shot, err := h.Metrics(t.Context()); err != nil || shot.QueueDepth != 2 {
		t.Errorf("a refresh and a cycle are asked for: %+v %v", shot.QueueDepth, err)
	}
	f.tick(t, time.Minute)
	f.ws.report, f.ws.err = workspace.Report{}, errors.New("disk full")
	f.event(t, "issues.jsonl", watch.Modified)
	f.tick(t, time.Minute)
	f.count()
	shot, err := h.Metrics(t.Context())
	if err != nil || shot.SyncCount != 2 || shot.ErrorCount != 1 || shot.Applied != 2 || shot.RefreshSeconds.Count != 2 || shot.QueueDepth != 0 {
		t.Errorf("metrics %+v, %v", shot, err)
	}
}

// TestMetricsOff: nothing is sampled, and whoever asks is told why.
func TestMetricsOff(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.EnableMetrics = false
	f.start(t)
	defer f.stop(t)
	f.tick(t, time.Hour)
	if _, err := (handler{Daemon: f.Daemon}).Metrics(t.Context()); !errors.Is(err, control.ErrMetricsOff) {
		t.Errorf("got %v, want ErrMetricsOff", err)
	}
	if shot := f.metrics.Snapshot(); shot.SampledAt != nil {
		t.Errorf("sampled at %s", shot.SampledAt)
	}
}

// TestHealthChanges: only another state is an event, not another figure.
func TestHealthChanges(t *testing.T) {
	f := newFixture(t).start(t)
	defer f.stop(t)
	events, cancel := f.events.Subscribe()
	defer cancel()
	health := func(status, message string) control.Health {
		return control.Health{Status: status, Checks: []control.Check{
			{Name: "disk", Status: control.Healthy, Message: "fine"}, {Name: "memory", Status: status, Message: message},
		}}
	}
	for _, step := range []struct {
		health control.Health
		event  bool
		reason string
	}{
		{health(control.Healthy, "45MB"), true, ""},
		{health(control.Healthy, "46MB"), false, ""},
		{health(control.Warning, "Memory usage exceeds limit: 101MB"), true, "Memory usage exceeds limit: 101MB"},
		{health(control.Warning, "Memory usage exceeds limit: 102MB"), false, "Memory usage exceeds limit: 102MB"},
		{health(control.Healthy, "45MB"), true, ""},
	} {
		f.noteHealth(step.health)
		select {
		case e := <-events:
			if !step.event || e.Kind != control.HealthEvent {
				t.Errorf("%s: event %s %s", step.reason, e.Kind, e.Data)
			}
		default:
			if step.event {
				t.Errorf("%+v: no event", step.health)
			}
		}
		if s, err := (handler{Daemon: f.Daemon}).Status(t.Context()); err != nil || s.Health != step.health.Status || s.HealthReason != step.reason {
			t.Errorf("status %q %q, %v", s.Health, s.HealthReason, err)
		}
	}
}
