package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// The names of our files.
const (
	dirName          = ".beads"
	logName          = "issues.jsonl"
	interactionsName = "interactions.jsonl"
	dbName           = "beads.db"
	lockName         = "db.lock"
	daemonLock       = ".lock"
)

// ErrNoWorkspace is what opening fails with where none was initialised.
var ErrNoWorkspace = errors.New("no beads workspace here")

// Place is where a workspace is: found by looking at files only, without a
// child process, and without opening anything of ours.
type Place struct {
	Root      string // top of the main worktree, or the directory that holds .beads; "" for a bare repository
	Dir       string // where our files are: Root/.beads, or CommonDir/beads (see Tracked and Root)
	Guard     string // CommonDir/beads; "" if there is no guard copy
	CommonDir string // Git's common directory; "" without Git, and for an explicit place elsewhere
	GitDir    string // the git directory of the worktree we stand in
	DB        string // the database file
	Tracked   bool   // Git tracks something in .beads, so our files live in the common directory
	Source    string // a tracked issues.jsonl: a read-only import source; "" if none
	Explicit  string // what chose the place: "", "BEADS_DIR", "BEADS_DB" or "--db"
	Exists    bool   // initialised: a log or a guard copy is there
	Super     string // the superproject's workspace directory, when this is a submodule without one

	repo git.Repository
}

// LogPath is the operational copy.
func (p Place) LogPath() string { return p.StreamPath(op.Operations) }

// GuardPath is the guard copy; "" if there is none.
func (p Place) GuardPath() string { return p.StreamGuard(op.Operations) }

// StreamPath is the operational copy of a stream.
func (p Place) StreamPath(s op.Stream) string { return filepath.Join(p.Dir, fileOf(s)) }

// StreamGuard is the guard copy of a stream; "" if there is none.
func (p Place) StreamGuard(s op.Stream) string {
	if p.Guard == "" {
		return ""
	}
	return filepath.Join(p.Guard, fileOf(s))
}

func fileOf(s op.Stream) string {
	if s == op.Interactions {
		return interactionsName
	}
	return logName
}

// LockPath is the writers' lock file.
func (p Place) LockPath() string { return filepath.Join(p.Dir, lockName) }

// DaemonLock is the file a daemon holds for its life.
func (p Place) DaemonLock() string { return filepath.Join(p.Dir, daemonLock) }

// localPath is what this clone alone knows: beside the guard copy, so that it
// outlives .beads.
func (p Place) localPath() string {
	if p.Guard != "" {
		return filepath.Join(p.Guard, localName)
	}
	return filepath.Join(p.Dir, localName)
}

// Missing is the error for a place without a workspace.
func (p Place) Missing() error {
	where := p.Root
	if where == "" {
		where = p.Dir
	}
	if p.Super != "" {
		return fmt.Errorf("%w (submodule %s; the superproject's is in %s: set BEADS_DIR to use it)", ErrNoWorkspace, where, p.Super)
	}
	if p.Explicit != "" { // what chose the place may be what is wrong
		return fmt.Errorf("%w (%s leads to %s)", ErrNoWorkspace, p.Explicit, p.Dir)
	}
	return fmt.Errorf("%w (%s)", ErrNoWorkspace, where)
}

// Find says where the workspace of the directory dir is or would be. dbFlag is
// --db; getenv gives BEADS_DIR and BEADS_DB, and what Git's own configuration
// depends on. In a repository there is exactly one workspace for all its
// worktrees; without Git it is the nearest .beads upward, else dir itself.
func Find(dir, dbFlag string, getenv func(string) string) (Place, error) {
	owner := git.OwnerCheck{UID: os.Getuid(), Getenv: getenv, Home: getenv("HOME")}
	repo, err := git.Find(dir, owner)
	var p Place
	switch {
	case err == nil:
		p, err = placeInRepository(repo)
	case errors.Is(err, git.ErrNotRepository):
		p, err = placeWithoutGit(dir)
	}
	if err != nil {
		return Place{}, err
	}
	if p, err = explicit(p, dir, dbFlag, getenv); err != nil {
		return Place{}, err
	}
	p.Exists = p.initialised()
	if !p.Exists && p.Explicit == "" && repo.Submodule {
		p.Super = superproject(repo, getenv)
	}
	return p, nil
}

