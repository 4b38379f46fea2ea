package daemon

import (
	"time"

	"beads/internal/config"
	"beads/internal/watch"
	"beads/internal/workspace"
)

// Fixed intervals of the loop.
const (
	beatInterval = 30 * time.Second // the lock's content
	lookInterval = 5 * time.Second  // lock and socket: one stat each
	fullInterval = 24 * time.Hour   // every copy is read from its start
	maxRetry     = 5 * time.Minute  // between two attempts after failures
	failuresBad  = 3                // so many in a row make the status an error
)

// schedule knows what is due when. It is pure: the clock is passed in.
type schedule struct {
	config    config.Daemon
	refreshes *watch.Debouncer
	cycles    *watch.Debouncer // as refreshes, but at most one per max_sync_frequency

	beat, look, full time.Time
	sampled          time.Time // when the gauges were read; zero: never
	retry            time.Time // zero: nothing failed
	export           time.Time // when a snapshot is written beside the cycles; zero: not planned
	failures         int       // in a row
	active           time.Time // last event or request, for idle_exit

	verify  bool             // the next refresh reads everything
	doubted bool             // the next refresh reads the whole database first
	waiting time.Time        // since when a change waits for its cycle; zero: none does
	moved   workspace.Report // since the last cycle

	more       bool      // the last batch of a refresh left some to do
	resume     time.Time // when the next batch is due
	counting   bool      // a cycle was due meanwhile, and ends with the last batch
	begun      bool      // that cycle is in the log
	cycleBegan time.Time // when its first batch did

	exportError string // of the last snapshot; "" if it is current
}

func newSchedule(c config.Daemon, now time.Time) schedule {
	return schedule{
		config:    c,
		refreshes: watch.NewDebouncer(c.DebounceInterval, 0, 0),
		cycles:    watch.NewDebouncer(c.DebounceInterval, 0, c.MaxSyncFrequency),
		beat:      now.Add(beatInterval),
		look:      now.Add(lookInterval),
		full:      now.Add(fullInterval),
		active:    now,
	}
}

// reconfigure makes c count, also for what waits.
func (s *schedule) reconfigure(c config.Daemon) {
	s.config = c
	s.refreshes.Retime(c.DebounceInterval, 0, 0)
	s.cycles.Retime(c.DebounceInterval, 0, c.MaxSyncFrequency)
}

// changed notes that a file changed. verify asks for a full check.
func (s *schedule) changed(now time.Time, verify bool) {
	s.active = now
	if !s.config.AutoSync {
		return
	}
	s.verify = s.verify || verify
	s.refreshes.Note(now)
	s.cycles.Note(now)
	if s.waiting.IsZero() {
		s.waiting = now
	}
}

// wait is how long nothing will be due.
func (s *schedule) wait(now time.Time) time.Duration {
	next := min(s.beat.Sub(now), s.look.Sub(now))
	if s.config.AutoSync {
		next = min(next, s.full.Sub(now))
	}
	if s.config.EnableMetrics {
		next = min(next, s.sampled.Add(s.config.MetricsInterval).Sub(now))
	}
	for _, planned := range []time.Time{s.retry, s.export} {
		if !planned.IsZero() {
			next = min(next, planned.Sub(now))
		}
	}
	if s.more {
		next = min(next, s.resume.Sub(now))
	}
	if s.config.IdleExit > 0 && !s.more {
		next = min(next, s.active.Add(s.config.IdleExit).Sub(now))
	}
	for _, d := range []*watch.Debouncer{s.refreshes, s.cycles} {
		if wait, pending := d.Wait(now); pending {
			next = min(next, wait)
		}
	}
	return max(next, 0)
}

// due says what step is due at now, and counts it as taken. While a refresh has
// batches left to do, what else falls due is done with them.
func (s *schedule) due(now time.Time) (cycle, refresh bool) {
	if !s.retry.IsZero() && !now.Before(s.retry) {
		s.retry, cycle = time.Time{}, true
	}
	if s.config.AutoSync && !now.Before(s.full) {
		s.full, s.verify, cycle = now.Add(fullInterval), true, true
	}
	// Both are asked: a cycle contains a refresh.
	refresh = s.refreshes.Take(now)
	cycle = s.cycles.Take(now) || cycle
	if s.more {
		s.counting = s.counting || cycle
		next := !now.Before(s.resume)
		return next && s.counting, next && !s.counting
	}
	return cycle, refresh && !cycle
}

// measureDue reports whether the gauges are to be read, and counts it as done.
func (s *schedule) measureDue(now time.Time) bool {
	if !s.config.EnableMetrics || now.Before(s.sampled.Add(s.config.MetricsInterval)) {
		return false
	}
	s.sampled = now
	return true
}

// queued is how many steps are asked for and not begun.
func (s *schedule) queued() int {
	n := 0
	for _, d := range []*watch.Debouncer{s.refreshes, s.cycles} {
		if d.Pending() {
			n++
		}
	}
	return n
}

// goOn notes whether a batch left some to do, and how long that has to wait.
func (s *schedule) goOn(more bool, now time.Time, wait time.Duration) {
	s.more, s.resume = more, now.Add(wait)
}

// idle reports whether idle_exit is over.
func (s *schedule) idle(now time.Time) bool {
	return s.config.IdleExit > 0 && !s.more && now.Sub(s.active) >= s.config.IdleExit
}

// failed plans the next attempt, later with every failure.
func (s *schedule) failed(now time.Time) {
	s.failures++
	delay := max(s.config.DebounceInterval, time.Second) << min(s.failures-1, 16)
	s.retry = now.Add(min(delay, maxRetry))
}

// succeeded forgets earlier failures.
func (s *schedule) succeeded() { s.failures, s.retry = 0, time.Time{} }

// add sums up what refreshes moved.
func (s *schedule) add(r workspace.Report) { sum(&s.moved, r) }

// sum adds r to total.
func sum(total *workspace.Report, r workspace.Report) {
	total.Applied += r.Applied
	total.Restored += r.Restored
	total.Imported += r.Imported
	total.Quarantined += r.Quarantined
	total.Interactions.Applied += r.Interactions.Applied
	total.Interactions.Restored += r.Interactions.Restored
	total.Rebuilt = total.Rebuilt || r.Rebuilt
	total.FullScan = total.FullScan || r.FullScan
	total.More = r.More
	total.Duration += r.Duration
}

// take returns the sum and starts afresh.
func (s *schedule) take() workspace.Report {
	r := s.moved
	s.moved = workspace.Report{}
	return r
}
