package replica_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/git"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// tracked is where a site keeps the ref of its remote.
const tracked = "refs/beads/remotes/origin/ops"

// newcomer is a clone that has joined by the tip alone.
func newcomer(t testing.TB, bare, name string) *site {
	t.Helper()
	s := newClone(t, scratch(t), bare, name)
	s.started(s.begin())
	return s
}

// started fails unless a site that joined has everything but the history.
func (s *site) started(report replica.Report, err error) {
	s.t.Helper()
	if err != nil || report.Unshared != 0 || report.Published+report.Restored != 0 || report.Pushed != 0 || report.Fetched == 0 {
		s.t.Fatalf("join: %+v, %v", report, err)
	}
	s.wantRefs("", "")
	s.wantUntouched()
}

// wantRefs fails unless the site's own ref and the tracking ref are there.
func (s *site) wantRefs(local, tracking string) {
	s.t.Helper()
	if l, r := ref(s.dir, replica.LocalRef), ref(s.dir, tracked); l != local || r != tracking {
		s.t.Errorf("%s: refs are at %q and %q, want %q and %q", s.actor, l, r, local, tracking)
	}
}

// wantUntouched fails if the reading of a tip left anything.
func (s *site) wantUntouched() {
	s.t.Helper()
	for _, pattern := range []string{"beads/*.git", "shallow*"} {
		if left, err := filepath.Glob(filepath.Join(s.dir, ".git", pattern)); err != nil || len(left) > 0 {
			s.t.Errorf("%s: there are %q, %v", s.actor, left, err)
		}
	}
}

