package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A probe is a command that is measured. args gets the number of the run, so
// that every close has an issue of its own.
type probe struct {
	what        string
	limit, goal float64
	args        func(run int) []string
}

func probes(ids []string) []probe {
	fixed := func(args ...string) func(int) []string { return func(int) []string { return args } }
	// Each close needs an open issue of its own; the others just vary.
	nth := func(run int) string { return ids[run%len(ids)] }
	return []probe{
		{"version", 2.5, 2.2, fixed("version")},
		{"show", 4.5, 3.5, func(run int) []string { return []string{"show", nth(run)} }},
		{"list -n 50", 4.5, 3.5, fixed("list", "-n", "50")},
		{"ready -n 10", 4.5, 3.5, fixed("ready", "-n", "10")},
		{"count", 4.5, 3.5, fixed("count")},
		{"search", 6, 3.5, fixed("search", "scheduler")},
		{"search, no match", 6, 3.5, fixed("search", "zebra")},
		{"create", 6, 5, func(run int) []string { return []string{"create", fmt.Sprintf("Measured %d", run), "-p", "1"} }},
		{"update", 6, 5, func(run int) []string {
			return []string{"update", nth(run), "--notes", fmt.Sprintf("run %d", run)}
		}},
		{"close", 6, 5, func(run int) []string { return []string{"close", nth(run)} }},
	}
}

// commands measures every probe at every size, and how the reading ones grow.
func (b *bench) commands(ctx context.Context) ([]row, error) {
	var rows []row
	for _, issues := range b.sizes {
		t, err := b.tracker(ctx, issues)
		if err != nil {
			return nil, err
		}
		more, err := b.probeAll(ctx, t, issues)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return append(rows, growth(rows, b.sizes)...), nil
}

// probeAll measures every probe next to the floor: one run of the empty program
// before each run of bd, so that both meet the same noise.
func (b *bench) probeAll(ctx context.Context, t *tracker, issues int) ([]row, error) {
	var rows []row
	for _, p := range probes(t.open) {
		var floor, times []time.Duration
		for i := range b.runs + 1 {
			f, err := b.timed(ctx, t.dir, b.empty)
			if err != nil {
				return nil, err
			}
			d, err := b.timed(ctx, t.dir, b.bd, p.args(i)...)
			if err != nil {
				return nil, err
			}
			if i > 0 { // the first run warms the caches
				floor, times = append(floor, f), append(times, d)
			}
		}
		r := row{
			What: p.what, Issues: issues, Millis: millis(quantile(times, 0.5)),
			Value: ratio(quantile(times, 0.5), quantile(floor, 0.5)), Unit: "x floor",
		}
		// The budget is for 10,000 issues; for more there is the one of growth.
		if issues <= budgetSize {
			r.Limit, r.Goal = p.limit, p.goal
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// budgetSize is the number of issues for which a command's budget is given.
const budgetSize = 10_000

// growth compares the reading commands at the greatest size with the smallest.
func growth(rows []row, sizes []int) []row {
	least, most := sizes[0], sizes[len(sizes)-1]
	if least == most {
		return nil
	}
	at := map[string]map[int]float64{}
	for _, r := range rows {
		if at[r.What] == nil {
			at[r.What] = map[int]float64{}
		}
		at[r.What][r.Issues] = r.Value
	}
	var grown []row
	for _, p := range probes([]string{""}) {
		if slices.Contains([]string{"show", "list -n 50", "ready -n 10", "count", "search", "search, no match"}, p.what) {
			grown = append(grown, row{
				What: p.what + ", growth", Issues: most, Value: at[p.what][most] / at[p.what][least],
				Unit: fmt.Sprintf("x at %d", least), Limit: 1.3,
			})
		}
	}
	return grown
}
