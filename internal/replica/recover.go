package replica

import (
	"context"
	"fmt"
	"io"

	"beads/internal/git"
	"beads/internal/op"
)

// Archive makes workspace.Options.Archive of our ref: every operation line that
// it holds, read without sync.lock and without a workspace. nil without a runner.
func Archive(ctx context.Context, runner *git.Runner) func(yield func(line []byte) error) error {
	if runner == nil {
		return nil
	}
	return func(yield func(line []byte) error) error {
		refs, err := runner.Refs(ctx, refPrefix)
		if err != nil || refs[LocalRef] == "" {
			return err
		}
		tip := refs[LocalRef]
		roots, err := runner.Roots(ctx, tip, "")
		if err != nil {
			return err
		}
		for _, root := range roots {
			if root != rootID(len(tip)) {
				return fmt.Errorf("%w: %s", ErrForeign, LocalRef)
			}
		}
		var blobs []string
		err = runner.Diff(ctx, "", tip, func(c git.TreeChange) error {
			if of, ok := streamOf(c.Path); ok && of == op.Operations && c.Regular() {
				blobs = append(blobs, c.ID)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return runner.Blobs(ctx, blobs, func(_ int, _ int64, content io.Reader) error {
			return eachLine(content, func(l batchLine) error {
				if l.tooLong {
					return nil
				}
				for _, part := range op.Split(l.raw) {
					if err := yield(part); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// Recover reads our ref and the tracking ref whole and puts back what the
// workspace lacks of them, whatever was recorded.
func (r *Replica) Recover(ctx context.Context) (Report, error) {
	return r.run(ctx, SyncOptions{}, func(ctx context.Context, s *step) error {
		s.record.local, s.changed = s.nothing(), true
		if s.tracking != "" { // else it is about a tip that is not here any more
			s.record.remote = s.nothing()
			s.unsure = s.joining()
		}
		if err := s.cover(ctx); err != nil {
			return err
		}
		if s.pin == nil {
			return nil
		}
		return s.takeIn(ctx)
	})
}

// Check looks whether everything that our ref needs is there, and makes the ref
// again if not (Report.Repaired). Its cost depends on the whole history.
func (r *Replica) Check(ctx context.Context) (Report, error) {
	return r.run(ctx, SyncOptions{}, func(ctx context.Context, s *step) error {
		if s.local != "" && !s.git.Sound(ctx, s.local) {
			return &git.Error{Command: "rev-list", Kind: git.ErrMissing, Stderr: LocalRef}
		}
		return s.publish(ctx)
	})
}

// Forget removes our refs from this repository, as a reset of the workspace
// does. Remotes are not touched.
func Forget(ctx context.Context, runner *git.Runner) error {
	if runner == nil {
		return nil
	}
	removeTips(runner.GitDir)
	refs, err := runner.Refs(ctx, refPrefix)
	if err != nil || len(refs) == 0 {
		return err
	}
	var changes []git.RefChange
	for ref, id := range refs {
		changes = append(changes, git.RefChange{Ref: ref, Old: id})
	}
	return runner.UpdateRefs(ctx, changes...)
}
