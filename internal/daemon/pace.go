package daemon

import "time"

const (
	// burstSpan is how long a quiet daemon saves up: what max_cpu_percent allows
	// in this time may be used at once, so that an ordinary refresh never waits.
	burstSpan = 10 * time.Second

	// maxPause bounds one pause. A rebuild cannot be divided, and what it used
	// must not keep the daemon from its work for hours.
	maxPause = time.Minute
)

// pace keeps an account of processor time: it grows at the allowed share of the
// time that passes, up to what burstSpan brings, and what was used is taken off.
// Long work is done in steps, each when the account is not overdrawn. It is
// pure: clock and processor time are passed in.
type pace struct {
	percent int           // of one processor
	credit  time.Duration // of processor time; below zero it is owed
	at      time.Time     // when the account was brought up to date
	used    time.Duration // processor time at that moment
}

func newPace(percent int, now time.Time, used time.Duration) pace {
	p := pace{percent: percent, at: now, used: used}
	p.credit = p.share(burstSpan)
	return p
}

// share is the processor time that is allowed in a span.
func (p *pace) share(span time.Duration) time.Duration {
	return span * time.Duration(p.percent) / 100
}

// update brings the account up to date. A clock that went back counts as one
// that stood still.
func (p *pace) update(now time.Time, used time.Duration) {
	passed := min(max(now.Sub(p.at), 0), burstSpan+maxPause) // more would only fill it
	p.credit = min(p.credit+p.share(passed), p.share(burstSpan))
	p.credit = max(p.credit-max(used-p.used, 0), -p.share(maxPause))
	p.at, p.used = now, used
}

// wait is how long the next step of long work has to wait, at most maxPause.
func (p *pace) wait(now time.Time, used time.Duration) time.Duration {
	p.update(now, used)
	if p.credit >= 0 {
		return 0
	}
	percent := time.Duration(p.percent)
	return (-p.credit*100 + percent - 1) / percent
}

// SetPercent changes what is allowed from now on. What is owed stays owed.
func (p *pace) SetPercent(percent int) {
	p.percent = percent
	p.credit = min(max(p.credit, -p.share(maxPause)), p.share(burstSpan))
}
