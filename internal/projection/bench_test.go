package projection

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"beads/internal/issue"
	"beads/internal/op"
)

// tracker makes the lines of a plausible tracker of n issues and about ten
// operations for each four: texts of some hundred bytes, labels, parents,
// blockers, comments, two thirds closed.
func tracker(tb testing.TB, n int) [][]byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	text := func(words int) string {
		var b strings.Builder
		for range words {
			fmt.Fprintf(&b, "%s ", []string{"login", "token", "cache", "daemon", "flaky", "refactor", "windows", "index"}[random.IntN(8)])
		}
		return b.String()
	}
	names := make([]string, n)
	for i := range names {
		name, err := op.NewIssueID("bd", &reader{random})
		if err != nil {
			tb.Fatal(err)
		}
		names[i] = name
	}
	var lines [][]byte
	number := 0
	add := func(o *op.Operation) { lines = append(lines, encode(tb, o)) }
	next := func(do, issueID string, set ...string) *op.Operation {
		number++
		return operation(number, do, issueID, set...)
	}
	for i, name := range names {
		o := next(op.DoCreate, name, "title", string(op.Str(text(6))), "description", string(op.Str(text(50))),
			"priority", string(op.Int(random.IntN(5))), "issue_type", string(op.Str([]string{"task", "bug", "feature", "epic"}[random.IntN(4)])))
		o.Add = &op.Elements{Labels: []string{fmt.Sprintf("area-%d", random.IntN(20))}}
		if i > 10 && random.IntN(3) == 0 {
			o.Add.Deps = append(o.Add.Deps, op.Dep{To: names[i-1-random.IntN(10)], Type: issue.DepBlocks})
		}
		if i > 50 && random.IntN(3) == 0 {
			o.Add.Deps = append(o.Add.Deps, op.Dep{To: names[i-i%50], Type: issue.DepParentChild})
		}
		add(o)
		if random.IntN(2) == 0 {
			add(next(op.DoUpdate, name, "notes", string(op.Str(text(40)))))
		}
		if random.IntN(3) == 0 {
			add(next(op.DoUpdate, name, "assignee", string(op.Str(fmt.Sprintf("agent-%d", random.IntN(10)))), "status", `"in_progress"`))
		}
		if random.IntN(3) > 0 {
			add(next(op.DoClose, name, "status", `"closed"`, "close_reason", string(op.Str(text(8)))))
		}
	}
	return lines
}

type reader struct{ random *rand.Rand }

func (r *reader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.random.Uint32())
	}
	return len(p), nil
}

func loaded(tb testing.TB, lines [][]byte) *DB {
	tb.Helper()
	db := newDB(tb)
	err := db.Rebuild(context.Background(), false, func(tx *Tx) error {
		addLines(tb, tx, lines...)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

func BenchmarkOpen(b *testing.B) {
	db := loaded(b, tracker(b, 1000))
	for b.Loop() {
		other, err := Open(context.Background(), db.path, testWorkspace)
		if err != nil {
			b.Fatal(err)
		}
		other.Close()
	}
}

// BenchmarkUpdate is one operation, alone in its transaction.
func BenchmarkUpdate(b *testing.B) {
	lines := tracker(b, 10_000)
	db := loaded(b, lines)
	number := len(lines) + 1_000_000
	run := func(name string, make func() *op.Operation) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				number++
				line := encode(b, make())
				b.StartTimer()
				applyLines(b, db, line)
			}
		})
	}
	run("create", func() *op.Operation {
		return operation(number, op.DoCreate, fmt.Sprintf("bd-%010d", number), "title", `"benchmark"`, "description", `"text"`)
	})
	run("note", func() *op.Operation {
		return operation(number, op.DoUpdate, decode(b, lines[0]).Op.Issue, "notes", string(op.Str(fmt.Sprint(number))))
	})
	run("close and reopen", func() *op.Operation {
		status := `"closed"`
		if number%2 == 0 {
			status = `"open"`
		}
		return operation(number, op.DoUpdate, decode(b, lines[0]).Op.Issue, "status", status)
	})
}

