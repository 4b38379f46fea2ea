package daemon

import "time"

// Elapsed is how long a machine has been up. Only differences between two
// readings mean anything.
type Elapsed struct {
	Running time.Duration // does not go on while the machine sleeps
	Asleep  time.Duration
	Told    bool // Asleep is known; if not, wall time that ran ahead counts as sleep
}

const (
	// clockSlack is what may lie between the clocks from one look to the next:
	// they are not read at once, and NTP moves the wall clock a little.
	clockSlack = 10 * time.Second

	// jumpShown is how long health tells of a wall clock that jumped.
	jumpShown = time.Hour
)

// clockWatch compares wall time with the time that passed.
type clockWatch struct {
	wall    time.Time // zero: no reading yet
	elapsed Elapsed

	jump   time.Duration // the last jump of the wall clock
	jumped time.Time
}

// look takes a reading and says how long the machine slept since the last one,
// and how far its wall clock jumped besides; each is 0 if it is within
// clockSlack.
func (c *clockWatch) look(now time.Time, e Elapsed) (slept, jump time.Duration) {
	wall := now.Round(0) // without Go's own monotonic reading, which would hide it
	if !c.wall.IsZero() {
		ahead := wall.Sub(c.wall) - (e.Running - c.elapsed.Running)
		slept = e.Asleep - c.elapsed.Asleep
		if !e.Told {
			slept = max(ahead, 0)
		}
		jump = ahead - slept
	}
	c.wall, c.elapsed = wall, e
	if slept < clockSlack {
		slept = 0
	}
	if jump.Abs() < clockSlack {
		jump = 0
	}
	if jump != 0 {
		c.jump, c.jumped = jump, wall
	}
	return slept, jump
}

// recent is the last jump while it is worth telling, else 0.
func (c *clockWatch) recent(now time.Time) time.Duration {
	if age := now.Round(0).Sub(c.jumped); c.jumped.IsZero() || age < 0 || age > jumpShown {
		return 0
	}
	return c.jump
}

// watchClock notices that the machine slept, after which the remote is asked at
// once and nothing counts as late, and that the wall clock was set. Neither
// changes the order of operations: ids follow what they were made after.
func (d *Daemon) watchClock(now time.Time) {
	if d.opts.Elapsed == nil {
		return
	}
	slept, jump := d.clock.look(now, d.opts.Elapsed())
	if jump != 0 {
		d.log.Warn("The wall clock jumped", "operation", "clock", "by", jump.Round(time.Second))
	}
	if slept == 0 && jump == 0 {
		return
	}
	if slept > 0 {
		d.log.Debug("The machine slept", "operation", "clock", "slept", slept.Round(time.Second))
	}
	if !d.waiting.IsZero() {
		d.waiting = now
	}
	d.health.woke(now)
	if d.exchange != nil {
		d.exchange.woke(now, slept > 0)
	}
}

// woke starts the measuring of what is late anew.
func (e *exchange) woke(now time.Time, slept bool) {
	if slept {
		e.rhythm.Retime(e.settings.Interval, now)
	}
	if !e.waiting.IsZero() {
		e.waiting = now
	}
}