// A clone that has nothing reads the tip alone when it joins, and adds nothing to
// the history. That comes with the next exchange, whatever happened meanwhile here
// and there.
func TestJoinReadsTheTip(t *testing.T) {
	t.Parallel()
	quiet := replica.SyncOptions{NoFetch: true, NoPush: true}
	published := newPublisher(t)
	published.claim("s1", published.create("one")[0])
	published.record("prompt")
	published.share()
	published.create("two")
	published.sync()
	for name, c := range map[string]struct {
		meanwhile func(a, c *site)
		published int // in the next exchange
		fetched   int
	}{
		"something here, on our ref already": {func(a, c *site) {
			c.create("of c", "more of c")
			if r, err := c.try(quiet); err != nil || r.Published != 2 || r.Unshared != 2 {
				c.t.Errorf("published here: %+v, %v", r, err)
			}
			c.record("of c")
			if r, err := c.try(quiet); err != nil || r.Published != 0 || r.Interactions.Published != 1 {
				c.t.Errorf("published again: %+v, %v", r, err)
			}
			if n := len(tree(c.t, c.dir)); n != 1 { // and not those of all others
				c.t.Errorf("our ref has %d files", n)
			}
		}, 0, 0},
		"something here and there": {func(a, c *site) {
			a.create("later")
			a.sync()
			c.create("of c")
		}, 1, 1},
		"the database is lost": {func(a, c *site) {
			must(c.t, os.Remove(c.place().DB))
		}, 0, 0},
		"log and guard copy are lost": {func(a, c *site) {
			must(c.t, os.Truncate(c.place().LogPath(), 0))
			must(c.t, os.Truncate(c.place().GuardPath(), 0))
		}, 0, 0},
		"the database is lost, and we are offline": {func(a, c *site) {
			must(c.t, os.Remove(c.place().DB))
			c.create("of c")
			if r, err := c.try(quiet); err != nil || r.Published != 0 {
				c.t.Errorf("published without knowing what is ours: %+v, %v", r, err)
			}
		}, 1, 0},
		"all is put back from what there is": {func(a, c *site) {
			c.with(func(_ *workspace.Workspace, r *replica.Replica) {
				if _, err := r.Recover(c.t.Context()); err != nil {
					c.t.Error(err)
				}
				if report, err := r.Publish(c.t.Context()); err != nil || report.Published != 0 {
					c.t.Errorf("published: %+v, %v", report, err)
				}
			})
		}, 0, 0},
		"interactions are replicated only now": {func(a, c *site) {
			c.opts = nil
			if _, err := c.try(quiet); err != nil {
				c.t.Error(err)
			}
			c.replicates(true)
			if r, err := c.try(quiet); err != nil || r.Published != 0 {
				c.t.Errorf("published: %+v, %v", r, err)
			}
		}, 0, 0},
		"our ref is locked for a while": {func(a, c *site) {
			c.failing(`*update-ref*`, "fatal: Unable to create '/r/refs/beads/ops.lock': File exists.", 3)
		}, 0, 0},
		"both, and git fails": {func(a, c *site) {
			a.create("later")
			a.sync()
			c.create("of c")
			if r, err := c.try(quiet); err != nil || r.Published != 1 {
				c.t.Errorf("published here: %+v, %v", r, err)
			}
			c.failing(`*merge-base*`, "fatal: trouble", 100)
			if r, err := c.try(replica.SyncOptions{}); err == nil || r.Published != 0 {
				c.t.Errorf("sync: %+v, %v", r, err)
			}
			c.program = ""
		}, 0, 0},
		"another remote in between": {func(a, c *site) {
			other := filepath.Join(scratch(c.t), "other.git")
			run(c.t, c.dir, "init", "-q", "--bare", other)
			run(c.t, c.dir, "remote", "add", "other", other)
			for _, name := range []string{"other", "origin"} {
				if _, err := c.try(replica.SyncOptions{Publish: true, Remote: name}); err != nil {
					c.t.Error(err)
				}
			}
		}, 0, 0},
		"the ref is fetched by hand": {func(a, c *site) {
			run(c.t, c.dir, "fetch", "-q", "origin", replica.LocalRef+":"+replica.LocalRef)
			if r, err := c.try(quiet); err != nil || r.Published != 0 {
				c.t.Errorf("published: %+v, %v", r, err)
			}
		}, 0, 0},
		"the remote is rewound": {func(a, c *site) {
			run(c.t, a.origin(), "update-ref", replica.LocalRef, replica.LocalRef+"~1")
		}, 1, 0},
		"the remote is consolidated": {func(a, c *site) {
			files := map[string]string{}
			for n, line := range a.lines() { // as if each had been published a few times
				for m := range 8 {
					files[fmt.Sprintf("ops/2026-11/23/03/%02d/%d.jsonl", m, n)] = line + "\n"
				}
			}
			plant(a.t, a.origin(), replica.LocalRef, files)
			later(a)
			if r := a.sync(); r.Consolidated == 0 {
				a.t.Error("nothing was consolidated")
			}
		}, 0, 0},
		"the remote is out of reach for a while": {func(a, c *site) {
			away := a.origin() + ".away"
			must(c.t, os.Rename(a.origin(), away))
			c.create("of c")
			if _, err := c.try(replica.SyncOptions{}); !errors.Is(err, git.ErrUnreachable) {
				c.t.Errorf("sync: %v", err)
			}
			must(c.t, os.Rename(away, a.origin()))
		}, 0, 0},
		"bd init again": {func(a, c *site) {
			if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
				c.t.Error(err)
			}
			tip := ref(a.dir, replica.LocalRef)
			c.wantRefs(tip, tip)
		}, 0, 0},
		"killed after the fetch": {func(a, c *site) {
			run(c.t, c.dir, "fetch", "-q", "origin", replica.LocalRef+":"+tracked)
			c.create("of c")
			if r, err := c.try(quiet); err != nil || r.Published != 1 {
				c.t.Errorf("published here: %+v, %v", r, err)
			}
		}, 0, 0},
		"killed while it joined": {func(a, c *site) {
			must(c.t, os.MkdirAll(filepath.Join(c.dir, ".git", "beads", "tip-1.git", "objects"), 0o700))
		}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bare, a := published.copy(t)
			s := newClone(t, scratch(t), bare, "c")
			s.replicates(true)
			s.started(s.begin())
			equal(t, a, s)
			if got := s.interactions(); len(got) != 1 {
				t.Errorf("interactions: %q", got)
			}
			c.meanwhile(a, s)
			report, err := s.try(replica.SyncOptions{})
			if err != nil || report.Published != c.published || report.Fetched != c.fetched {
				t.Fatalf("the next exchange: %+v, %v", report, err)
			}
			s.wantUntouched()
			tip := ref(bare, replica.LocalRef)
			s.wantRefs(tip, tip)
			s.wantOnce()
			if local, err := s.place().Local(); err != nil || local.Remote.Joining || len(local.Claims) > 0 {
				t.Errorf("afterwards it remembers %+v, %v", local, err)
			}
			a.sync()
			equal(t, a, s)
			// Nothing is there twice.
			if lines, once := count(t, bare); lines != once {
				t.Errorf("the ref has %d lines, %d of them once", lines, once)
			}
		})
	}
}

// failing has the first n calls of git that fit a pattern of the shell's fail.
func (s *site) failing(pattern, says string, n int) {
	s.t.Helper()
	real, err := exec.LookPath("git")
	must(s.t, err)
	s.program = filepath.Join(scratch(s.t), "git")
	executable(s.t, s.program, fmt.Sprintf(`#!/bin/sh
case "$*" in %s)
	echo x >>"$0.calls"
	if [ $(wc -l <"$0.calls") -le %d ]; then echo "%s" >&2; exit 128; fi
esac
exec %s "$@"
`, pattern, n, says, real))
}

