package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// writersAtOnce lets many processes create at once, and compares the rate with
// that of as many empty programs.
func (b *bench) writersAtOnce(ctx context.Context) ([]row, error) {
	b.say("%d writers, %d creates each", b.writers, b.creates)
	dir, err := b.workspace(ctx, "writers")
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
func (b *bench) imports(ctx context.Context) ([]row, error) {
	list := b.list
	if list == "" {
		list = filepath.Join("testdata", "sample.jsonl")
	}
	list, err := filepath.Abs(list)
	if err != nil {
		return nil, err
	}
	b.say("import of %s", list)
	var times []time.Duration
	for i := range 3 {
		dir, err := b.workspace(ctx, fmt.Sprintf("import-%d", i))
		if err != nil {
			return nil, err
		}
		d, err := b.timed(ctx, dir, b.bd, "import", "-i", list)
		if err != nil {
			return nil, err
		}
		times = append(times, d)
	}
	m := quantile(times, 0.5)
	return []row{{What: "import of " + filepath.Base(list), Millis: millis(m), Value: m.Seconds(), Unit: "s", Limit: 3}}, nil
}
