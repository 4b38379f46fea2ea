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

// takeStock counts what came to the database since the last look, whichever
// process applied it: commands apply what they write, and an exchange what it
// fetches. applied is what this daemon has just applied, which is more if it
// built the database anew.
func (d *Daemon) takeStock(ctx context.Context, applied int) {
	came, issues, err := d.lookAtDatabase(ctx)
	if err != nil {
		d.log.Debug("Operations not counted", "operation", "metrics", "error", err)
	}
	if came > 0 {
		d.publishApplied(came, issues)
	}
	n := max(came, int64(applied))
	d.metrics.Applied(n)
	d.mu.Lock()
	d.state.Applied += n
	d.mu.Unlock()
}

// lookAtDatabase says how many operations the database has more than at the last look, and
// some of the issues that they are about. The first look finds none.
func (d *Daemon) lookAtDatabase(ctx context.Context) (came int64, issues []string, err error) {
	var newest, lines int64
	err = d.ws.Peek(ctx, func(q *projection.Query) error {
		count, err := q.QuarantineCount()
		if err != nil {
			return err
		}
		lines = int64(count)
		if newest, err = q.MaxSeq(); err != nil || d.seen == notSeen || newest <= d.seen {
			return err
		}
		issues, err = q.IssuesSince(d.seen, namedIssues+1)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	if d.seen != notSeen {
		came = max(newest-d.seen, 0)
	}
	d.seen = newest
	d.mu.Lock()
	d.quarantine = &lines
	d.mu.Unlock()
	return came, issues, nil
}
