package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrNotRepository is what Find fails with outside any repository.
var ErrNotRepository = errors.New("not in a git repository")

// Repository says where the parts of a repository are. All paths are absolute
// with symbolic links resolved.
type Repository struct {
	// Worktree is the top of the worktree that was asked from; "" when that was
	// a bare repository or a git directory.
	Worktree string
	// GitDir is that worktree's git directory, CommonDir what all worktrees of
	// the repository share (gitrepository-layout(5)).
	GitDir    string
	CommonDir string
	// Main is the top of the main worktree; "" for a bare repository, and for a
	// linked worktree whose repository does not say where its main one is.
	Main string
	// Submodule is set when the repository belongs to a superproject.
	Submodule bool

	hashSize int // bytes of an object name
}

// Find looks for the repository that dir is in, upward, as git does
// (setup.c): a .git directory, a .git file, or a bare repository. It fails with
// ErrNotRepository when there is none, and refuses a repository of another
// user, since whoever names a git directory explicitly skips that check of
// Git's (CVE-2022-24765).
func Find(dir string, owner OwnerCheck) (Repository, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Repository{}, fmt.Errorf("working directory: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return Repository{}, err
	}
	for at := dir; ; at = filepath.Dir(at) {
		repo, found, err := begin(at)
		// A directory above may be closed to us; the one we stand in is not.
		if errors.Is(err, fs.ErrPermission) && at != dir {
			err = nil
		}
		if err != nil {
			return Repository{}, err
		}
		if found {
			return repo, owner.check(repo)
		}
		if at == filepath.Dir(at) {
			return Repository{}, ErrNotRepository
		}
	}
}

// begin tells whether a repository begins at dir. What cannot be looked at is an
// error: taken for absent, a moment's trouble would make a workspace without its
// guard copy of one that has it.
func begin(dir string) (Repository, bool, error) {
	dotGit := filepath.Join(dir, ".git")
	info, err := os.Stat(dotGit)
	switch {
	case err == nil && info.IsDir():
		is, err := isGitDir(dotGit)
		if err != nil {
			return Repository{}, false, err
		}
		if is {
			repo, err := complete(Repository{Worktree: dir, GitDir: dotGit})
			return repo, err == nil, err
		}
	case err == nil && info.Mode().IsRegular():
		gitDir, err := readPointer(dotGit, "gitdir: ")
		if err != nil {
			return Repository{}, false, err
		}
		is, err := isGitDir(gitDir)
		if err != nil {
			return Repository{}, false, err
		}
		if !is {
			return Repository{}, false, fmt.Errorf("%s points to %s, which is not a git directory", dotGit, gitDir)
		}
		repo, err := complete(Repository{Worktree: dir, GitDir: gitDir})
		return repo, err == nil, err
	case err != nil && !absent(err):
		return Repository{}, false, err
	}
	if is, err := isGitDir(dir); err != nil || !is {
		return Repository{}, false, err
	}
	repo, err := complete(Repository{GitDir: dir})
	return repo, err == nil, err
}

// complete fills in what follows from GitDir.
func complete(repo Repository) (Repository, error) {
	repo.CommonDir = repo.GitDir
	if common, err := readPointer(filepath.Join(repo.GitDir, "commondir"), ""); err == nil {
		repo.CommonDir = common
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Repository{}, err
	}
	config := Config{}
	if err := config.read(filepath.Join(repo.CommonDir, "config"), nil); err != nil {
		return Repository{}, err
	}
	// The common directory of a submodule lies in its superproject's
	// .git/modules; a linked worktree of one keeps that common directory.
	repo.Submodule = strings.Contains(filepath.ToSlash(repo.CommonDir), "/.git/modules/")
	repo.hashSize = 20
	if config.Get("extensions.objectformat") == "sha256" {
		repo.hashSize = 32
	}
	linked := repo.GitDir != repo.CommonDir
	top := config.Get("core.worktree")
	switch {
	case config.Bool("core.bare"):
		if !linked {
			repo.Worktree = ""
		}
	case top != "":
		if !filepath.IsAbs(top) {
			top = filepath.Join(repo.CommonDir, top)
		}
		resolved, err := filepath.EvalSymlinks(top)
		if err != nil {
			return Repository{}, fmt.Errorf("core.worktree of %s: %w", repo.CommonDir, err)
		}
		repo.Main = resolved
		if repo.Worktree == "" && !linked {
			repo.Worktree = resolved
		}
	case filepath.Base(repo.CommonDir) == ".git":
		repo.Main = filepath.Dir(repo.CommonDir)
	case !linked:
		repo.Main = repo.Worktree // git init --separate-git-dir
	}
	return repo, nil
}

// isGitDir is Git's own test: HEAD, objects and refs (a linked worktree's git
// directory has HEAD and commondir).
func isGitDir(dir string) (bool, error) {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false, unlessAbsent(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "commondir")); err == nil || !absent(err) {
		return err == nil, err
	}
	for _, name := range []string{"objects", "refs"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.IsDir() {
			return false, unlessAbsent(err)
		}
	}
	return true, nil
}

// absent is whether an error says that there is no such file.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func unlessAbsent(err error) error {
	if absent(err) {
		return nil
	}
	return err
}

// readPointer reads a file that holds one path, relative to the file's own
// directory, and resolves it.
func readPointer(file, prefix string) (string, error) {
	path, err := pointed(file, prefix)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return resolved, nil
}

// pointed is readPointer for what may not be there.
func pointed(file, prefix string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	path, ok := strings.CutPrefix(strings.TrimRight(string(data), "\r\n"), prefix)
	if !ok || path == "" {
		return "", fmt.Errorf("%s does not hold a path", file)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	return path, nil
}
