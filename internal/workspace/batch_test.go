package workspace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// A refresh in batches lets others in between, and they see whole operations.
func TestRefreshBatch(t *testing.T) {
	f := newFixture(t)
	f.file("a")
	w := f.open()
	log := w.Place().LogPath()
	var lines strings.Builder
	for n := range 8 {
		f.now = f.now.Add(time.Second)
		lines.WriteString(createLine(f, fmt.Sprintf("bd-%d", n), fmt.Sprintf("t%d", n)) + "\n")
	}
	f.write(log, f.read(log)+lines.String())
	step := func(verify bool, want workspace.Report) {
		t.Helper()
		got, err := w.RefreshBatch(t.Context(), verify, 3)
		if got.Duration = 0; err != nil || got != want {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	step(true, workspace.Report{Applied: 3, More: true}) // the check of everything has to wait
	if n := len(operations(t, w.Place().GuardPath())); n != 5 {
		t.Errorf("the guard copy holds %d operations, want 5", n)
	}
	step(false, workspace.Report{Applied: 3, More: true})
	f.want("a", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7") // another process does the rest
	step(true, workspace.Report{FullScan: true})
	step(false, workspace.Report{})
	f.equalCopies()

	f.now = f.now.Add(time.Second)
	f.write(log, f.read(log)+createLine(f, "bd-last", "t9")) // no line end
	step(true, workspace.Report{Applied: 1, More: true})
	step(true, workspace.Report{FullScan: true})
	f.equalCopies()
}

// Batches come to the same as one refresh, whatever is appended, wherever they
// end, and whichever process does them.
func TestBatchesEqualOneRefresh(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole, parts := newFixture(t), newFixture(t)
		first := whole.read(whole.place().LogPath())
		parts.remove(parts.place().DB+"*", parts.place().GuardPath())
		parts.write(parts.place().LogPath(), first)
		parts.equalCopies() // builds what was removed
		g := &generated{now: whole.now, lines: []string{strings.TrimSpace(first)}}
		for range rapid.IntRange(1, 2).Draw(rt, "rounds") {
			appended := g.draw(rt)
			both := rapid.IntRange(0, 3).Draw(rt, "guard too") == 0
			var reports [2]workspace.Report
			var fingerprints [2]string
			for n, f := range []*fixture{whole, parts} {
				paths := []string{f.place().LogPath(), f.place().GuardPath()}
				if !both {
					paths = paths[:1]
				}
				w := f.open()
				for _, path := range paths {
					f.write(path, f.read(path)+appended)
				}
				limit := 0
				if n == 1 {
					limit = rapid.IntRange(1, 5).Draw(rt, "limit")
				}
				for {
					r, err := w.RefreshBatch(rt.Context(), false, limit)
					if err != nil {
						rt.Fatal(err)
					}
					reports[n].Applied += r.Applied
					reports[n].Imported += r.Imported
					// An import that is appended ends a last line that was not
					// finished; that one is read next time.
					if !r.More && r.Quiet() {
						break
					}
					if rapid.Bool().Draw(rt, "another process") {
						w.Close()
						w = f.open()
					}
				}
				err := w.View(rt.Context(), func(q *projection.Query) (err error) {
					fingerprints[n], err = q.Fingerprint()
					return err
				})
				if err != nil {
					rt.Fatal(err)
				}
				w.Close()
			}
			if reports[0] != reports[1] || fingerprints[0] != fingerprints[1] {
				rt.Fatalf("whole %+v, in batches %+v, same rows: %t", reports[0], reports[1], fingerprints[0] == fingerprints[1])
			}
		}
		var bad [2][]string
		for n, f := range []*fixture{whole, parts} {
			// A line that nobody has finished is not read, hence not copied.
			f.write(f.place().LogPath(), f.read(f.place().LogPath())+"\n")
			f.equalCopies()
			bad[n] = f.quarantined()
		}
		if !slices.Equal(bad[0], bad[1]) {
			rt.Fatalf("quarantined are %q, in batches %q", bad[0], bad[1])
		}
	})
}

// quarantined are the lines in quarantine, each with its file, sorted.
func (f *fixture) quarantined() []string {
	f.t.Helper()
	w := f.open()
	defer w.Close()
	var lines []string
	err := w.View(f.t.Context(), func(q *projection.Query) error {
		entries, err := q.Quarantined()
		for _, e := range entries {
			lines = append(lines, strings.TrimPrefix(e.File, w.Place().Root)+": "+string(e.Raw))
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// generated draws what foreign tools append: operations, snapshot records, what
// was there before, and what nobody can read.
type generated struct {
	now   time.Time
	last  op.ID
	lines []string
}

func (g *generated) draw(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(1, 12).Draw(t, "lines") {
		line := ""
		switch issue := fmt.Sprintf("bd-%d", rapid.IntRange(0, 9).Draw(t, "issue")); rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0, 1:
			line = g.operation(t, op.Operation{Do: op.DoCreate, Issue: issue, Set: map[string]json.RawMessage{"title": op.Str("t")}})
		case 2, 3:
			line = g.operation(t, op.Operation{Do: op.DoUpdate, Issue: issue, Set: map[string]json.RawMessage{
				"priority": op.Int(rapid.IntRange(0, 4).Draw(t, "priority"))}})
		case 4:
			line = fmt.Sprintf(`{"id":"%s","title":"record %d","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z"}`,
				issue, rapid.IntRange(0, 5).Draw(t, "title"))
		case 5:
			line = rapid.SampledFrom(g.lines).Draw(t, "again")
		case 6:
			line = fmt.Sprintf(`{"unreadable %d`, rapid.IntRange(0, 50).Draw(t, "number"))
		}
		g.lines = append(g.lines, line)
		b.WriteString(line)
		if rapid.IntRange(0, 8).Draw(t, "glued") > 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (g *generated) operation(t *rapid.T, o op.Operation) string {
	g.now = g.now.Add(time.Millisecond)
	id, err := op.Clock{Now: func() time.Time { return g.now }, Rand: bytes.NewReader(make([]byte, 64))}.Next(g.last)
	if err != nil {
		t.Fatal(err)
	}
	g.last, o.ID, o.V, o.At, o.By = id, id, op.Version, g.now, "outside"
	line, err := op.Encode(&o)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}
