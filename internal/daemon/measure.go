package daemon

import (
	"context"
	"math"
	"time"

	"beads/internal/metrics"
	"beads/internal/projection"
)

// cpuMeter tells the processor's share over a span that is long enough to mean
// something: since the sample before the last one, so between one interval and
// two, or since the process began.
type cpuMeter struct{ before, last cpuSample }

type cpuSample struct {
	at   time.Time
	used time.Duration
}

func newCPUMeter(start time.Time) cpuMeter {
	return cpuMeter{cpuSample{at: start}, cpuSample{at: start}}
}

// sample begins a new interval.
func (m *cpuMeter) sample(now time.Time) {
	m.before, m.last = m.last, cpuSample{at: now, used: processorTime()}
}

// percent is the share of one processor, to two places, where used is what the process has
// used until now.
func (m *cpuMeter) percent(now time.Time, used time.Duration) float64 {
	span := now.Sub(m.before.at)
	if span <= 0 {
		return 0
	}
	return math.Round((used-m.before.used).Seconds()/span.Seconds()*1e4) / 100
}

// measure reads the gauges that cost something.
func (d *Daemon) measure(now time.Time) {
	if !d.config.EnableMetrics {
		return
	}
	d.sampled = now
	used := processorTime()
	at := now.UTC()
	g := metrics.Gauges{
		MemoryUsage: residentMemory(), MemoryPeak: peakMemory(), CPUSeconds: used.Seconds(), SampledAt: &at,
		CPUUsage: d.meter.percent(now, used),
	}
	d.meter.sample(now)
	d.mu.Lock()
	if d.quarantine != nil {
		g.QuarantineSize = *d.quarantine
	}
	d.mu.Unlock()
	d.metrics.Sample(g)
}

// count publishes what costs nothing to know, before the loop waits.
func (d *Daemon) count() {
	n := d.queued()
	if d.exchange != nil {
		n += len(d.exchange.kick)
	}
	d.metrics.Queued(n)
	d.mu.Lock()
	d.measures = d.config.EnableMetrics
	d.mu.Unlock()
}

const (
	namedIssues = 20 // that one event tells
	notSeen     = -1 // no look has counted yet
)

// takeStock counts what the database holds and tells who listens what came
// since the last look, whichever process brought it. That it fails is no failure
// of the step: the next look counts it.
func (d *Daemon) takeStock(ctx context.Context) {
	first, seen := d.seen == notSeen, d.seen
	var lines, newest int64
	var issues []string
	err := d.ws.Peek(ctx, func(q *projection.Query) error {
		count, err := q.QuarantineCount()
		if err != nil {
			return err
		}
		lines = int64(count)
		if newest, err = q.MaxSeq(); err != nil || first || newest <= seen {
			return err
		}
		issues, err = q.IssuesSince(seen, namedIssues+1)
		return err
	})
	if err != nil {
		d.log.Debug("Operations not counted", "operation", "metrics", "error", err)
		return
	}
	d.seen = newest
	d.mu.Lock()
	d.quarantine = &lines
	d.mu.Unlock()
	if !first && newest > seen {
		d.publishApplied(newest-seen, issues)
	}
}
