package daemon

import (
	"encoding/binary"
	"io"
	"time"
)

const maxRemoteInterval = 5 * time.Minute

// Rhythm says when a remote is asked for what others did: soon while things
// move, later and later while they do not or the remote fails, and never in step
// with other clones. It is pure: the caller passes the clock. Not safe for
// concurrent use.
type Rhythm struct {
	least    time.Duration // between two questions
	interval time.Duration // between two questions as things stand
	next     time.Time
	random   io.Reader
}

// NewRhythm makes one by which the remote is asked at now.
func NewRhythm(least time.Duration, random io.Reader, now time.Time) *Rhythm {
	return &Rhythm{least: least, interval: least, next: now, random: random}
}

// Retime makes least count, and the remote be asked at now.
func (r *Rhythm) Retime(least time.Duration, now time.Time) {
	r.least, r.interval, r.next = least, least, now
}

// Wait is how long the remote need not be asked.
func (r *Rhythm) Wait(now time.Time) time.Duration { return max(r.next.Sub(now), 0) }

// Take reports whether the remote is to be asked, and counts it as asked.
func (r *Rhythm) Take(now time.Time) bool {
	if now.Before(r.next) {
		return false
	}
	r.next = now.Add(r.interval)
	return true
}

// Note plans the next question after an answer: moved says that something came
// or went and nothing failed.
func (r *Rhythm) Note(now time.Time, moved bool) {
	if moved {
		r.interval = r.least
	} else {
		r.interval = min(2*r.interval, max(maxRemoteInterval, r.least))
	}
	r.next = now.Add(r.interval - r.jitter())
}

// jitter is up to a fifth of the interval, so that clones do not ask in step.
func (r *Rhythm) jitter() time.Duration {
	var b [2]byte
	if _, err := io.ReadFull(r.random, b[:]); err != nil {
		return 0
	}
	return r.interval / 5 * time.Duration(binary.BigEndian.Uint16(b[:])) >> 16
}
