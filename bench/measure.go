package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// A row is one line of the table. Limit is what must hold, Goal what is aimed
// at; both are in the unit of Value, and 0 where there is none.
type row struct {
	What   string  `json:"what"`
	Issues int     `json:"issues,omitempty"`
	Millis float64 `json:"millis,omitempty"` // median of whole runs
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"` // "x floor", "s", "MB", "of floor's rate", "ms"
	Limit  float64 `json:"limit,omitempty"`
	Goal   float64 `json:"goal,omitempty"`
	Least  bool    `json:"least,omitempty"` // limit and goal are lower bounds
}

// measure runs everything and returns the table.
func (b *bench) measure(ctx context.Context) ([]row, error) {
	size, err := os.Stat(b.bd)
	if err != nil {
		return nil, err
	}
	rows := []row{{What: "binary", Value: float64(size.Size()) / 1e6, Unit: "MB", Limit: 25}}
	for _, issues := range b.sizes {
		b.say("%d issues", issues)
		dir, ids, err := b.workspace(ctx, fmt.Sprintf("issues-%d", issues), issues)
		if err != nil {
			return nil, err
		}
		commands, err := b.commands(ctx, dir, issues, ids)
		if err != nil {
			return nil, err
		}
		rebuild, err := b.rebuild(ctx, dir, issues)
		if err != nil {
			return nil, err
		}
		rows = append(append(rows, commands...), rebuild)
	}
	writers, err := b.writersAtOnce(ctx)
	if err != nil {
		return nil, err
	}
	imported, err := b.imports(ctx)
	if err != nil {
		return nil, err
	}
	return append(append(rows, writers...), imported), nil
}

// A probe is a command that is measured. args gets the number of the run, so
// that every close has an issue of its own.
type probe struct {
	what        string
	limit, goal float64
	args        func(run int) []string
}

func (b *bench) probes(ids []string) []probe {
	fixed := func(args ...string) func(int) []string { return func(int) []string { return args } }
	// Each close needs an open issue of its own; the others just vary.
	nth := func(run int) string { return ids[run%len(ids)] }
	return []probe{
		{"version", 0, 2.5, fixed("version")},
		{"show", 8, 4.5, func(run int) []string { return []string{"show", nth(run)} }},
		{"list -n 50", 8, 4.5, fixed("list", "-n", "50")},
		{"ready -n 10", 8, 4.5, fixed("ready", "-n", "10")},
		{"count", 8, 4.5, fixed("count")},
		{"search", 8, 6, fixed("search", "scheduler")},
		{"create", 8, 6, func(run int) []string { return []string{"create", fmt.Sprintf("Measured %d", run), "-p", "1"} }},
		{"update", 8, 6, func(run int) []string {
			return []string{"update", nth(run), "--notes", fmt.Sprintf("run %d", run)}
		}},
		{"close", 8, 6, func(run int) []string { return []string{"close", nth(run)} }},
	}
}

// commands measures every probe next to the floor: one run of the empty program
// before each run of bd, so that both meet the same noise.
func (b *bench) commands(ctx context.Context, dir string, issues int, ids []string) ([]row, error) {
	var rows []row
	for _, p := range b.probes(ids) {
		var floor, times []time.Duration
		for i := range b.runs + 1 {
			f, err := b.timed(ctx, dir, b.empty)
			if err != nil {
				return nil, err
			}
			d, err := b.timed(ctx, dir, b.bd, p.args(i)...)
			if err != nil {
				return nil, err
			}
			if i > 0 { // the first run warms the caches
				floor, times = append(floor, f), append(times, d)
			}
		}
		m := quantile(times, 0.5)
		rows = append(rows, row{
			What: p.what, Issues: issues, Millis: millis(m),
			Value: float64(m) / float64(quantile(floor, 0.5)), Unit: "x floor", Limit: p.limit, Goal: p.goal,
		})
	}
	return rows, nil
}

