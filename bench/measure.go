package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// A row is one line of the table. Limit is what must hold, Goal what is aimed
// at; both are in the unit of Value, and 0 where there is none.
type row struct {
	What   string  `json:"what"`
	Issues int     `json:"issues,omitempty"`
	Millis float64 `json:"millis,omitempty"` // median of whole runs
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"` // "x floor", "x 1000 issues", "MB", "bytes" …
	Limit  float64 `json:"limit,omitempty"`
	Goal   float64 `json:"goal,omitempty"`
	Least  bool    `json:"least,omitempty"` // limit and goal are lower bounds
}

// A part is what can be measured by itself.
type part struct {
	name    string
	measure func(*bench, context.Context) ([]row, error)
}

func parts() []part {
	return []part{
		{"binary", (*bench).binary},
		{"commands", (*bench).commands},
		{"writers", (*bench).writersAtOnce},
		{"refresh", (*bench).refresh},
		{"rebuild", (*bench).rebuild},
		{"publish", (*bench).publish},
		{"clone", (*bench).clone},
		{"idle", (*bench).idleDaemon},
		{"import", (*bench).imports},
		{"million", (*bench).longLog},
		{"peer", (*bench).comparePeer},
	}
}

func partNames() []string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// measure measures the parts that are asked for, up to the first that fails.
func (b *bench) measure(ctx context.Context) ([]row, error) {
	var rows []row
	for _, p := range parts() {
		if len(b.only) > 0 && !slices.Contains(b.only, p.name) {
			continue
		}
		b.say("part %s", p.name)
		more, err := p.measure(b, ctx)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", p.name, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func (b *bench) binary(context.Context) ([]row, error) {
	size, err := os.Stat(b.bd)
	if err != nil {
		return nil, err
	}
	return []row{{What: "binary", Value: float64(size.Size()) / 1e6, Unit: "MB", Limit: 25}}, nil
}

func quantile(times []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// digits are the digits of a text with one number.
func digits(text string) string {
	var found []rune
	for _, r := range text {
		if '0' <= r && r <= '9' {
			found = append(found, r)
		}
	}
	return string(found)
}
