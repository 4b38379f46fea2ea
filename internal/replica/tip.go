package replica

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"beads/internal/git"
	"beads/internal/workspace"
)

// Where the tip of a remote's ref is for as long as it is read, in our directory within
// Git's. Each has its own name: the git of a step that was killed may still be writing.
const (
	tipDir     = "beads"
	tipPattern = "tip-*.git"
)

// joining says that operations were read off the remote's tip alone, and that the
// history which ends there is still to come. Until our ref has it, what others made is
// known by the record of what the tip covers, and by nothing else.
func (s *step) joining() bool { return s.pin != nil && s.pin.Joining }

func (s *step) setJoining(ctx context.Context, joining bool) error {
	if s.joining() == joining {
		return nil
	}
	return s.w.ChangeLocal(ctx, func(l *workspace.Local) error {
		if l.Remote != nil && l.Remote.Name == s.pin.Name {
			l.Remote.Joining = joining
			s.pin = l.Remote
		}
		return nil
	})
}

// takeTip has a clone that joins, and has nothing at all, read the tree of the remote's
// tip without the history before it: all operations are there, and it is a small part
// of what a long history has. taken says that nothing more is to be fetched: the history
// comes with the next exchange, and until then our ref gets no more than what is made
// here.
//
// What cannot be had this way, or does not look like our layout, is left to the fetch
// of everything, which says what is wrong.
func (s *step) takeTip(ctx context.Context) (taken bool, err error) {
	removeTips(s.git.GitDir)
	if !s.want.Join || s.local != "" || s.record.remote.Commit != "" {
		return false, nil
	}
	if made, err := s.lacking(ctx, s.nothing()); err != nil || made > 0 && !s.joining() {
		return false, err // what was made here is to be shared now
	}
	dir, err := os.MkdirTemp(filepath.Join(s.git.GitDir, tipDir), tipPattern)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fetched := s.stage("fetching")
	objects, tip, err := s.git.FetchTip(ctx, dir, s.pin.Name, s.pin.Ref, len(s.remote))
	fetched()
	if err == nil {
		s.objects = objects
		defer func() { s.objects = s.git }()
		err = s.checkTip(ctx, tip)
	}
	if err == nil {
		s.unsure = true
		err = s.setJoining(ctx, true)
	}
	if err == nil {
		err = s.takeTree(ctx, tip)
	}
	if err != nil {
		return false, unlessOtherwise(ctx, err)
	}
	s.remote = tip // it may have moved since it was asked
	return true, nil
}

// removeTips removes what steps left that were killed, in the repository at gitDir. What
// cannot be removed, since a git still writes there, is left to the next step.
func removeTips(gitDir string) {
	dir := filepath.Join(gitDir, tipDir)
	left, err := fs.Glob(os.DirFS(dir), tipPattern)
	if err != nil {
		return
	}
	for _, name := range left {
		_ = os.RemoveAll(filepath.Join(dir, name))
	}
}

// checkTip refuses what does not look like the tip of an operation log. That its
// history begins as all of them do is seen when it is here.
func (s *step) checkTip(ctx context.Context, tip string) error {
	if _, err := s.objects.Roots(ctx, tip, ""); err != nil {
		return err // it is no commit
	}
	ours := false
	err := s.objects.Diff(ctx, "", tip, func(c git.TreeChange) error {
		ours = ours || c.ID == formatID(len(tip))
		return nil
	}, formatFile)
	if err == nil && !ours {
		err = fmt.Errorf("%w: it has another %s", ErrForeign, formatFile)
	}
	return err
}

// unlessOtherwise is err, or nil where the fetch of everything may lead further: it is
// done in the user's own repository, whose configuration may depend on where that is.
func unlessOtherwise(ctx context.Context, err error) error {
	var failure *git.Error
	if ctx.Err() == nil && (errors.Is(err, ErrForeign) || errors.As(err, &failure) && !failure.TimedOut()) {
		return nil
	}
	return err
}