// rebuild measures the first answer after the database was removed.
func (b *bench) rebuild(ctx context.Context, dir string, issues int) (row, error) {
	var times []time.Duration
	for range 3 {
		databases, err := filepath.Glob(filepath.Join(dir, ".beads", "beads.db*"))
		if err != nil || len(databases) == 0 {
			return row{}, fmt.Errorf("no database in %s: %w", dir, err)
		}
		for _, name := range databases {
			if err := os.Remove(name); err != nil {
				return row{}, err
			}
		}
		d, err := b.timed(ctx, dir, b.bd, "count")
		if err != nil {
			return row{}, err
		}
		times = append(times, d)
	}
	m := quantile(times, 0.5)
	return row{What: "count, database removed before", Issues: issues, Millis: millis(m), Value: m.Seconds(), Unit: "s"}, nil
}

// writersAtOnce lets many processes create at once, and compares the rate with
// that of as many empty programs.
func (b *bench) writersAtOnce(ctx context.Context) ([]row, error) {
	b.say("%d writers, %d creates each", b.writers, b.creates)
	dir, _, err := b.workspace(ctx, "writers", 0)
	if err != nil {
		return nil, err
	}
	floor, _, err := b.atOnce(ctx, dir, func(int, int) []string { return []string{b.empty} })
	if err != nil {
		return nil, err
	}
	took, each, err := b.atOnce(ctx, dir, func(writer, n int) []string {
		return []string{b.bd, "create", fmt.Sprintf("Writer %d, issue %d", writer, n), "--silent"}
	})
	if err != nil {
		return nil, err
	}
	counted, err := b.output(ctx, dir, b.bd, "count", "--json")
	if err != nil {
		return nil, err
	}
	if want := fmt.Sprintf("%d", b.writers*b.creates); digits(counted) != want {
		return nil, fmt.Errorf("%s issues after %s creates: %s", digits(counted), want, counted)
	}
	what := fmt.Sprintf("%d writers x %d creates", b.writers, b.creates)
	return []row{
		{What: what, Millis: millis(took), Value: float64(floor) / float64(took), Unit: "of floor's rate", Limit: 0.3, Least: true},
		{What: what + ", p99", Value: millis(quantile(each, 0.99)), Unit: "ms", Limit: 1000},
	}, nil
}

// atOnce runs b.writers loops of b.creates commands each, and returns the time
// for all and that of each command.
func (b *bench) atOnce(ctx context.Context, dir string, args func(writer, n int) []string) (time.Duration, []time.Duration, error) {
	var (
		mu    sync.Mutex // guards each and first
		each  []time.Duration
		first error
		all   sync.WaitGroup
	)
	begin := time.Now()
	for writer := range b.writers {
		all.Go(func() {
			for n := range b.creates {
				line := args(writer, n)
				d, err := b.timed(ctx, dir, line[0], line[1:]...)
				mu.Lock()
				each = append(each, d)
				if err != nil && first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return time.Since(begin), each, first
}

// imports measures the import of a whole snapshot.
func (b *bench) imports(ctx context.Context) (row, error) {
	list := b.list
	if list == "" {
		list = filepath.Join("testdata", "sample.jsonl")
	}
	list, err := filepath.Abs(list)
	if err != nil {
		return row{}, err
	}
	b.say("import of %s", list)
	var times []time.Duration
	for i := range 3 {
		dir, _, err := b.workspace(ctx, fmt.Sprintf("import-%d", i), 0)
		if err != nil {
			return row{}, err
		}
		d, err := b.timed(ctx, dir, b.bd, "import", "-i", list)
		if err != nil {
			return row{}, err
		}
		times = append(times, d)
	}
	m := quantile(times, 0.5)
	return row{What: "import of " + filepath.Base(list), Millis: millis(m), Value: m.Seconds(), Unit: "s", Limit: 3}, nil
}

func quantile(times []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

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
