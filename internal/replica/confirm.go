package replica

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/workspace"
)

// confirmRef holds the commit that is being offered, so that a git gc of the
// user's does not take its objects away. It exists for the time of one push.
const confirmRef = refPrefix + "confirm"

// Confirm makes operations that the pinned remote has before this clone has
// them, so that of all clones that do so at once only one gets through: the
// push moves the remote's ref from exactly the state that decide saw, or fails,
// and then decide is asked again about the state that came in between. What got
// through then enters the workspace like everything that is fetched.
//
// When it returns nil the operations are durable here and there. After an error
// nothing was acknowledged; should the remote have taken the push without being
// able to say so, the next Sync brings the operations.
func (r *Replica) Confirm(ctx context.Context, decide func(*workspace.Tx) ([]workspace.Draft, error)) ([]*op.Operation, Report, error) {
	if r.git == nil && !r.w.ReadOnly() {
		return nil, Report{ClaimsLost: []workspace.LostClaim{}}, fmt.Errorf("confirm: %w", git.ErrNotRepository)
	}
	var made []*op.Operation
	report, err := r.run(ctx, SyncOptions{}, func(ctx context.Context, s *step) error {
		if s.pin == nil {
			return ErrNotPinned
		}
		for s.report.Attempts = 1; ; s.report.Attempts++ {
			began := s.opts.Now()
			var err error
			if made, err = s.confirm(ctx, decide); !errors.Is(err, git.ErrNonFastForward) || s.report.Attempts >= MaxAttempts {
				return err
			}
			if err := s.pause(ctx, s.report.Attempts, began); err != nil {
				return err
			}
		}
	})
	return made, report, err
}

// confirm makes one attempt. First everything else is exchanged, so that what is
// offered builds on the remote's own tip.
func (s *step) confirm(ctx context.Context, decide func(*workspace.Tx) ([]workspace.Draft, error)) ([]*op.Operation, error) {
	for _, do := range []func(context.Context) error{s.fetch, s.publish, s.push} {
		if err := do(ctx); err != nil {
			return nil, err
		}
	}
	drafts, err := s.w.Prepare(ctx, decide)
	if err != nil || len(drafts) == 0 {
		return nil, err
	}
	tip, err := s.offer(ctx, drafts)
	if err != nil {
		return nil, err
	}
	err = s.git.UpdateRefs(ctx, git.RefChange{Ref: s.trackingRef(), Old: s.tracking, New: tip})
	if err != nil {
		return nil, err
	}
	s.tracking, s.remote = tip, tip
	if err := s.takeIn(ctx); err != nil {
		return nil, err
	}
	moved := &s.moved[op.Operations]
	moved.Fetched, moved.Pushed = max(moved.Fetched-len(drafts), 0), moved.Pushed+int64(len(drafts))
	made := make([]*op.Operation, len(drafts))
	for n, d := range drafts {
		made[n] = d.Op
	}
	return made, s.keepClaims(ctx, made)
}

// offer pushes the lines as a child of the remote's tip. The scratch ref is
// removed again, also one that a killed process left.
func (s *step) offer(ctx context.Context, drafts []workspace.Draft) (tip string, err error) {
	if err := s.dropScratch(ctx); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.dropScratch(context.WithoutCancel(ctx))) }()
	slices.SortFunc(drafts, func(a, b workspace.Draft) int { return a.Op.ID.Compare(b.Op.ID) })
	var batch bytes.Buffer
	issues := map[string]struct{}{}
	for _, d := range drafts {
		batch.Write(d.Line)
		batch.WriteByte('\n')
		issues[d.Op.Issue] = struct{}{}
	}
	now := s.opts.Now().UTC()
	tip, err = s.git.Import(ctx, func(im *git.Importer) (string, error) {
		blob, err := im.Blob(batch.Bytes())
		if err != nil {
			return "", err
		}
		return im.Commit(git.Commit{
			Ref: confirmRef, By: s.author(now), Message: message(len(drafts), len(issues), 0), Parents: []string{s.local},
			Files: []git.File{{Path: batchPath(op.Operations, now, drafts[0].Op.ID, batch.Bytes()), Blob: blob}},
		})
	})
	if err != nil {
		return "", err
	}
	defer s.stage("pushing")()
	s.asked = false
	return tip, s.git.Push(ctx, s.pin.Name, tip, s.pin.Ref)
}

func (s *step) dropScratch(ctx context.Context) error {
	refs, err := s.git.Refs(ctx, confirmRef)
	if err != nil || refs[confirmRef] == "" {
		return err
	}
	return s.git.UpdateRefs(ctx, git.RefChange{Ref: confirmRef, Old: refs[confirmRef]})
}

// keepClaims enters confirmed claims with those that were made here, so that
// their loss will be told: they came in as if they were another clone's.
func (s *step) keepClaims(ctx context.Context, made []*op.Operation) error {
	return s.w.ChangeLocal(ctx, func(l *workspace.Local) error {
		for _, o := range made {
			if o.Do == op.DoClaim {
				l.Claims = append(l.Claims, workspace.Claim{Op: o.ID.String(), Issue: o.Issue, By: o.By, Session: o.Session, At: o.At.UTC()})
			}
		}
		return nil
	})
}