// initialised reports whether a workspace of ours was made here. Another
// program's directory with a snapshot of the same name is none: it takes a
// bd init to adopt it.
func (p Place) initialised() bool {
	return p.Guard != "" && exists(p.GuardPath()) || exists(p.localPath()) ||
		holdsOperations(p.LogPath()) || projection.Recognise(p.DB)
}

// holdsOperations looks at the beginning of a log.
func holdsOperations(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|oplog.NoFollow, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 4096)
	n, err := f.Read(start)
	return err == nil && bytes.Contains(start[:n], []byte(`{"op":"`))
}

// placeInRepository applies the rules of one workspace per repository.
func placeInRepository(repo git.Repository) (Place, error) {
	common := filepath.Join(repo.CommonDir, "beads")
	p := Place{Root: repo.Main, CommonDir: repo.CommonDir, GitDir: repo.GitDir, Dir: common, repo: repo}
	if repo.Main != "" {
		tracked, err := repo.Tracked(dirName)
		if err != nil {
			return Place{}, err
		}
		p.Tracked = len(tracked) > 0
		p.Source = source(repo.Main, tracked)
		if !p.Tracked {
			p.Dir, p.Guard = filepath.Join(repo.Main, dirName), common
		}
	}
	p.DB = filepath.Join(p.Dir, dbName)
	return p, nil
}

// source picks the tracked snapshot that is imported: upstream's name today, or
// the one it had before.
func source(root string, tracked []string) string {
	for _, name := range []string{dirName + "/" + logName, dirName + "/beads.jsonl"} {
		for _, path := range tracked {
			if path == name {
				return filepath.Join(root, filepath.FromSlash(path))
			}
		}
	}
	return ""
}

// placeWithoutGit takes the nearest .beads upward.
func placeWithoutGit(dir string) (Place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Place{}, err
	}
	root := dir
	for at := dir; ; at = filepath.Dir(at) {
		if exists(filepath.Join(at, dirName)) {
			root = at
			break
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	p := Place{Root: root, Dir: filepath.Join(root, dirName)}
	p.DB = filepath.Join(p.Dir, dbName)
	return p, nil
}

// explicit applies --db, BEADS_DB and BEADS_DIR, in this order. A place that is
// the repository's own keeps its guard copy; one elsewhere has none.
func explicit(found Place, dir, dbFlag string, getenv func(string) string) (Place, error) {
	chosen, by, db := "", "", ""
	switch {
	case dbFlag != "":
		chosen, by, db = filepath.Dir(dbFlag), "--db", filepath.Base(dbFlag)
	case getenv("BEADS_DB") != "":
		chosen, by, db = filepath.Dir(getenv("BEADS_DB")), "BEADS_DB", filepath.Base(getenv("BEADS_DB"))
	case getenv("BEADS_DIR") != "":
		chosen, by, db = getenv("BEADS_DIR"), "BEADS_DIR", dbName
	default:
		return found, nil
	}
	if !filepath.IsAbs(chosen) {
		chosen = filepath.Join(dir, chosen)
	}
	if db == "." || db == ".." || db == string(filepath.Separator) || strings.HasSuffix(db, ".jsonl") || db == lockName || db == daemonLock {
		return Place{}, fmt.Errorf("%s must name a database file such as .beads/beads.db, not %q", by, db)
	}
	if resolved, err := filepath.EvalSymlinks(chosen); err == nil {
		chosen = resolved
	}
	own := found.CommonDir != "" && (chosen == found.Dir || found.Root != "" && chosen == filepath.Join(found.Root, dirName))
	if own { // also when .beads is tracked: then our files are in the common directory
		found.Explicit = by
		if !found.Tracked {
			found.DB = filepath.Join(found.Dir, db)
		}
		return found, nil
	}
	return Place{Root: filepath.Dir(chosen), Dir: chosen, DB: filepath.Join(chosen, db), Explicit: by}, nil
}

// superproject is the directory of the superproject's workspace, "" if it has
// none.
func superproject(repo git.Repository, getenv func(string) string) string {
	if repo.Main == "" {
		return ""
	}
	p, err := Find(filepath.Dir(repo.Main), "", unchosen(getenv))
	if err != nil || !p.Exists {
		return ""
	}
	return p.Dir
}

// unchosen is the environment without what chooses a workspace.
func unchosen(getenv func(string) string) func(string) string {
	return func(key string) string {
		if strings.HasPrefix(key, "BEADS_") {
			return ""
		}
		return getenv(key)
	}
}

// exists reports whether path is there, whatever it is.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
