package replica

import (
	"context"

	"beads/internal/projection"
	"beads/internal/workspace"
)

// Status is how things stand, as far as is known without asking anyone.
type Status struct {
	Remote     *workspace.Remote     `json:"remote"` // nil: not shared with anybody
	Unshared   int64                 `json:"unshared"`
	ClaimsLost []workspace.LostClaim `json:"claims_lost"`
	Last       LastSync              `json:"last"`
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
		if s.Unshared, err = Unshared(q, local.Remote); err != nil {
			return err
		}
		s.Last, err = readLast(q)
		return err
	})
	return s, err
}

// Unshared is how many operations a remote (nil: none) is not known to have.
// Its cost depends on how many came since the last sync.
func Unshared(q *projection.Query, remote *workspace.Remote) (int64, error) {
	known, err := load(q)
	if err != nil {
		return 0, err
	}
	if remote == nil || known.remoteRef != refPrefix+"remotes/"+remote.Name+"/ops" {
		known.remote = coverage{}
	}
	return known.remote.lacking(q)
}