// origin is the remote of a site.
func (s *site) origin() string { return filepath.Join(filepath.Dir(s.dir), "remote.git") }

// publisher is a site beside its remote, to be copied: that takes less time than to
// make one.
type publisher struct{ *site }

func newPublisher(t testing.TB) publisher {
	t.Helper()
	top := scratch(t)
	s := newSite(t, top, newRemote(t, top), "a")
	s.replicates(true)
	run(t, s.dir, "config", "remote.origin.url", "../remote.git")
	return publisher{s}
}

func (p publisher) copy(t testing.TB) (bare string, s *site) {
	t.Helper()
	top := scratch(t)
	must(t, os.CopyFS(top, os.DirFS(filepath.Dir(p.dir))))
	copied := *p.site
	copied.t, copied.dir = t, filepath.Join(top, "a")
	return copied.origin(), &copied
}

// count counts the lines of operations on a ref.
func count(t testing.TB, repo string) (lines, once int) {
	t.Helper()
	known := map[string]bool{}
	for _, entry := range tree(t, repo) {
		_, path, _ := strings.Cut(entry, "\t")
		if !strings.HasSuffix(path, ".jsonl") {
			continue
		}
		for line := range strings.Lines(run(t, repo, "show", replica.LocalRef+":"+path) + "\n") {
			lines++
			known[line] = true
		}
	}
	return lines, len(known)
}

// What others claimed is not taken for what was claimed here, though no ref of ours
// has it yet, or has it any more.
func TestClaimsWithoutOurRef(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		bare, all := sites(t, 1)
		a := all[0]
		id := a.create("wanted")[0]
		a.claim("s1", id)
		a.share()
		c := newcomer(t, bare, "c")
		if lost {
			c.sync()
			run(t, c.dir, "update-ref", "-d", replica.LocalRef)
		}
		c.claimsItsOwn(a)
	}
}

// claimsItsOwn fails if c takes a claim of a's for its own.
func (c *site) claimsItsOwn(a *site) {
	t := c.t
	t.Helper()
	c.now = a.now.Add(time.Minute)
	mine := c.create("of c")[0]
	c.claim("s2", mine)
	if _, err := c.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
		t.Fatal(err)
	}
	if local, err := c.place().Local(); err != nil || len(local.Claims) != 1 || local.Claims[0].Issue != mine {
		t.Errorf("c takes for its own: %+v, %v", local.Claims, err)
	}
	a.now = c.now.Add(time.Minute)
	a.create("more")
	a.sync()
	if r := c.sync(); len(r.ClaimsLost) > 0 {
		t.Errorf("c is told that it lost: %+v", r.ClaimsLost)
	}
}

// Where something was made before, it is shared when the clone joins, as ever.
func TestJoinWithOwnOperations(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.create("two")
	r, err := b.try(replica.SyncOptions{Join: true})
	if err != nil || r.Fetched != 2 || r.Published != 2 || r.Pushed != 2 {
		t.Fatalf("join: %+v, %v", r, err)
	}
	tip := ref(bare, replica.LocalRef)
	b.wantRefs(tip, tip)
	b.wantUntouched()
}

// The deletion of the ref on the remote is told as ever, and who says so publishes
// everything there again.
func TestDeletedAfterTheTip(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"the database is there": false, "the database is lost": true} {
		t.Run(name, func(t *testing.T) {
			bare, all := sites(t, 1)
			a := all[0]
			a.create("one", "two")
			a.share()
			c := newcomer(t, bare, "c")
			c.create("of c")
			run(t, bare, "update-ref", "-d", replica.LocalRef)
			if lost {
				must(t, os.Remove(c.place().DB))
			}
			if _, err := c.try(replica.SyncOptions{}); !errors.Is(err, replica.ErrDeleted) {
				t.Fatalf("sync: %v", err)
			}
			if r, err := c.try(replica.SyncOptions{Publish: true}); err != nil || r.Pushed != 4 || r.Unshared != 0 {
				t.Fatalf("publish: %+v, %v", r, err)
			}
			if lines, once := count(t, bare); lines != 4 || once != 4 {
				t.Errorf("the ref has %d lines, %d of them once", lines, once)
			}
			settle(t, a, c)
			equal(t, a, c)
			a.wantTitles("one", "two", "of c")
		})
	}
}

