package cli

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads a point in time as people write it. It takes RFC 3339,
// 2006-01-02, 2006-01-02 15:04[:05] (also with T), spans from now such as +2d,
// -6h or +1w (s, min, h, d, w, m for months, y), now, today, tomorrow, yesterday,
// weekday names (the next such day after today, also "next friday"), "next
// week", "next month", and "in 3 days". What names a day without a time means
// its start or, with endOfDay, its last second, both in local time.
func (a *app) parseDate(text string, endOfDay bool) (time.Time, error) {
	now := a.Now().In(a.Location)
	words := strings.ToLower(strings.Join(strings.Fields(text), " "))
	if t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(text)); err == nil {
		return inRange(text, t)
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02t15:04", "2006-01-02t15:04:05"} {
		if t, err := time.ParseInLocation(layout, words, a.Location); err == nil {
			return inRange(text, t)
		}
	}
	if words == "now" {
		return now, nil
	}
	if t, ok := span(words, now); ok {
		return inRange(text, t)
	}
	if day, ok := namedDay(words, now); ok {
		if endOfDay {
			return inRange(text, time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, a.Location))
		}
		return inRange(text, time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, a.Location))
	}
	return time.Time{}, usagef("%q is not a date", text).
		withHint("write 2026-11-23, \"2026-11-23 15:04\", +2d, +3h, +1w, today, tomorrow, friday, or RFC 3339")
}

// inRange keeps years that RFC 3339 can write and that are no slip of the pen. It
// is written in UTC, where the year may be another than at the date's own zone.
func inRange(text string, t time.Time) (time.Time, error) {
	if y := t.UTC().Year(); y < 1970 || y > 9999 {
		return time.Time{}, usagef("date %q is out of range: the year must be 1970 to 9999", text)
	}
	return t, nil
}

// span reads +2d, -6h, +1w, also "in 3 days", counted from now.
func span(words string, now time.Time) (time.Time, bool) {
	var number, unit string
	if rest, ok := strings.CutPrefix(words, "in "); ok {
		number, unit, ok = strings.Cut(rest, " ")
		if !ok {
			return time.Time{}, false
		}
	} else {
		if !strings.HasPrefix(words, "+") && !strings.HasPrefix(words, "-") {
			return time.Time{}, false
		}
		end := 1
		for end < len(words) && words[end] >= '0' && words[end] <= '9' {
			end++
		}
		number, unit = words[:end], words[end:]
	}
	n, err := strconv.Atoi(number)
	if err != nil || n > 100_000 || n < -100_000 {
		return time.Time{}, false
	}
	switch unit {
	case "s", "sec", "second", "seconds":
		return now.Add(time.Duration(n) * time.Second), true
	case "min", "minute", "minutes":
		return now.Add(time.Duration(n) * time.Minute), true
	case "h", "hour", "hours":
		return now.Add(time.Duration(n) * time.Hour), true
	case "d", "day", "days":
		return now.AddDate(0, 0, n), true
	case "w", "week", "weeks":
		return now.AddDate(0, 0, 7*n), true
	case "m", "month", "months":
		return now.AddDate(0, n, 0), true
	case "y", "year", "years":
		return now.AddDate(n, 0, 0), true
	}
	return time.Time{}, false
}

// namedDay reads what names a whole day.
func namedDay(words string, now time.Time) (time.Time, bool) {
	switch words {
	case "today":
		return now, true
	case "tomorrow":
		return now.AddDate(0, 0, 1), true
	case "yesterday":
		return now.AddDate(0, 0, -1), true
	case "next week":
		return now.AddDate(0, 0, 7), true
	case "next month":
		return now.AddDate(0, 1, 0), true
	}
	name := strings.TrimPrefix(words, "next ")
	for day := time.Sunday; day <= time.Saturday; day++ {
		full := strings.ToLower(day.String())
		if name == full || name == full[:3] {
			ahead := (int(day) - int(now.Weekday()) + 7) % 7
			if ahead == 0 {
				ahead = 7
			}
			return now.AddDate(0, 0, ahead), true
		}
	}
	t, err := time.ParseInLocation(time.DateOnly, words, now.Location())
	return t, err == nil
}