// BenchmarkBuild is the first filling of a database, BenchmarkRebuild one in
// its place, where readers keep the old answers.
func BenchmarkBuild(b *testing.B) {
	for _, size := range []int{4_000, 40_000} {
		lines := tracker(b, size)
		b.Run(fmt.Sprint(len(lines)), func(b *testing.B) {
			dir := b.TempDir()
			b.SetBytes(int64(len(bytes.Join(lines, []byte("\n")))))
			for n := 0; b.Loop(); n++ {
				db, err := Build(context.Background(), filepath.Join(dir, fmt.Sprint(n)), testWorkspace, 0, func(tx *Tx) error {
					addLines(b, tx, lines...)
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				db.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(lines)), "µs/operation")
		})
	}
}

func BenchmarkRebuild(b *testing.B) {
	for _, size := range []int{4_000, 40_000} {
		lines := tracker(b, size)
		total := 0
		for _, line := range lines {
			total += len(line) + 1
		}
		b.Run(fmt.Sprint(len(lines)), func(b *testing.B) {
			db := newDB(b)
			b.SetBytes(int64(total))
			for b.Loop() {
				err := db.Rebuild(context.Background(), false, func(tx *Tx) error {
					addLines(b, tx, lines...)
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(lines)), "µs/operation")
		})
	}
}

// BenchmarkQuery is every query at two sizes: what walks an index or looks
// something up takes the same time at both.
func BenchmarkQuery(b *testing.B) {
	for _, size := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { benchmarkQueries(b, tracker(b, size)) })
	}
}

func benchmarkQueries(b *testing.B, lines [][]byte) {
	db := loaded(b, lines)
	db.FillTextIndex()
	now := epoch.AddDate(1, 0, 0)
	first := decode(b, lines[0]).Op.Issue
	queries := []struct {
		name string
		run  func(*Query) error
	}{
		{"show", func(q *Query) error { _, err := q.Issue(first); return err }},
		{"short", func(q *Query) error { _, err := q.Short(first); return err }},
		{"resolve", func(q *Query) error { _, err := q.Resolve(first[:9], false); return err }},
		{"list", func(q *Query) error {
			_, err := q.List(issue.Filter{NotStatuses: []string{"closed"}, Limit: 50})
			return err
		}},
		{"list whole", func(q *Query) error { _, err := q.List(issue.Filter{}); return err }},
		{"list brief", func(q *Query) error {
			_, err := q.Heads(issue.Filter{NotStatuses: []string{"closed"}, Limit: 50})
			return err
		}},
		{"list last changed", func(q *Query) error {
			_, err := q.Heads(issue.Filter{NotStatuses: []string{"closed"}, Sort: issue.SortUpdated, Limit: 50})
			return err
		}},
		{"children", func(q *Query) error { _, err := q.List(issue.Filter{Parent: first}); return err }},
		{"stale", func(q *Query) error {
			_, err := q.Heads(issue.Filter{NotStatuses: []string{"closed"}, UpdatedBefore: now, Limit: 50})
			return err
		}},
		{"epics", func(q *Query) error { _, err := q.Epics(issue.Filter{Types: []string{"epic"}, Limit: 50}); return err }},
		{"dependencies", func(q *Query) error { _, err := q.Dependencies(first); return err }},
		{"dependents", func(q *Query) error { _, err := q.Dependents(first); return err }},
		{"list label", func(q *Query) error {
			_, err := q.List(issue.Filter{LabelsAll: []string{"area-3"}, Limit: 50})
			return err
		}},
		{"ready", func(q *Query) error { _, err := q.List(issue.Filter{Ready: true, Now: now, Limit: 10}); return err }},
		{"blocked", func(q *Query) error { _, err := q.Blocked(issue.Filter{Limit: 10}); return err }},
		{"count", func(q *Query) error { _, err := q.Count(issue.Filter{}); return err }},
		{"count live", func(q *Query) error { _, err := q.Count(issue.Filter{NotStatuses: []string{"closed"}}); return err }},
		{"count by status", func(q *Query) error { _, err := q.CountBy(issue.Filter{}, "status"); return err }},
		{"search", func(q *Query) error { _, err := q.List(issue.Filter{Text: "Flaky daemon", Limit: 50}); return err }},
		{"search by reading", func(q *Query) error {
			q.texts = nil
			_, err := q.List(issue.Filter{Text: "zebra", Limit: 50})
			return err
		}},
		{"search nothing", func(q *Query) error { _, err := q.List(issue.Filter{Text: "zebra", Limit: 50}); return err }},
		{"search nothing unicode", func(q *Query) error { _, err := q.List(issue.Filter{Text: "zebrä", Limit: 50}); return err }},
		{"stats", func(q *Query) error { _, err := q.Stats(now); return err }},
		{"cycles", func(q *Query) error { _, err := q.Cycles(); return err }},
		{"export", func(q *Query) error { return q.Each(func(issue.Issue) error { return nil }) }},
		{"fingerprint", func(q *Query) error { _, err := q.Fingerprint(); return err }},
	}
	for _, query := range queries {
		b.Run(query.name, func(b *testing.B) {
			for b.Loop() {
				if err := db.View(context.Background(), query.run); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
