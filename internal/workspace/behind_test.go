package workspace_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// records reads lines as another clone's would be.
func records(t testing.TB, lines ...string) (all []op.Record) {
	t.Helper()
	for _, line := range lines {
		r, err := op.Read([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// relayed relays an issue of that title.
func relayed(w *workspace.Workspace, t *testing.T) error {
	line := strings.Replace(`{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"do":"create","issue":"bd-relayed","at":"2026-11-23T03:02:47.857Z",`+
		`"by":"x","set":{"title":"TITLE"}}`, "TITLE", "during", 1)
	n, err := w.Relay(t.Context(), op.Operations, records(t, line))
	if err == nil && n != 1 {
		t.Errorf("relayed %d lines, want 1", n)
	}
	return err
}

// What is relayed is durable in log and guard copy, and the database learns of it
// when somebody looks.
func TestRelay(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	two, three := createLine(f, "bd-two", "two"), createLine(f, "bd-three", "three")
	w := f.open()
	if n, err := w.Relay(t.Context(), op.Operations, records(t, two)); n != 1 || err != nil {
		t.Fatalf("relayed %d, %v", n, err)
	}
	for _, path := range []string{w.Place().LogPath(), w.Place().GuardPath()} {
		if !slices.Contains(operations(t, path), two) {
			t.Errorf("%s lacks the line", path)
		}
	}
	if err := w.Peek(t.Context(), func(q *projection.Query) error {
		n, err := q.Operations()
		if n != 2 { // with the prefix
			t.Errorf("the database holds %d operations already", n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f.want("one", "two") // another process
	if n, err := w.Relay(t.Context(), op.Operations, records(t, two, three)); n != 1 || err != nil {
		t.Fatalf("relayed %d, %v, though one is held", n, err)
	}
	// The next commit of the same process sees all of it.
	made, err := w.Commit(t.Context(), func(tx *workspace.Tx) ([]workspace.Draft, error) {
		if state, err := tx.State("bd-three"); err != nil || state.Issue.Title != "three" {
			t.Errorf("the commit does not see what was relayed: %q, %v", state.Issue.Title, err)
		}
		return []workspace.Draft{create("four")}, nil
	})
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	f.want("four", "one", "three", "two")
	f.equalCopies()
	if n := strings.Count(f.read(w.Place().LogPath()), "\n"); n != 5 {
		t.Errorf("the log has %d lines, want 5", n)
	}
}

// The log may have lost its end, or more, when lines are relayed.
func TestRelayAfterDamage(t *testing.T) {
	for name, content := range map[string]func(string) string{
		"torn":    func(log string) string { return log + `{"op":"01` },
		"emptied": func(string) string { return "" },
		"cut":     func(log string) string { return log[:len(log)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one")
			w := f.open()
			path := w.Place().LogPath()
			f.write(path, content(f.read(path)))
			if n, err := w.Relay(t.Context(), op.Operations, records(t, createLine(f, "bd-two", "two"))); n != 1 || err != nil {
				t.Fatalf("relayed %d, %v", n, err)
			}
			f.want("one", "two")
			f.equalCopies()
		})
	}
}

// outgrows appends lines to the log that outgrow the database; from counts them.
func (f *fixture) outgrows(from, n int) {
	var lines strings.Builder
	filler := strings.Repeat("x", 1000)
	for i := range n {
		lines.WriteString(createLine(f, fmt.Sprintf("bd-%d", from+i), filler) + "\n")
	}
	path := f.place().LogPath()
	f.write(path, f.read(path)+lines.String())
}

// refreshes fails unless a refresh reports that.
func (f *fixture) refreshes(w *workspace.Workspace, want workspace.Report) {
	f.t.Helper()
	got, err := w.Refresh(f.t.Context(), false)
	if got.Duration = 0; err != nil || got != want {
		f.t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// A database that lacks far more than it holds is built anew, and then not again;
// one that holds about as much takes the lines in one by one.
func TestOutgrown(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	f.record("prompt")
	w := f.open()
	f.outgrows(0, 1000)
	f.refreshes(w, workspace.Report{Applied: 1000, Rebuilt: true, FullScan: true})
	f.refreshes(w, workspace.Report{})
	f.wantPrompts("prompt")
	f.equalCopies()
	f.outgrows(1000, 400) // less than there is
	f.refreshes(w, workspace.Report{Applied: 400})
	f.file("two")
	f.outgrows(1400, 1600)
	if got, err := w.RefreshBatch(t.Context(), false, 10); err != nil || got.Rebuilt || got.Applied != 10 || !got.More {
		t.Errorf("a batch: %+v, %v", got, err)
	}
	f.equalCopies()
	if n := len(f.titles()); n != 3002 {
		t.Errorf("there are %d issues, want 3002", n)
	}
}

// Where both copies have what the database lacks, it cannot be taken in by batches.
func TestOutgrownByRelay(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	w := f.open()
	var lines []string
	for n := range 1000 {
		lines = append(lines, createLine(f, fmt.Sprintf("bd-%d", n), strings.Repeat("x", 1000)))
	}
	if n, err := w.Relay(t.Context(), op.Operations, records(t, lines...)); n != 1000 || err != nil {
		t.Fatalf("relayed %d, %v", n, err)
	}
	if got, err := w.RefreshBatch(t.Context(), false, 10); err != nil || !got.Rebuilt || got.Applied != 1000 || got.Restored != 0 {
		t.Errorf("a batch: %+v, %v", got, err)
	}
	f.equalCopies()
}

// A cursor that was voided, and a last line without end, do not tell how much is
// lacking: nothing is built anew for them, or not again and again.
func TestNotOutgrown(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	f.outgrows(0, 2000)
	w := f.open()
	f.refreshes(w, workspace.Report{Applied: 2000, Rebuilt: true, FullScan: true})
	path := f.place().LogPath()
	f.write(path, f.read(path)+`{"op":"01`)
	f.refreshes(w, workspace.Report{})
	if err := during(w, t); err != nil { // behind the torn line
		t.Fatal(err)
	}
	f.refreshes(w, workspace.Report{FullScan: true, Quarantined: 1})

	f = newFixture(t)
	f.file("one")
	w = f.open()
	path = f.place().LogPath()
	f.write(path, f.read(path)+strings.Repeat("\x00", 1<<20+100))
	f.refreshes(w, workspace.Report{Rebuilt: true, FullScan: true})
	f.refreshes(w, workspace.Report{})
	f.want("one")
}

// Readers keep their answers when the log can no longer be read.
func TestOutgrownUnreadable(t *testing.T) {
	f := newFixture(t)
	f.file("one")
	f.outgrows(0, 1500)
	faulty := faultfs.New(oplog.OS{})
	f.fs = faulty
	faulty.Fail(faultfs.Fault{Err: syscall.EIO, Call: faultfs.Read, Path: "issues.jsonl", N: 1, Keep: true})
	if titles := titlesOf(t, f.open()); !slices.Equal(titles, []string{"one"}) {
		t.Errorf("while it fails there are %d issues, want the one of before", len(titles))
	}
	f.fs = nil
	if n := len(f.titles()); n != 1501 {
		t.Errorf("afterwards there are %d issues", n)
	}
	f.equalCopies()
}
