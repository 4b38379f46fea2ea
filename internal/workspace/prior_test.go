package workspace_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"beads/internal/projection"
)

// A file may hold very many snapshot records of one issue: what one more costs must
// not grow with them. Memory is counted, since times differ.
func TestManyRecordsOfOneIssue(t *testing.T) {
	record := func(n int) string {
		return fmt.Sprintf(`{"id":"bd-1","title":"title %d","updated_at":"2026-01-02T03:04:05Z"}`, n)
	}
	costs := func(count int) uint64 {
		f := newFixture(t)
		w := f.open()
		var lines strings.Builder
		for n := range count {
			fmt.Fprintln(&lines, record(n))
		}
		f.write(w.Place().LogPath(), f.read(w.Place().LogPath())+lines.String())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		report, err := w.Refresh(t.Context(), false)
		runtime.ReadMemStats(&after)
		if err != nil || report.Imported != count {
			t.Errorf("imported %d of %d, %v", report.Imported, count, err)
		}
		again := f.open()
		if report, err := again.Refresh(t.Context(), true); err != nil || !report.Quiet() {
			t.Errorf("again: %+v, %v", report, err)
		}
		f.want(fmt.Sprintf("title %d", count-1))
		return after.TotalAlloc - before.TotalAlloc
	}
	few, many := costs(1000), costs(4000)
	if many > 6*few {
		t.Errorf("1000 records cost %d bytes and 4000 cost %d", few, many)
	}
}

// Lines of import operations among the records they were made of are the same
// operations, however many there are.
func TestRecordsBesideTheirOperations(t *testing.T) {
	a, b := newFixture(t), newFixture(t)
	var records, mixed strings.Builder
	for n := range 200 {
		fmt.Fprintf(&records, `{"id":"bd-1","title":"title %d","updated_at":"2026-01-02T03:04:05Z"}`+"\n", n)
	}
	log := a.open().Place().LogPath()
	a.write(log, a.read(log)+records.String())
	a.want("title 199")
	made := operations(t, log)[:200]
	for n, record := range strings.Split(strings.TrimSpace(records.String()), "\n") {
		if n >= 100 {
			fmt.Fprintln(&mixed, made[n])
		}
		fmt.Fprintln(&mixed, record)
	}
	log = b.open().Place().LogPath()
	b.write(log, b.read(log)+mixed.String())
	b.want("title 199")
	err := b.open().View(t.Context(), func(q *projection.Query) error {
		ids, err := q.LegacyIDs("bd-1")
		if len(ids) != 200 {
			t.Errorf("200 records became %d operations", len(ids))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