// A history that does not begin as ours do is refused when it comes, though its tip
// looked well; our own ref stays clear of it.
func TestForeignHistoryOfATip(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 1)
	a := all[0]
	a.create("one")
	a.share()
	good := ref(bare, replica.LocalRef)
	other := run(t, bare, "commit-tree", "-m", "not the first", good+"^{tree}")
	run(t, bare, "update-ref", replica.LocalRef, other)
	c := newcomer(t, bare, "c")
	for range 2 {
		if _, err := c.try(replica.SyncOptions{}); !errors.Is(err, replica.ErrForeign) {
			t.Errorf("sync: %v", err)
		}
		if at := ref(c.dir, replica.LocalRef); at == other {
			t.Errorf("our ref is at %s", at)
		}
	}
	run(t, bare, "update-ref", replica.LocalRef, good)
	settle(t, a, c)
	equal(t, a, c)
}

// What cannot be had as a tip alone is fetched whole, or refused, as ever.
func TestNoTip(t *testing.T) {
	t.Parallel()
	published := newPublisher(t)
	published.create("one", "two")
	published.share()
	for name, c := range map[string]struct {
		git, says string // calls of git that fail, and how
		tip       func(t *testing.T, bare string)
		want      error
	}{
		"a remote that serves no part of a history":     {git: "*--depth=1*", says: "fatal: dumb http transport does not support shallow capabilities"},
		"a remote that knows us only in our repository": {git: "*--depth=1*", says: "fatal: Authentication failed"},
		"a remote that is found only in our repository": {git: "*--depth=1*", says: "fatal: Could not read from remote repository."},
		"a git that reads nothing of it":                {git: "*tip-*.git*rev-list*"},
		"a git that makes no repository":                {git: `*" init "*`},
		"another format.json": {tip: func(t *testing.T, bare string) {
			plant(t, bare, replica.LocalRef, map[string]string{"format.json": "{}\n"})
		}},
		"a newer format.json": {tip: func(t *testing.T, bare string) {
			plant(t, bare, replica.LocalRef, map[string]string{"format.json": `{"version":2}` + "\n"})
		}, want: replica.ErrNewer},
		"no format.json": {tip: func(t *testing.T, bare string) {
			plant(t, bare, replica.LocalRef, map[string]string{"format.json": ""})
		}},
		"who we are is asked": {git: `*" fetch "*`, says: "fatal: Authentication failed", want: git.ErrAuthentication},
	} {
		t.Run(name, func(t *testing.T) {
			bare, a := published.copy(t)
			if c.tip != nil {
				c.tip(t, bare)
			}
			s := newClone(t, scratch(t), bare, "c")
			if c.git != "" {
				s.failing(c.git, c.says, 100)
			}
			report, err := s.begin()
			s.wantUntouched()
			if c.want != nil {
				if !errors.Is(err, c.want) {
					t.Errorf("join: %+v, %v", report, err)
				}
				return
			}
			if err != nil || report.Fetched != 3 {
				t.Fatalf("join: %+v, %v", report, err)
			}
			tip := ref(bare, replica.LocalRef)
			s.wantRefs(tip, tip)
			equal(t, a, s)
		})
	}
}

// A remote that hangs is not asked a second time for all of it.
func TestHangingTip(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 1)
	all[0].create("one")
	all[0].share()
	real, err := exec.LookPath("git")
	must(t, err)
	for deadline := time.Second; ; deadline *= 2 { // again, if it was too slow even to be asked
		s := newClone(t, scratch(t), bare, "c")
		s.program, s.deadline = filepath.Join(scratch(t), "git"), deadline
		executable(t, s.program, `#!/bin/sh
case "$*" in *--depth=1*) : >"$0.tip"; exec sleep 1000;; *" fetch "*) : >"$0.all"; esac
exec `+real+` "$@"
`)
		if _, err := s.begin(); !errors.Is(err, git.ErrUnreachable) {
			t.Fatalf("join: %v", err)
		}
		s.wantUntouched()
		if _, err := os.Lstat(s.program + ".all"); err == nil {
			t.Error("everything was asked for")
		}
		if _, err := os.Lstat(s.program + ".tip"); err == nil {
			return
		}
	}
}

// What a killed step left goes with the refs when a workspace is reset.
func TestForgetTip(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 1)
	all[0].create("one")
	all[0].share()
	c := newcomer(t, bare, "c")
	must(t, os.MkdirAll(filepath.Join(c.dir, ".git", "beads", "tip-1.git", "objects"), 0o700))
	must(t, replica.Forget(t.Context(), replica.NewRunner(c.place(), environment(), "")))
	c.wantUntouched()
}
