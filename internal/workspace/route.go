package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"beads/internal/git"
)

// ReadRoutes reads the file of routes called name in the workspace's directory;
// a missing one wraps fs.ErrNotExist. A file that Git tracks or that belongs to
// someone else than the workspace is refused: whoever can commit, or write there,
// would decide which of our workspaces a command works on.
func (p Place) ReadRoutes(name string, getenv func(string) string) ([]byte, error) {
	data, err := p.ReadFile(name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(p.Dir, name)
	if err := p.sameOwner(path); err != nil {
		return nil, err
	}
	if p.Explicit == "" || p.CommonDir != "" {
		return data, nil // where Git tracks .beads, our files are not in it
	}
	tracked, err := tracks(path, getenv)
	if err == nil && tracked {
		err = fmt.Errorf("%s is tracked by Git, so it is not read", path)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// tracks reports whether the repository that path is in, if any, tracks it.
func tracks(path string, getenv func(string) string) (bool, error) {
	repo, err := git.Find(filepath.Dir(path), git.OwnerCheck{UID: os.Getuid(), Getenv: getenv, Home: getenv("HOME")})
	if errors.Is(err, git.ErrNotRepository) {
		return false, nil
	}
	if err != nil || repo.Worktree == "" {
		return false, err
	}
	rel, err := filepath.Rel(repo.Worktree, path)
	if err != nil {
		return false, err
	}
	rel = filepath.ToSlash(rel)
	dir := filepath.ToSlash(filepath.Dir(rel))
	if dir == "." {
		return false, nil
	}
	tracked, err := repo.Tracked(dir)
	return slices.Contains(tracked, rel), err
}

// Neighbour finds the workspace whose top is at path, slash-separated and
// relative to the top of this one. It must be there, a workspace of its own, of
// the same owner as this one, and reached without a symbolic link: path may come
// from a file that someone else wrote. Nothing is opened.
func (p Place) Neighbour(path string, getenv func(string) string) (Place, error) {
	top := p.Root
	if top == "" {
		top = filepath.Dir(p.Dir) // of a bare repository
	}
	top, err := filepath.EvalSymlinks(top)
	if err != nil {
		return Place{}, err
	}
	target := filepath.Join(top, filepath.FromSlash(path))
	if err := p.trusted(target); err != nil { // before anything in it is read
		return Place{}, err
	}
	found, err := Find(target, "", unchosen(getenv))
	if err != nil {
		return Place{}, err
	}
	begins := found.Root
	if begins == "" {
		begins = found.CommonDir
	}
	switch {
	case !found.Exists:
		return Place{}, fmt.Errorf("%s has no beads workspace", target)
	case begins != target:
		return Place{}, fmt.Errorf("%s is not the top of a workspace; that of %s is %s", target, found.Dir, begins)
	case found.Dir == p.Dir:
		return Place{}, fmt.Errorf("%s is this workspace itself", target)
	}
	for _, dir := range []string{found.Dir, found.CommonDir} {
		if dir == "" || dir == found.Dir && !exists(dir) {
			continue // a directory that was wiped comes back from the guard copy
		}
		if err := p.trusted(dir); err != nil {
			return Place{}, err
		}
	}
	return found, nil
}

// trusted accepts a directory of this workspace's owner that is where its path
// says.
func (p Place) trusted(dir string) error {
	real, err := filepath.EvalSymlinks(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is not there", dir)
	case err != nil:
		return err
	case real != dir:
		return fmt.Errorf("%s leads through a symbolic link to %s", dir, real)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	return p.sameOwner(dir)
}

// sameOwner accepts what belongs to the owner of this workspace's directory.
func (p Place) sameOwner(path string) error {
	ours, err := git.FileOwner(p.Dir)
	if err != nil {
		return err
	}
	owner, err := git.FileOwner(path)
	if err != nil {
		return err
	}
	if owner != ours {
		return fmt.Errorf("%s belongs to another user than %s", path, p.Dir)
	}
	return nil
}
