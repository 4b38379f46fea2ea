//go:build unix

package workspace_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"beads/internal/workspace"
)

const routesFile = "routes.jsonl"

// neighbourhood is a directory with the workspace "here", its neighbours and
// what is none.
type neighbourhood struct {
	*testing.T
	dir string
}

func newNeighbourhood(t *testing.T) neighbourhood {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n := neighbourhood{t, dir}
	n.workspace("here")
	return n
}

func (n neighbourhood) path(names ...string) string {
	return filepath.Join(append([]string{n.dir}, names...)...)
}

func (n neighbourhood) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func (n neighbourhood) git(name string, args ...string) {
	n.Helper()
	n.must(os.MkdirAll(n.path(name), 0o700))
	cmd := exec.Command("git", append([]string{"-C", n.path(name), "-c", "user.name=T", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		n.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// workspace makes one in a repository of its own.
func (n neighbourhood) workspace(name string) {
	n.Helper()
	n.git(name, "init", "-q", "-b", "main")
	n.init(name)
}

func (n neighbourhood) init(name string) {
	n.Helper()
	n.must(os.MkdirAll(n.path(name), 0o700))
	f := &fixture{t: n.T, root: n.path(name)}
	w, _, err := workspace.Init(n.Context(), n.place(name), "gt", f.options())
	n.must(err)
	n.must(w.Close())
}

func (n neighbourhood) place(name string) workspace.Place {
	n.Helper()
	p, err := workspace.Find(n.path(name), "", n.getenv(""))
	n.must(err)
	return p
}

// getenv is an environment with nothing but perhaps a BEADS_DIR.
func (n neighbourhood) getenv(beadsDir string) func(string) string {
	return func(key string) string {
		switch key {
		case "BEADS_DIR":
			return beadsDir
		case "GIT_CONFIG_NOSYSTEM":
			return "1"
		case "GIT_CONFIG_GLOBAL":
			return os.DevNull
		}
		return ""
	}
}

// asRoot skips what needs other users' files.
func (n neighbourhood) asRoot() {
	n.Helper()
	if os.Getuid() != 0 {
		n.Skip("only root can make files of another user")
	}
}

const stranger = 65534

func (n neighbourhood) give(names ...string) {
	n.Helper()
	n.must(os.Lchown(n.path(names...), stranger, stranger))
}

func (n neighbourhood) giveAll(name string) {
	n.Helper()
	n.must(filepath.WalkDir(n.path(name), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, stranger, stranger)
	}))
}

// A route may lead to a workspace of ours that lies where the path says, and
// nowhere else.
func TestNeighbour(t *testing.T) {
	for name, c := range map[string]struct {
		make func(n neighbourhood)
		path string
		want string // the workspace's directory, or what the error says
	}{
		"a repository":   {func(n neighbourhood) { n.workspace("there") }, "../there", "there/.beads"},
		"below this one": {func(n neighbourhood) { n.workspace("here/vendor/there") }, "vendor/there", "here/vendor/there/.beads"},
		"without Git":    {func(n neighbourhood) { n.init("there") }, "../there", "there/.beads"},
		"a bare repository": {func(n neighbourhood) {
			n.git("there.git", "init", "-q", "--bare")
			n.init("there.git")
		}, "../there.git", "there.git/beads"},
		"one where Git tracks .beads": {func(n neighbourhood) {
			n.git("there", "init", "-q")
			n.must(os.Mkdir(n.path("there", ".beads"), 0o700))
			n.must(os.WriteFile(n.path("there", ".beads", "issues.jsonl"), nil, 0o600))
			n.git("there", "add", "-f", ".beads")
			n.init("there")
		}, "../there", "there/.git/beads"},
		"one that was wiped": {func(n neighbourhood) {
			n.workspace("there")
			n.must(os.RemoveAll(n.path("there", ".beads")))
		}, "../there", "there/.beads"},

		"nothing":          {nil, "../none", "none is not there"},
		"itself":           {nil, "../here", "here is this workspace itself"},
		"itself, by a dot": {nil, ".", "here is this workspace itself"},
		"the root":         {nil, strings.Repeat("../", 40), "/ "},
		"no workspace":     {func(n neighbourhood) { n.git("there", "init", "-q") }, "../there", "there has no beads workspace"},
		"a bare .beads": {func(n neighbourhood) {
			n.must(os.MkdirAll(n.path("there", ".beads"), 0o700))
		}, "../there", "there has no beads workspace"},
		"inside of another": {func(n neighbourhood) {
			n.workspace("there")
			n.must(os.Mkdir(n.path("there", "src"), 0o700))
		}, "../there/src", "there/src is not the top of a workspace"},
		"inside of this one": {func(n neighbourhood) {
			n.must(os.Mkdir(n.path("here", "src"), 0o700))
		}, "src", "here/src is not the top of a workspace"},
		"its .beads": {func(n neighbourhood) { n.workspace("there") }, "../there/.beads", ".beads is not the top of a workspace"},
		"a linked worktree": {func(n neighbourhood) {
			n.workspace("there")
			n.git("there", "commit", "-q", "--allow-empty", "-m", "x")
			n.git("there", "worktree", "add", "-q", "../linked")
		}, "../linked", "linked is not the top of a workspace"},
		"a .git file that points to another repository": {func(n neighbourhood) {
			n.workspace("there")
			n.must(os.Mkdir(n.path("here", "bait"), 0o700))
			n.must(os.WriteFile(n.path("here", "bait", ".git"), []byte("gitdir: ../../there/.git\n"), 0o600))
		}, "bait", "here/bait is not the top of a workspace"},
		"a core.worktree that points to another repository": {func(n neighbourhood) {
			n.workspace("there")
			n.git("here/bait", "init", "-q")
			n.git("here/bait", "config", "core.worktree", "../../../there")
		}, "bait", "is not the top of a workspace"},
		"a file":       {func(n neighbourhood) { n.must(os.WriteFile(n.path("there"), nil, 0o600)) }, "../there", "there is not a directory"},
		"below a file": {func(n neighbourhood) { n.must(os.WriteFile(n.path("there"), nil, 0o600)) }, "../there/x", "not a directory"},
		"a FIFO":       {func(n neighbourhood) { n.must(syscall.Mkfifo(n.path("there"), 0o600)) }, "../there", "there is not a directory"},
		"a device":     {nil, strings.Repeat("../", 40) + "dev/null", "/dev/null is not a directory"},
		"a symbolic link": {func(n neighbourhood) {
			n.workspace("real")
			n.must(os.Symlink("real", n.path("there")))
		}, "../there", "there leads through a symbolic link to "},
		"below a symbolic link": {func(n neighbourhood) {
			n.workspace("real/there")
			n.must(os.Symlink("../real", n.path("here", "vendor")))
		}, "vendor/there", "vendor/there leads through a symbolic link to "},
		"a link to nothing": {func(n neighbourhood) { n.must(os.Symlink("none", n.path("there"))) }, "../there", "there is not there"},
		"a loop of links":   {func(n neighbourhood) { n.must(os.Symlink("there", n.path("there"))) }, "../there", "too many links"},
		"a .beads that is a symbolic link": {func(n neighbourhood) {
			n.workspace("real")
			n.must(os.Mkdir(n.path("there"), 0o700))
			n.must(os.Symlink("../real/.beads", n.path("there", ".beads")))
		}, "../there", ".beads leads through a symbolic link to "},

		"of another user": {func(n neighbourhood) {
			n.asRoot()
			n.init("there")
			n.giveAll("there")
		}, "../there", "there belongs to another user"},
		"a repository of another user": {func(n neighbourhood) {
			n.asRoot()
			n.workspace("there")
			n.giveAll("there")
		}, "../there", "there belongs to another user"},
		"a .beads of another user": {func(n neighbourhood) {
			n.asRoot()
			n.workspace("there")
			n.give("there", ".beads")
		}, "../there", ".beads belongs to another user"},
		"a git directory of another user": {func(n neighbourhood) {
			n.asRoot()
			n.workspace("there")
			n.give("there", ".git")
		}, "../there", ".git belongs to another user"},
		"ours, from a workspace of another user": {func(n neighbourhood) {
			n.asRoot()
			n.workspace("there")
			n.give("here", ".beads")
		}, "../there", "there belongs to another user than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNeighbourhood(t)
			if c.make != nil {
				c.make(n)
			}
			p, err := n.place("here").Neighbour(c.path, n.getenv(n.path("real", ".beads"))) // BEADS_DIR must not count
			switch {
			case err != nil && !strings.Contains(err.Error(), c.want):
				t.Errorf("says %q, want %q", err, c.want)
			case err == nil && p.Dir != n.path(c.want):
				t.Errorf("leads to %s, want %q", p.Dir, c.want)
			}
		})
	}
}

// Who can write the file decides where commands go, so not everybody's is read.
func TestReadRoutes(t *testing.T) {
	const text = "{\"prefix\":\"gt-\",\"path\":\"../there\"}\n"
	for name, c := range map[string]struct {
		make func(n neighbourhood, file string)
		want string // of the error; "" if the file is read
	}{
		"a file":      {func(n neighbourhood, file string) { n.must(os.WriteFile(file, []byte(text), 0o600)) }, ""},
		"none":        {func(neighbourhood, string) {}, "no such file"},
		"a directory": {func(n neighbourhood, file string) { n.must(os.Mkdir(file, 0o700)) }, "is not a regular file"},
		"a FIFO":      {func(n neighbourhood, file string) { n.must(syscall.Mkfifo(file, 0o600)) }, "is not a regular file"},
		"a symbolic link": {func(n neighbourhood, file string) {
			n.must(os.WriteFile(n.path("text"), []byte(text), 0o600))
			n.must(os.Symlink(n.path("text"), file))
		}, "is a symbolic link"},
		"a link to a device": {func(n neighbourhood, file string) { n.must(os.Symlink("/dev/zero", file)) }, "is a symbolic link"},
		"a huge file": {func(n neighbourhood, file string) {
			n.must(os.WriteFile(file, nil, 0o600))
			n.must(os.Truncate(file, 1<<40))
		}, "is larger than"},
		"a file of another user": {func(n neighbourhood, file string) {
			n.asRoot()
			n.must(os.WriteFile(file, []byte(text), 0o600))
			n.must(os.Chown(file, stranger, stranger))
		}, "belongs to another user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNeighbourhood(t)
			p := n.place("here")
			c.make(n, filepath.Join(p.Dir, routesFile))
			data, err := p.ReadRoutes(routesFile, n.getenv(""))
			switch {
			case c.want == "" && (err != nil || string(data) != text):
				t.Errorf("%q, %v", data, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// A committed routes.jsonl is somebody else's word, and is never read: not in the
// repository, and not when BEADS_DIR names its .beads from elsewhere.
func TestCommittedRoutesAreNotRead(t *testing.T) {
	n := newNeighbourhood(t)
	n.git("there", "init", "-q")
	n.must(os.Mkdir(n.path("there", ".beads"), 0o700))
	n.must(os.WriteFile(n.path("there", ".beads", routesFile), []byte("{}\n"), 0o600))
	n.git("there", "add", "-f", ".beads")
	n.git("there", "commit", "-q", "-m", "hostile")
	n.init("there")
	if data, err := n.place("there").ReadRoutes(routesFile, n.getenv("")); !os.IsNotExist(err) {
		t.Errorf("in the repository: %q, %v", data, err)
	}
	getenv := n.getenv(n.path("there", ".beads"))
	p, err := workspace.Find(n.path("here"), "", getenv)
	n.must(err)
	if data, err := p.ReadRoutes(routesFile, getenv); err == nil || !strings.Contains(err.Error(), "tracked by Git") {
		t.Errorf("by BEADS_DIR: %q, %v", data, err)
	}
	n.git("there", "rm", "-q", "--cached", ".beads/"+routesFile)
	if _, err := p.ReadRoutes(routesFile, getenv); err != nil {
		t.Errorf("no longer tracked: %v", err)
	}
}
