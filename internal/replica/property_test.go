package replica_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

var cases = flag.Uint64("converge.cases", 4, "how many seeds TestClonesConverge tries")

// Whatever three clones do, in whatever order and however they sync, lose copies
// or are rewound: in the end they are equal and nobody's issue is missing. A
// failing seed is run again with -run TestClonesConverge/seed=N.
func TestClonesConverge(t *testing.T) {
	t.Parallel()
	for seed := range *cases {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			converge(t, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

func converge(t *testing.T, r *rand.Rand) {
	bare, all := sites(t, 3)
	for _, s := range all {
		s.now = s.now.AddDate(0, 0, r.IntN(5)-2)
	}
	ids := all[0].create("first")
	for n := range 5 + r.IntN(25) {
		s := all[r.IntN(len(all))]
		ids = append(ids, act(t, r, bare, s, ids[r.IntN(len(ids))], n)...)
	}
	for _, s := range all {
		s.share()
	}
	settle(t, all...)
	equal(t, all...)
	for _, s := range all {
		if r := s.sync(); r.Unshared != 0 || !r.Quiet() {
			t.Errorf("%s is not at rest: %+v", s.actor, r)
		}
	}
	last := newSite(t, filepath.Dir(bare), bare, "d")
	if _, err := last.try(replica.SyncOptions{Join: true}); err != nil {
		t.Fatal(err)
	}
	equal(t, all[0], last)
	last.with(func(w *workspace.Workspace, _ *replica.Replica) {
		must(t, w.View(t.Context(), func(q *projection.Query) error {
			for _, id := range ids {
				if state, err := q.State(id); err != nil || !state.Exists {
					t.Errorf("%s is missing: %v", id, err)
				}
			}
			return nil
		}))
	})
}

// act does one random thing in a site and returns the ids of new issues.
func act(t *testing.T, r *rand.Rand, bare string, s *site, id string, n int) []string {
	switch r.IntN(13) {
	case 0, 1:
		return s.create(fmt.Sprintf("issue %d", n))
	case 2, 3:
		s.set(id, []string{"title", "notes", "design"}[r.IntN(3)], fmt.Sprint(n))
	case 4:
		s.commit("", &op.Operation{Do: op.DoLabel, Issue: id, Add: &op.Elements{Labels: []string{fmt.Sprint("l", n%3)}}})
	case 5:
		s.commit("", &op.Operation{Do: op.DoClaim, Issue: id, Set: fields("assignee", s.actor)})
	case 6:
		s.commit("", &op.Operation{Do: op.DoDelete, Issue: id})
	case 7, 8:
		s.share()
	case 9:
		if _, err := s.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
			t.Error(err)
		}
	case 10:
		if _, err := s.try(replica.SyncOptions{NoPush: true}); err != nil && ref(bare, replica.LocalRef) != "" {
			t.Error(err)
		}
	case 11: // the database, and with it all that was recorded
		must(t, os.RemoveAll(filepath.Join(s.dir, ".beads/beads.db")))
	case 12:
		if old := ref(bare, replica.LocalRef+"~1"); old != "" {
			run(t, bare, "update-ref", replica.LocalRef, old)
		}
	}
	return nil
}
