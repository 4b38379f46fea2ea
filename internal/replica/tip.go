package replica

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"beads/internal/git"
)

// tipPattern names where the tip of a remote's ref is for as long as it is read, in our
// directory within Git's. Each has its own name: the git of a step that was killed may
// still be writing.
const tipPattern = "tip-*.git"

// takeTip has a clone that joins, and has nothing of the history, read the tree of
// the remote's tip without it: all operations are there, and it is a small part of
// what a long history has. enough says that the history can wait for the next
// exchange; until then our ref gets no more than what was made here. It cannot wait
// where something was made already, which is to be shared now.
//
// What a remote refuses here, or has there that does not look like our layout, is
// left to the fetch of everything, which says what is wrong.
func (s *step) takeTip(ctx context.Context) (enough bool, err error) {
	place := s.w.Place()
	ours := cmp.Or(place.Guard, place.Dir)
	removeTips(ours)
	if !s.want.Join || s.local != "" || s.record.remote.Commit != "" {
		return false, nil
	}
	dir, err := os.MkdirTemp(ours, tipPattern)
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
		err = s.takeTree(ctx, tip)
	}
	if err != nil {
		return false, unlessOtherwise(err)
	}
	s.record.remote.Alone = true
	s.remote = tip // it may have moved since it was asked
	lacking, err := s.lacking(ctx, s.record.remote)
	return lacking == 0, err
}

// removeTips removes what steps left that were killed. What cannot be removed, since a
// git still writes there, is left to the next step.
func removeTips(dir string) {
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

// unlessOtherwise is err, or nil where the fetch of everything may lead further.
func unlessOtherwise(err error) error {
	var failure *git.Error
	if errors.Is(err, ErrForeign) || errors.As(err, &failure) && (failure.Kind == nil || errors.Is(err, git.ErrMissing) || errors.Is(err, git.ErrNotCommit)) {
		return nil
	}
	return err
}
