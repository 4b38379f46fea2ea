package cli

import (
	"testing"
	"time"
)

// FuzzDates: whatever is taken for a date can be written down and read again.
func FuzzDates(f *testing.F) {
	for _, text := range []string{
		"2026-11-23", "2026-11-23 15:04", "2026-11-23T15:04:05.123456789+14:00", "9999-12-31T23:59:59-12:00", "1970-01-01T00:00:00+12:00",
		"+2d", "-6h", "+100000y", "in 3 days", "next friday", "next month", "today", "now", "+", "in ", "-0m", "+99999999999999999999d",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	now := time.Date(2026, 3, 27, 15, 30, 45, 0, time.UTC)
	a := &app{Process: Process{Now: func() time.Time { return now }, Location: time.FixedZone("there", -11*60*60)}}
	f.Fuzz(func(t *testing.T, text string, endOfDay bool) {
		date, err := a.parseDate(text, endOfDay)
		if err != nil {
			return
		}
		written := date.UTC().Format(time.RFC3339Nano)
		again, err := a.parseDate(written, endOfDay)
		if err != nil || !again.Equal(date) {
			t.Errorf("%q is %s, which is read as %v, %v", text, written, again, err)
		}
	})
}
