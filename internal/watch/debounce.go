package watch

import "time"

// Debouncer decides when a burst of events is over. It is pure: the caller
// passes the clock, whose readings must not go back (time.Now's monotonic part
// does not). Not safe for concurrent use.
type Debouncer struct {
	quiet, limit, gap time.Duration
	first, last       time.Time // of the burst that waits
	taken             time.Time // zero: never
	pending           bool
}

// NewDebouncer makes one that is due once quiet has passed without an event,
// but at the latest limit after the first event of a burst, so that endless
// events cannot starve it (0: 10 x quiet). It is never due before gap has
// passed since it was last taken (0: no gap).
func NewDebouncer(quiet, limit, gap time.Duration) *Debouncer {
	d := &Debouncer{}
	d.Retime(quiet, limit, gap)
	return d
}

// Retime changes the times, as NewDebouncer takes them, also for a burst that
// waits.
func (d *Debouncer) Retime(quiet, limit, gap time.Duration) {
	if limit <= 0 {
		limit = 10 * quiet
	}
	d.quiet, d.limit, d.gap = quiet, max(limit, quiet), gap
}

// Note records an event at now.
func (d *Debouncer) Note(now time.Time) {
	if !d.pending {
		d.first, d.pending = now, true
	}
	d.last = now
}

// Pending reports whether an event waits.
func (d *Debouncer) Pending() bool { return d.pending }

// Wait says how long it is from now until due, 0 if it is due; false if no
// event waits.
func (d *Debouncer) Wait(now time.Time) (time.Duration, bool) {
	if !d.pending {
		return 0, false
	}
	wait := min(d.last.Add(d.quiet).Sub(now), d.first.Add(d.limit).Sub(now))
	if !d.taken.IsZero() {
		wait = max(wait, d.taken.Add(d.gap).Sub(now))
	}
	return max(wait, 0), true
}

// Take reports whether it is due at now, and if so starts afresh.
func (d *Debouncer) Take(now time.Time) bool {
	wait, pending := d.Wait(now)
	if !pending || wait > 0 {
		return false
	}
	d.pending, d.taken = false, now
	return true
}
