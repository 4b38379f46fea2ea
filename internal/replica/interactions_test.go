package replica_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// replicates says whether the site replicates interactions from now on.
func (s *site) replicates(yes bool) {
	s.opts = func(o *replica.Options) { o.Interactions = yes }
}

// record records interactions.
func (s *site) record(prompts ...string) {
	s.t.Helper()
	s.with(func(w *workspace.Workspace, _ *replica.Replica) {
		_, err := w.Record(s.t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			var drafts []workspace.Draft
			for _, p := range prompts {
				drafts = append(drafts, workspace.Draft{Interaction: &op.Interaction{Kind: "llm_call", Prompt: p}})
			}
			return drafts, nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	})
}

// interactions are the lines of all, in the order of their ids.
func (s *site) interactions() []string {
	s.t.Helper()
	lines := []string{}
	s.with(func(w *workspace.Workspace, _ *replica.Replica) {
		err := w.ViewAll(s.t.Context(), func(q *projection.Query) error {
			return q.Of(op.Interactions).EachIn([]projection.Run{{1, math.MaxInt64}}, func(row projection.StoredLine) error {
				lines = append(lines, string(row.Line))
				return nil
			})
		})
		if err != nil {
			s.t.Fatal(err)
		}
	})
	return lines
}

func batches(dir string) (files []string) {
	out, err := try(dir, "ls-tree", "-r", "--name-only", replica.LocalRef)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "interactions/") {
			files = append(files, strings.TrimSpace(line))
		}
	}
	return files
}

// TestInteractionsAreOptIn: a clone that does not replicate them publishes
// nothing of its own, reads nothing of others', and drops nothing of theirs.
func TestInteractionsAreOptIn(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	a.record("of a")
	b.record("of b")
	a.create("one")
	a.share()
	if files := batches(bare); len(files) != 0 {
		t.Fatalf("published without a word: %q", files)
	}
	a.replicates(true)
	if r := a.sync(); r.Interactions == nil || r.Interactions.Published != 1 || r.Interactions.Pushed != 1 || r.Published != 0 || r.Quiet() {
		t.Errorf("turned on: %+v", r)
	}
	b.create("two")
	b.share()
	a.create("three") // so that b has to unite two histories
	a.record("more of a")
	a.sync()
	b.create("four")
	b.sync()
	if files := batches(bare); len(files) != 2 {
		t.Errorf("the union has %q", files)
	}
	if lines := b.interactions(); len(lines) != 1 {
		t.Errorf("b read %d", len(lines))
	}
	b.replicates(true)
	settle(t, a, b)
	equal(t, a, b)
	if x, y := a.interactions(), b.interactions(); len(x) != 3 || !slices.Equal(x, y) {
		t.Errorf("a has %q, b %q", x, y)
	}
	a.replicates(false)
	a.record("at home")
	if r := a.sync(); r.Interactions != nil || r.Published != 0 {
		t.Errorf("turned off: %+v", r)
	}
	if r := b.sync(); !r.Quiet() || *r.UnsharedInteractions != 0 {
		t.Errorf("b: %+v", r)
	}
	a.replicates(true)
	if r := a.sync(); r.Interactions.Published != 1 {
		t.Errorf("on again: %+v", r.Interactions)
	}
	if r := a.sync(); !r.Quiet() {
		t.Errorf("nothing to do: %+v", r)
	}
}

// TestInteractionsConverge lets three clones record, sync and lose things in
// random order; they end with the same lines, all of them.
func TestInteractionsConverge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 11))
			_, all := sites(t, 3)
			for _, s := range all {
				s.replicates(true)
			}
			all[0].share()
			recorded := 0
			for range 14 {
				s := all[r.IntN(len(all))]
				switch r.IntN(6) {
				case 0, 1, 2:
					n := 1 + r.IntN(3)
					for range n {
						recorded++
						s.record(fmt.Sprint("interaction ", recorded))
					}
				case 3:
					s.create("an issue")
				case 4:
					if _, err := s.try(replica.SyncOptions{Join: true}); err != nil {
						t.Fatal(err)
					}
				case 5:
					s.lose()
				}
			}
			for _, s := range all {
				if _, err := s.try(replica.SyncOptions{Join: true}); err != nil {
					t.Fatal(err)
				}
			}
			settle(t, all...)
			equal(t, all...)
			first := all[0].interactions()
			if len(first) != recorded || !slices.IsSorted(first) {
				t.Errorf("%d recorded, %d there", recorded, len(first))
			}
			for _, s := range all[1:] {
				if !slices.Equal(s.interactions(), first) {
					t.Errorf("%s has other lines", s.actor)
				}
			}
		})
	}
}

// lose takes the file and the database away; the guard copy is left.
func (s *site) lose() {
	for _, name := range []string{"interactions.jsonl", "beads.db", "beads.db-wal", "beads.db-shm"} {
		must(s.t, os.RemoveAll(filepath.Join(s.dir, ".beads", name)))
	}
}

// TestInteractionsFromTheRef: file, guard copy and database lost, the ref gives
// them back; what cannot be read there is in quarantine.
func TestInteractionsFromTheRef(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 1)
	a := all[0]
	a.replicates(true)
	a.record("one", "two")
	a.sync()
	before := a.interactions()
	a.lose()
	must(t, os.Remove(filepath.Join(a.dir, ".git/beads/interactions.jsonl")))
	if lines := a.interactions(); len(lines) != 0 {
		t.Fatalf("something was left: %q", lines)
	}
	if r := a.sync(); r.Interactions.Restored != 2 {
		t.Errorf("restored: %+v", r.Interactions)
	}
	if !slices.Equal(a.interactions(), before) {
		t.Errorf("other lines than before: %q", a.interactions())
	}
	const good = `{"id":"01KAQ0T2RH0001000000000007","kind":"k","created_at":"2026-11-23T03:02:47Z","actor":"x","more":1}`
	plant(t, a.dir, replica.LocalRef, map[string]string{
		"interactions/2026-01/01/01/01/x.jsonl": good + "\n" + `{"id":"int-1","kind":"k"}` + "\n" + strings.Repeat("x", op.MaxLine+100) + "\n",
		"interactions/readme.txt":               "not read",
	})
	if r := a.sync(); r.Interactions.Restored != 1 || r.Quarantined != 2 {
		t.Errorf("garbage: %+v, quarantined %d", r.Interactions, r.Quarantined)
	}
	if lines := a.interactions(); !slices.Contains(lines, good) {
		t.Errorf("the good line of the garbage is not there: %q", lines)
	}
}
