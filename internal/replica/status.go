package replica

import (
	"context"
	"time"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// Status is how things stand, as far as is known without asking anyone.
type Status struct {
	Remote     *workspace.Remote     `json:"remote"` // nil: not shared with anybody
	Unshared   int64                 `json:"unshared"`
	Oldest     time.Time             `json:"oldest_unshared,omitzero"` // when the first of them was made
	ClaimsLost []workspace.LostClaim `json:"claims_lost"`
	Last       LastSync              `json:"last"`

	// Interactions that the pinned remote is not known to have, as far as the
	// database knows them; nil where they are not replicated.
	Interactions *int64 `json:"unshared_interactions,omitempty"`
}

// Waiting is how many lines the pinned remote is not known to have, of all that is
// replicated.
func (s Status) Waiting() int64 {
	if s.Interactions == nil {
		return s.Unshared
	}
	return s.Unshared + *s.Interactions
}

// Status reads how things stand from the workspace alone: no git process, no
// network, no lock.
func (r *Replica) Status(ctx context.Context) (Status, error) {
	local, err := r.w.Local()
	if err != nil {
		return Status{}, err
	}
	s := Status{Remote: local.Remote, ClaimsLost: local.Lost}
	if s.ClaimsLost == nil {
		s.ClaimsLost = []workspace.LostClaim{}
	}
	err = r.w.View(ctx, func(q *projection.Query) error {
		known, err := shared(q, local.Remote)
		if err != nil {
			return err
		}
		if s.Unshared, err = known.lacking(q.Lines); err != nil {
			return err
		}
		if s.Oldest, err = known.oldest(q.Lines); err != nil {
			return err
		}
		if r.opts.Interactions {
			there := known.of(op.Interactions)
			n, err := there.lacking(q.Of(op.Interactions))
			if err != nil {
				return err
			}
			s.Interactions = &n
		}
		s.Last, err = readLast(q)
		return err
	})
	return s, err
}

// Unshared is how many operations a remote (nil: none) is not known to have.
// Its cost depends on how many came since the last sync.
func Unshared(q *projection.Query, remote *workspace.Remote) (int64, error) {
	known, err := shared(q, remote)
	if err != nil {
		return 0, err
	}
	return known.lacking(q.Lines)
}

// shared is what a remote is known to have.
func shared(q *projection.Query, remote *workspace.Remote) (coverage, error) {
	known, err := load(q)
	if err != nil || remote == nil || known.remoteRef != refPrefix+"remotes/"+remote.Name+"/ops" {
		return coverage{}, err
	}
	return known.remote, nil
}

// Behind reports whether work has not been shared, or nothing was exchanged, for
// longer than patience while a remote is pinned. A database that was built anew
// does not know, and is not behind.
func (s Status) Behind(now time.Time, patience time.Duration) bool {
	if s.Remote == nil || s.Last.Success.IsZero() {
		return false
	}
	late := func(t time.Time) bool { return !t.IsZero() && now.Sub(t) > patience }
	return late(s.Last.Success) || late(s.Oldest)
}
