package cli

import (
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Skip("no time zone data here")
	}
	now := time.Date(2026, 3, 27, 15, 30, 45, 0, vienna) // a Friday, two days before the clocks change
	a := &app{Process: Process{Now: func() time.Time { return now }, Location: vienna}}
	for _, test := range []struct {
		about    string
		text     string
		endOfDay bool
		want     string // local, RFC 3339; "" is an error
	}{
		{"RFC 3339 keeps its zone", "2026-11-23T15:04:05Z", true, "2026-11-23T16:04:05+01:00"},
		{"a bare date is due at its end", "2026-11-23", true, "2026-11-23T23:59:59+01:00"},
		{"a bare date begins at its start", "2026-11-23", false, "2026-11-23T00:00:00+01:00"},
		{"summer time", "2026-07-01", false, "2026-07-01T00:00:00+02:00"},
		{"a local time", "2026-11-23 15:04", true, "2026-11-23T15:04:00+01:00"},
		{"a local time with T and seconds", "2026-11-23T15:04:05", true, "2026-11-23T15:04:05+01:00"},
		{"blanks around", "  2026-11-23  ", false, "2026-11-23T00:00:00+01:00"},
		{"hours", "+3h", true, "2026-03-27T18:30:45+01:00"},
		{"days keep the hour over the change of clocks", "+2d", true, "2026-03-29T15:30:45+02:00"},
		{"weeks", "+1w", true, "2026-04-03T15:30:45+02:00"},
		{"m is months", "+1m", true, "2026-04-27T15:30:45+02:00"},
		{"minutes", "+5min", true, "2026-03-27T15:35:45+01:00"},
		{"the past", "-1d", true, "2026-03-26T15:30:45+01:00"},
		{"in words", "in 3 days", true, "2026-03-30T15:30:45+02:00"},
		{"now", "now", true, "2026-03-27T15:30:45+01:00"},
		{"today", "Today", true, "2026-03-27T23:59:59+01:00"},
		{"tomorrow", "tomorrow", false, "2026-03-28T00:00:00+01:00"},
		{"yesterday", "yesterday", false, "2026-03-26T00:00:00+01:00"},
		{"a weekday", "monday", true, "2026-03-30T23:59:59+02:00"},
		{"a short weekday", "next tue", false, "2026-03-31T00:00:00+02:00"},
		{"today's weekday is in a week", "friday", false, "2026-04-03T00:00:00+02:00"},
		{"next week", "next week", false, "2026-04-03T00:00:00+02:00"},
		{"next month", "next month", false, "2026-04-27T00:00:00+02:00"},

		{"empty", "", true, ""},
		{"a word", "someday", true, ""},
		{"no such day", "2026-02-30", true, ""},
		{"no such month", "2026-13-01", true, ""},
		{"digits only", "20261123", true, ""},
		{"a span without a sign", "2d", true, ""},
		{"a span without a number", "+d", true, ""},
		{"a span without a unit", "+2", true, ""},
		{"an unknown unit", "+2q", true, ""},
		{"a huge span", "+99999999999999999999d", true, ""},
		{"beyond what can be written", "+99999y", true, ""},
		{"before computers", "1969-01-01", true, ""},
	} {
		t.Run(test.about, func(t *testing.T) {
			got, err := a.parseDate(test.text, test.endOfDay)
			switch {
			case test.want == "" && err == nil:
				t.Errorf("parseDate(%q) = %s, want an error", test.text, got)
			case test.want != "" && err != nil:
				t.Errorf("parseDate(%q): %v", test.text, err)
			case test.want != "" && got.In(vienna).Format(time.RFC3339) != test.want:
				t.Errorf("parseDate(%q) = %s, want %s", test.text, got.In(vienna).Format(time.RFC3339), test.want)
			}
		})
	}
}
