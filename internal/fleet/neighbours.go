package fleet

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"beads/internal/git"
	"beads/internal/registry"
	"beads/internal/workspace"
)

// upstreamLock is what the daemon of the original beads holds in a .beads; its
// content has the PID and version under the same names as ours.
const upstreamLock = "daemon.lock"

// Neighbour is another daemon that serves the same project.
type Neighbour struct {
	Workspace string `json:"workspace"`
	PID       int    `json:"pid"` // as its lock file says, for people; 0 if it does not
	Version   string `json:"version"`
	Upstream  bool   `json:"upstream,omitempty"` // it is one of the original beads
}

// Neighbours are the other daemons that serve the project of the workspace at p:
//
//   - those in the registry whose workspace lies in the same repository, or in a
//     clone of it: one whose remote is, or is a remote of, this one's; or in a
//     plain copy, which has the workspace's id;
//   - those of the original beads, and of ours for a workspace of its own, in the
//     .beads of any worktree of this repository.
//
// All worktrees share one workspace and so one daemon of ours; clones have each
// their own, which is as it should be. Only locks that are held count. Nobody is
// asked, nothing is changed, no child process is run; what does not answer in a
// few seconds is left out.
func (f Fleet) Neighbours(ctx context.Context, p workspace.Place, getenv func(string) string) ([]Neighbour, error) {
	entries, _, err := f.Registry.List()
	if err != nil {
		return nil, err
	}
	mine := project(p.Dir, getenv)
	var looks []func() *Neighbour
	for _, e := range entries {
		if e.Workspace != p.Dir {
			looks = append(looks, func() *Neighbour { return f.neighbour(e, mine, getenv) })
		}
	}
	tops := git.Worktrees(p.CommonDir)
	if p.Root != "" {
		tops = append(tops, p.Root)
	}
	for _, top := range tops {
		dir := filepath.Join(top, ".beads")
		looks = append(looks, func() *Neighbour { return lockHolder(dir, upstreamLock) })
		if dir != p.Dir {
			own := filepath.Base(p.DaemonLock())
			looks = append(looks, func() *Neighbour { return lockHolder(dir, own) })
		}
	}
	found := concurrently(ctx, looks,
		func(_ context.Context, look func() *Neighbour) *Neighbour { return look() },
		func(func() *Neighbour) *Neighbour { return nil })
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	key := func(n Neighbour) string { return n.Workspace + "\x00" + strconv.FormatBool(n.Upstream) }
	slices.SortFunc(found, func(a, b Neighbour) int { return strings.Compare(key(a), key(b)) })
	return slices.CompactFunc(found, func(a, b Neighbour) bool { return key(a) == key(b) }), nil
}

// neighbour is the daemon of e if it runs and serves a project of these names.
func (f Fleet) neighbour(e registry.Entry, names []string, getenv func(string) string) *Neighbour {
	if _, err := f.place(e); err != nil {
		return nil
	}
	n := lockHolder(e.Workspace, filepath.Base(e.Lock))
	if n == nil || !slices.ContainsFunc(project(e.Workspace, getenv), func(name string) bool { return slices.Contains(names, name) }) {
		return nil
	}
	return n
}

// lockHolder is who holds the lock of that name in a .beads, nil if nobody does.
// A .beads that is a link, as a repository may bring, is not followed.
func lockHolder(dir, name string) *Neighbour {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil
	}
	who, isHeld, err := holder(filepath.Join(dir, name))
	if err != nil || !isHeld {
		return nil
	}
	return &Neighbour{Workspace: dir, PID: who.PID, Version: who.Version, Upstream: name == upstreamLock}
}

// project is what the project of the workspace in dir goes by: its repository,
// the places of that one's remotes and of the remote that it shares with, and
// the workspace's id. Two workspaces with one name in common are of one project.
func project(dir string, getenv func(string) string) []string {
	p, err := workspace.Find(filepath.Dir(dir), "", func(key string) string {
		if strings.HasPrefix(key, "BEADS_") {
			return ""
		}
		return getenv(key)
	})
	if err != nil {
		return nil // another user's, perhaps
	}
	var names []string
	base := p.Root
	if base == "" {
		base = p.CommonDir // bare
	}
	if p.CommonDir != "" {
		names = append(names, p.CommonDir, p.Root)
		for _, url := range remoteURLs(p.CommonDir) {
			names = append(names, git.Location(url, base))
		}
	}
	if p.Dir != dir {
		p = workspace.Place{Dir: dir} // chosen explicitly
	}
	if local, err := p.Local(); err == nil {
		if local.Remote != nil {
			names = append(names, git.Location(local.Remote.URL, base))
		}
		names = append(names, local.Workspace)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// remoteURLs are where the remotes of a repository's own configuration point.
func remoteURLs(commonDir string) []string {
	alone := func(key string) string {
		if key == "GIT_CONFIG_NOSYSTEM" {
			return "1"
		}
		return ""
	}
	var urls []string
	for key, values := range git.LoadConfig("", commonDir, "", alone) {
		if strings.HasPrefix(key, "remote.") && strings.HasSuffix(key, ".url") {
			urls = append(urls, values...)
		}
	}
	return urls
}
