package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// bounds are the upper bounds of the buckets, in seconds: from a refresh that
// finds nothing to an exchange over a network that gives up.
var bounds = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// Histogram is a distribution of durations. Its buckets are cumulative: each
// counts what took at most Bound; the last has Bound +Inf and counts everything.
type Histogram struct {
	Buckets []Bucket `json:"buckets"`
	Sum     float64  `json:"sum"` // seconds
	Count   int64    `json:"count"`
}

// Bucket is one of them. In JSON Bound is a text, since JSON has no infinity.
type Bucket struct {
	Bound Bound `json:"le"`
	Count int64 `json:"count"`
}

// Bound is an upper bound in seconds, +Inf for none.
type Bound float64

// String is the bound as OpenMetrics wants it, always with a point.
func (b Bound) String() string {
	if math.IsInf(float64(b), 1) {
		return "+Inf"
	}
	text := strconv.FormatFloat(float64(b), 'f', -1, 64)
	if float64(b) == math.Trunc(float64(b)) {
		text += ".0"
	}
	return text
}

// MarshalJSON writes the bound as text.
func (b Bound) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (b *Bound) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("bound %q: %w", text, err)
	}
	*b = Bound(f)
	return nil
}

// counts are the buckets before they are summed up; the last is beyond all
// bounds.
type counts struct {
	in  [len(bounds) + 1]int64
	sum time.Duration
}

func (c *counts) observe(d time.Duration) {
	d = max(d, 0)
	i := 0
	for i < len(bounds) && d.Seconds() > bounds[i] {
		i++
	}
	c.in[i]++
	c.sum += d
}

func (c *counts) histogram() Histogram {
	h := Histogram{Buckets: make([]Bucket, 0, len(c.in)), Sum: c.sum.Seconds()}
	for i, n := range c.in {
		h.Count += n
		bound := Bound(math.Inf(1))
		if i < len(bounds) {
			bound = Bound(bounds[i])
		}
		h.Buckets = append(h.Buckets, Bucket{Bound: bound, Count: h.Count})
	}
	return h
}

// Quantile estimates the duration that the share q of all stayed below, by the
// line through its bucket; 0 without any. What lies beyond the last bound counts
// as the last bound.
func (h Histogram) Quantile(q float64) time.Duration {
	rank, lower, below := q*float64(h.Count), 0.0, int64(0)
	for _, b := range h.Buckets {
		upper := float64(b.Bound)
		if float64(b.Count) >= rank && b.Count > below {
			if math.IsInf(upper, 1) {
				upper = lower
			}
			share := (rank - float64(below)) / float64(b.Count-below)
			return time.Duration((lower + (upper-lower)*share) * float64(time.Second))
		}
		lower, below = upper, b.Count
	}
	return 0
}
