package replica_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"beads/internal/op"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// confirm claims an issue through the remote.
func (s *site) confirm(id string) error {
	var err error
	s.with(func(_ *workspace.Workspace, r *replica.Replica) {
		var made []*op.Operation
		made, _, err = r.Confirm(s.t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			return []workspace.Draft{{Op: &op.Operation{
				Do: op.DoClaim, Issue: id, If: &op.Condition{Unassigned: true, Lease: 14400},
				Set: fields("assignee", s.actor, "status", "in_progress"),
			}}}, nil
		})
		if err == nil && len(made) != 1 {
			err = errors.New("nothing was made")
		}
	})
	return err
}

// Of clones that confirm at once exactly one gets the issue, whatever their
// clocks say, and the others hold no claim that could count later.
func TestConfirmIsExclusive(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 3)
	ids := all[0].create("first", "second", "third")
	for n, s := range all {
		s.share()
		s.now = s.now.Add(time.Duration(n) * time.Hour)
	}
	settle(t, all...)
	for _, id := range ids {
		won := make([]error, len(all))
		var together sync.WaitGroup
		for n, s := range all {
			together.Go(func() { won[n] = s.confirm(id) })
		}
		together.Wait()
		winners := 0
		for n, err := range won {
			switch {
			case err == nil:
				winners++
			case !errors.Is(err, workspace.ErrVoid):
				t.Errorf("%s: %v", all[n].actor, err)
			}
		}
		if winners != 1 {
			t.Errorf("%s: %d clones had their claim confirmed: %v", id, winners, won)
		}
	}
	settle(t, all...)
	equal(t, all...)
	for _, s := range all {
		if lost := s.lost(); len(lost) > 0 {
			t.Errorf("%s lost %v after it was confirmed", s.actor, lost)
		}
	}
}
