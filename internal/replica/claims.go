package replica

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// Claims are decided under the lock, so one that was made here held when it was
// made. Another clone's operations can overrule it when they meet. To tell, the
// claims of this clone are kept in its local facts for as long as they hold:
// registerClaims enters those that our ref does not have yet, nor the remote (only
// what was made here is nowhere else), and forgets those that ended here;
// judgeClaims, after operations came from elsewhere, finds those that do not hold
// any more. Between the first such operation and the judgement a mark stands in the
// local facts: a step that broke off there left operations behind of which nobody
// knows who made them, so the next one judges first and enters nothing.

// registerClaims brings the register up to date with what happened here.
func (s *step) registerClaims(ctx context.Context) error {
	local, err := s.w.Local()
	if err != nil {
		return err
	}
	if local.Judging {
		return s.judgeClaims(ctx)
	}
	if s.unsure {
		return nil
	}
	var kept []workspace.Claim
	err = s.w.View(ctx, func(q *projection.Query) error {
		claims, err := s.newClaims(q)
		if err != nil {
			return err
		}
		kept, err = standing(q, append(slices.Clone(local.Claims), claims...))
		return err
	})
	if err != nil || slices.EqualFunc(kept, local.Claims, func(a, b workspace.Claim) bool { return a.Op == b.Op }) {
		return err
	}
	return s.w.ChangeLocal(ctx, func(l *workspace.Local) error {
		l.Claims = kept
		return nil
	})
}

// newClaims lists the claims among the operations that neither our ref has nor, as
// far as is known, the remote: our ref may have been lost, or wait for its history.
func (s *step) newClaims(q *projection.Query) ([]workspace.Claim, error) {
	var claims []workspace.Claim
	var decoder op.Decoder
	there := s.others
	there.unite(s.record.remote.rows)
	there.unite(s.record.local.rows)
	err := q.EachIn(there.gaps(), func(row projection.StoredLine) error {
		if row.Issue == "" || !bytes.Contains(row.Line, []byte(`"`+op.DoClaim+`"`)) {
			return nil
		}
		record, err := decoder.Read(row.Line)
		if err == nil && record.Op != nil && record.Op.Do == op.DoClaim {
			o := record.Op
			claims = append(claims, workspace.Claim{Op: o.ID.String(), Issue: o.Issue, By: o.By, Session: o.Session, At: o.At.UTC()})
		}
		return nil
	})
	return claims, err
}

// standing are the claims that hold open issues, the latest of each issue.
func standing(q *projection.Query, claims []workspace.Claim) ([]workspace.Claim, error) {
	latest := map[string]workspace.Claim{}
	for _, c := range claims {
		state, err := q.State(c.Issue)
		if err != nil {
			return nil, err
		}
		had, has := latest[c.Issue]
		if holds(&state, c) && open(&state) && (!has || had.Op < c.Op) {
			latest[c.Issue] = c
		}
	}
	var kept []workspace.Claim
	for _, c := range latest {
		kept = append(kept, c)
	}
	slices.SortFunc(kept, func(a, b workspace.Claim) int { return strings.Compare(a.Op, b.Op) })
	return kept, nil
}

// holds reports whether the issue is held by virtue of c or of a renewal of it.
func holds(state *op.State, c workspace.Claim) bool {
	if state.Issue.Assignee != c.By {
		return false
	}
	return state.HolderOp.String() == c.Op || c.Session != "" && state.HolderSession == c.Session
}

func open(state *op.State) bool { return state.Visible() && state.Issue.Status != issue.StatusClosed }

// judgeClaims moves the claims that were overruled to the lost ones, where they
// stay until they are acknowledged.
func (s *step) judgeClaims(ctx context.Context) error {
	local, err := s.w.Local()
	if err != nil || len(local.Claims) == 0 && !local.Judging {
		return err
	}
	var kept []workspace.Claim
	var lost []workspace.LostClaim
	err = s.w.View(ctx, func(q *projection.Query) error {
		kept, lost = nil, nil
		for _, c := range local.Claims {
			state, err := q.State(c.Issue)
			if err != nil {
				return err
			}
			switch {
			case !holds(&state, c):
				l, err := losing(q, &state, c)
				if err != nil {
					return err
				}
				lost = append(lost, l)
			case open(&state):
				kept = append(kept, c)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(lost) == 0 && len(kept) == len(local.Claims) && !local.Judging {
		return nil
	}
	return s.w.ChangeLocal(ctx, func(l *workspace.Local) error {
		l.Claims, l.Judging = kept, false
		l.Lost = append(l.Lost, lost...)
		return nil
	})
}

// markJudging notes, before the first of others' operations comes in, that the
// claims made here have to be judged. Where there are none, it notes that once a
// claim of others comes in: else a step that broke off would leave it behind as one
// that may have been made here. marked says that the mark stands.
func (s *step) markJudging(ctx context.Context, claims bool) (marked bool, err error) {
	local, err := s.w.Local()
	if err != nil || local.Judging || len(local.Claims) == 0 && !claims {
		return local.Judging, err
	}
	err = s.w.ChangeLocal(ctx, func(l *workspace.Local) error {
		l.Judging = true
		return nil
	})
	return err == nil, err
}

// losing describes a lost claim.
func losing(q *projection.Query, state *op.State, c workspace.Claim) (workspace.LostClaim, error) {
	l := workspace.LostClaim{Claim: c, Reason: "held"}
	l.Holder, l.HolderSession, l.Since = state.Holder()
	switch {
	case !state.Visible():
		l.Reason = "deleted"
	case state.Issue.Status == issue.StatusClosed:
		l.Reason = "closed"
	case l.Holder == "":
		l.Reason = "released"
	}
	history, err := q.History(c.Issue)
	for _, entry := range history {
		o := entry.Op
		if o.ID.String() > c.Op && o.By == c.By && o.Session == c.Session && entry.Effect == projection.EffectApplied {
			l.Done = append(l.Done, o.ID.String())
		}
	}
	return l, err
}
