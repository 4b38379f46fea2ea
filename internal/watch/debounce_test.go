package watch

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDebouncer(t *testing.T) {
	type step struct {
		at   time.Duration
		note bool          // an event, else a question
		wait time.Duration // expected of Wait; -1: nothing pending
		take bool          // expected of Take
	}
	const s = time.Second
	tests := []struct {
		name              string
		quiet, limit, gap time.Duration
		steps             []step
	}{
		{"nothing waits at first", 5 * s, 0, 0, []step{{at: 0, wait: -1}}},
		{"due after the quiet time", 5 * s, 0, 0, []step{
			{at: 0, note: true}, {at: 0, wait: 5 * s}, {at: 4 * s, wait: s}, {at: 5 * s, take: true}, {at: 5 * s, wait: -1},
		}},
		{"another event starts the quiet time again", 5 * s, 0, 0, []step{
			{at: 0, note: true}, {at: 4 * s, note: true}, {at: 5 * s, wait: 4 * s}, {at: 9 * s, take: true},
		}},
		{"endless events are cut by the limit", 5 * s, 10 * s, 0, []step{
			{at: 0, note: true}, {at: 4 * s, note: true}, {at: 8 * s, note: true}, {at: 9 * s, wait: s},
			{at: 10 * s, take: true}, {at: 11 * s, note: true}, {at: 11 * s, wait: 5 * s},
		}},
		{"the default limit is ten quiet times", s, 0, 0, []step{
			{at: 0, note: true}, {at: 9500 * time.Millisecond, note: true}, {at: 9500 * time.Millisecond, wait: s / 2}, {at: 10 * s, take: true},
		}},
		{"a limit below the quiet time is the quiet time", 5 * s, s, 0, []step{
			{at: 0, note: true}, {at: s, wait: 4 * s}, {at: 5 * s, take: true},
		}},
		{"the gap holds the next one back", s, 0, 30 * s, []step{
			{at: 0, note: true}, {at: s, take: true}, {at: 2 * s, note: true}, {at: 3 * s, wait: 28 * s}, {at: 31 * s, take: true},
		}},
		{"no gap before the first", s, 0, 30 * s, []step{{at: 0, note: true}, {at: s, take: true}}},
		{"no quiet time at all", 0, 0, 0, []step{{at: 0, note: true}, {at: 0, take: true}}},
		{"long overdue", s, 0, 0, []step{{at: 0, note: true}, {at: time.Hour, take: true}}},
	}
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDebouncer(tt.quiet, tt.limit, tt.gap)
			for i, step := range tt.steps {
				now := start.Add(step.at)
				if step.note {
					d.Note(now)
					continue
				}
				wait, pending := d.Wait(now)
				if pending != d.Pending() || pending != (step.wait >= 0) || pending && wait != step.wait {
					t.Fatalf("step %d: Wait = %v, %v, want %v", i, wait, pending, step.wait)
				}
				if got := d.Take(now); got != step.take {
					t.Fatalf("step %d: Take = %v", i, got)
				}
			}
		})
	}
}

// Whatever comes, an event is served within limit of the burst's start or gap
// of the last service, and never before the quiet time unless by the limit.
func TestDebouncerNeverStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quiet := time.Duration(rapid.IntRange(0, 10).Draw(t, "quiet"))
		limit := max(quiet, time.Duration(rapid.IntRange(1, 40).Draw(t, "limit")))
		gap := time.Duration(rapid.IntRange(0, 40).Draw(t, "gap"))
		d := NewDebouncer(quiet, limit, gap)
		now := time.Unix(1000, 0)
		var first, last, taken time.Time
		for _, event := range rapid.SliceOfN(rapid.Bool(), 1, 200).Draw(t, "events") {
			now = now.Add(1)
			if event {
				if !d.Pending() {
					first = now
				}
				last = now
				d.Note(now)
			}
			pending := d.Pending()
			due := pending && (now.Sub(last) >= quiet || now.Sub(first) >= limit) && (taken.IsZero() || now.Sub(taken) >= gap)
			if got := d.Take(now); got != due {
				t.Fatalf("Take = %v, want %v (first %v, last %v, taken %v, now %v)", got, due, first, last, taken, now)
			}
			if due {
				taken = now
			}
		}
	})
}

// TestRetime: new times count for a burst that waits, too.
func TestRetime(t *testing.T) {
	now := time.Unix(0, 0)
	d := NewDebouncer(time.Minute, 0, 0)
	d.Note(now)
	d.Retime(time.Second, 0, time.Hour)
	if wait, pending := d.Wait(now); !pending || wait != time.Second {
		t.Errorf("due in %v, pending %t", wait, pending)
	}
	if !d.Take(now.Add(time.Second)) {
		t.Error("not due")
	}
	d.Note(now.Add(2 * time.Second))
	if d.Take(now.Add(time.Hour)) || !d.Take(now.Add(time.Hour+time.Second)) {
		t.Error("the gap does not count")
	}
}
