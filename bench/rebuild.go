package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"beads/internal/op"
)

// shellSQL loads a log with the sqlite3 shell: what the same rows cost without
// us. It is given the log's path.
//
//go:embed shell.sql
var shellSQL string

// rebuildRuns are so few because each takes seconds.
const rebuildRuns = 3

// rebuild measures the first answer after the database was removed, against the
// sqlite3 shell that loads the same log, and what memory a daemon needs for it.
func (b *bench) rebuild(ctx context.Context) ([]row, error) {
	var rows []row
	shell, _ := exec.LookPath("sqlite3")
	if shell == "" {
		b.say("no sqlite3 shell: rebuilds are not compared")
	}
	for _, issues := range b.sizes {
		t, err := b.tracker(ctx, issues)
		if err != nil {
			return nil, err
		}
		var times, shellTimes []time.Duration
		for i := range rebuildRuns {
			if err := t.dropDatabase(); err != nil {
				return nil, err
			}
			d, err := b.timed(ctx, t.dir, b.bd, "count")
			if err != nil {
				return nil, err
			}
			times = append(times, d)
			if shell == "" {
				continue
			}
			if d, err = b.shellLoad(ctx, shell, t, fmt.Sprintf("shell-%d-%d", issues, i)); err != nil {
				return nil, err
			}
			shellTimes = append(shellTimes, d)
		}
		m := quantile(times, 0.5)
		r := row{What: "rebuild", Issues: issues, Millis: millis(m), Value: m.Seconds(), Unit: "s"}
		if shell != "" {
			r.Value, r.Unit, r.Limit, r.Goal = ratio(m, quantile(shellTimes, 0.5)), "x sqlite3 shell", 2, 1.3
		}
		rows = append(rows, r)
	}
	greatest := b.sizes[len(b.sizes)-1]
	t, err := b.tracker(ctx, greatest)
	if err != nil {
		return nil, err
	}
	peak, err := b.daemonPeak(ctx, t)
	if err != nil {
		return nil, err
	}
	return append(rows, row{What: "memory of a rebuild in the daemon", Issues: greatest, Value: peak, Unit: "MB", Limit: 100}), nil
}

// shellLoad times the sqlite3 shell that loads the tracker's log.
func (b *bench) shellLoad(ctx context.Context, shell string, t *tracker, name string) (time.Duration, error) {
	script := filepath.Join(b.dir, name+".sql")
	if err := os.WriteFile(script, fmt.Appendf(nil, shellSQL, t.log()), 0o600); err != nil {
		return 0, err
	}
	return b.timed(ctx, t.dir, shell, "-bail", filepath.Join(b.dir, name+".db"), ".read "+script)
}

// daemonPeak lets a daemon build the database and returns the most memory that
// was resident, in MB.
func (b *bench) daemonPeak(ctx context.Context, t *tracker) (peak float64, err error) {
	if err := t.dropDatabase(); err != nil {
		return 0, err
	}
	d, err := b.startDaemon(ctx, t.dir)
	if err != nil {
		return 0, err
	}
	status, err := d.synced(ctx)
	if stopErr := d.stop(ctx); err == nil {
		err = stopErr
	}
	return float64(status.MemoryPeak) / 1e6, err
}

// refresh measures the first answer after one operation that something else
// appended, at the greatest size against the smallest.
func (b *bench) refresh(ctx context.Context) ([]row, error) {
	var medians []time.Duration
	var rows []row
	for _, issues := range b.sizes {
		t, err := b.tracker(ctx, issues)
		if err != nil {
			return nil, err
		}
		t.source.now = time.Now()
		var floor, times []time.Duration
		for i := range b.runs + 1 {
			id := t.open[i%len(t.open)]
			if err := t.append(func(w io.Writer) error { return t.source.note(w, id) }); err != nil {
				return nil, err
			}
			f, err := b.timed(ctx, t.dir, b.empty)
			if err != nil {
				return nil, err
			}
			d, err := b.timed(ctx, t.dir, b.bd, "show", id)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				floor, times = append(floor, f), append(times, d)
			}
		}
		m := quantile(times, 0.5)
		medians = append(medians, m)
		rows = append(rows, row{What: "show after a foreign append", Issues: issues, Millis: millis(m), Value: ratio(m, quantile(floor, 0.5)), Unit: "x floor"})
	}
	if last := len(medians) - 1; last > 0 {
		rows = append(rows, row{
			What: "show after a foreign append, growth", Issues: b.sizes[last],
			Value: ratio(medians[last], medians[0]), Unit: fmt.Sprintf("x at %d", b.sizes[0]), Limit: 1.5,
		})
	}
	return rows, nil
}

// longLog measures the memory that a daemon needs for a very long log.
func (b *bench) longLog(ctx context.Context) ([]row, error) {
	b.say("a log of %d operations", b.million)
	dir, err := b.workspace(ctx, "million")
	if err != nil {
		return nil, err
	}
	t := &tracker{dir: dir, source: newGenerator(2)}
	if err := t.append(func(w io.Writer) error { return t.source.operations(w, b.million) }); err != nil {
		return nil, err
	}
	if _, err := b.output(ctx, dir, b.bd, "version"); err != nil {
		return nil, err
	}
	begin := time.Now()
	peak, err := b.daemonPeak(ctx, t)
	if err != nil {
		return nil, err
	}
	took := time.Since(begin)
	counted, err := b.output(ctx, dir, b.bd, "count")
	if err != nil {
		return nil, err
	}
	if want := fmt.Sprint(len(t.source.ids)); digits(counted) != want {
		return nil, fmt.Errorf("%s issues after a rebuild of %s", digits(counted), want)
	}
	return []row{{
		What: fmt.Sprintf("memory of a rebuild of %d operations in the daemon", b.million), Issues: len(t.source.ids),
		Millis: millis(took), Value: peak, Unit: "MB", Limit: 150,
	}}, nil
}

// operations writes exactly n operations.
func (g *generator) operations(w io.Writer, n int) error {
	out := bufio.NewWriter(w)
	for n > 0 {
		ops, err := g.issue()
		if err != nil {
			return err
		}
		for _, o := range ops[:min(n, len(ops))] {
			line, err := g.line(o)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
				return err
			}
			n--
		}
	}
	return out.Flush()
}

// note writes an update of one issue.
func (g *generator) note(w io.Writer, id string) error {
	line, err := g.line(&op.Operation{Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{"notes": op.Str(g.text(10))}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}
