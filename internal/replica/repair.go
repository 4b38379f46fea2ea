package replica

import (
	"context"
	"errors"
	"fmt"

	"beads/internal/git"
)

// repair looks, after a call of git failed, whether objects that our refs need
// are missing or damaged, and if so makes the refs again: the tracking ref goes,
// to be fetched anew; ours becomes the tracking ref, or goes, and what is then
// lacking is published again from the workspace. A ref's file that names no
// object goes first: git would neither read nor replace it. Nothing is lost by
// all this: every operation of our ref that was ever read is in the workspace.
func (s *step) repair(ctx context.Context, why error) (repaired bool, err error) {
	var failure *git.Error
	if !errors.As(why, &failure) || failure.Kind != nil && !errors.Is(why, git.ErrMissing) {
		return false, nil
	}
	return s.mend(ctx, why)
}

// errLooked is why a step mends that nothing made suspicious.
var errLooked = errors.New("objects are missing or damaged")

// mend is repair without asking whether why gives reason to.
func (s *step) mend(ctx context.Context, why error) (repaired bool, err error) {
	var broken bool
	for _, ref := range s.refs() {
		removed, err := s.git.RemoveBrokenRef(ref)
		if err != nil {
			return false, err
		}
		broken = broken || removed
	}
	if err := s.readRefs(ctx); err != nil {
		return false, err
	}
	damaged := func(tip string) bool { return tip != "" && !s.git.Sound(ctx, tip) }
	var changes []git.RefChange
	local, tracking := s.local, s.tracking
	if damaged(tracking) {
		changes = append(changes, git.RefChange{Ref: s.trackingRef(), Old: tracking})
		tracking = ""
	}
	if damaged(local) {
		changes = append(changes, git.RefChange{Ref: LocalRef, Old: local, New: tracking})
		local = tracking
	}
	if len(changes) == 0 && !broken {
		return false, nil
	}
	s.opts.Notice(fmt.Sprintf("%s is damaged and is made again: %v", LocalRef, why))
	s.git.RemoveEmptyObjects()
	if len(changes) > 0 {
		if err := s.git.UpdateRefs(ctx, changes...); err != nil {
			return false, fmt.Errorf("repair %s: %w", LocalRef, err)
		}
	}
	s.local, s.tracking, s.asked = local, tracking, false
	s.record.local, s.record.remote, s.changed = s.nothing(), s.nothing(), true
	s.unsure = s.joining()
	s.report.Repaired = true
	return true, nil
}
