package replica_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"beads/internal/replica"
)

// snapshot is everything in a repository that is the user's: worktree, HEAD,
// index, configuration, hooks, stash, refs, logs. Left out are objects, our
// directories and our refs.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case rel == ".git/objects", rel == ".git/beads", rel == ".git/refs/beads", rel == ".beads":
			return filepath.SkipDir
		case entry.IsDir():
			found[rel] = "directory"
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		found[rel] = fmt.Sprintf("%x %s", sha256.Sum256(data), info.Mode())
		return err
	})
	must(t, err)
	return found
}

// leftovers are lock files, temporary packs and crash reports.
func leftovers(t testing.TB, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(dir, ".git"), func(path string, entry fs.DirEntry, err error) error {
		name := filepath.Base(path)
		ours := filepath.Base(filepath.Dir(path)) == "beads"
		if err == nil && !ours && (strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, "fast_import_crash")) {
			found = append(found, path)
		}
		return err
	})
	must(t, err)
	return found
}

// The user's state is byte for byte the same after syncs, whatever it was, and
// git shows nothing new.
func TestUsersStateIsUntouched(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, dir, name, content string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	conflict := func(t *testing.T, dir string) {
		t.Helper()
		run(t, dir, "checkout", "-q", "-b", "side")
		write(t, dir, "a.txt", "side\n")
		run(t, dir, "commit", "-qam", "side")
		run(t, dir, "checkout", "-q", "main")
		write(t, dir, "a.txt", "main\n")
		run(t, dir, "commit", "-qam", "main")
	}
	for name, prepare := range map[string]func(t *testing.T, s *site){
		"staged, dirty and untracked files": func(t *testing.T, s *site) {
			write(t, s.dir, "staged.txt", "staged\n")
			run(t, s.dir, "add", "staged.txt")
			write(t, s.dir, "a.txt", "dirty\n")
			write(t, s.dir, "untracked.txt", "untracked\n")
		},
		"stash and detached HEAD": func(t *testing.T, s *site) {
			write(t, s.dir, "a.txt", "stashed\n")
			run(t, s.dir, "stash", "-q")
			run(t, s.dir, "checkout", "-q", "--detach")
		},
		"in the middle of a rebase": func(t *testing.T, s *site) {
			conflict(t, s.dir)
			if _, err := try(s.dir, "rebase", "side"); err == nil {
				t.Fatal("the rebase did not stop")
			}
		},
		"in the middle of a merge": func(t *testing.T, s *site) {
			conflict(t, s.dir)
			if _, err := try(s.dir, "merge", "side"); err == nil {
				t.Fatal("the merge did not stop")
			}
		},
		"hooks, signing and greedy configuration": func(t *testing.T, s *site) {
			for _, hook := range []string{"pre-push", "pre-commit", "reference-transaction", "post-checkout", "pre-auto-gc", "post-rewrite", "update"} {
				path := filepath.Join(s.dir, ".git/hooks", hook)
				must(t, os.WriteFile(path, []byte("#!/bin/sh\ntouch '"+s.dir+"/hook-ran'\nexit 1\n"), 0o755))
			}
			for key, value := range map[string]string{
				"commit.gpgsign": "true", "push.gpgsign": "true", "gpg.program": "false", "fetch.prune": "true", "fetch.pruneTags": "true",
				"core.fsmonitor": "touch " + s.dir + "/hook-ran", "remote.origin.mirror": "false", "push.followTags": "true",
				"fetch.writeCommitGraph": "true", "core.logAllRefUpdates": "always", "gc.auto": "1", "push.default": "matching",
				"remote.origin.tagOpt": "--tags", "core.askPass": "false", "transfer.unpackLimit": "1", "diff.external": "false",
				"core.quotePath": "false", "diff.renames": "copies", "push.recurseSubmodules": "on-demand", "log.showSignature": "true",
			} {
				run(t, s.dir, "config", key, value)
			}
		},
		"called from a hook": func(t *testing.T, s *site) {
			s.env = []string{
				"GIT_DIR=/nowhere", "GIT_INDEX_FILE=" + s.dir + "/.git/index.tmp", "GIT_WORK_TREE=/nowhere", "GIT_PREFIX=x/",
				"GIT_OBJECT_DIRECTORY=/nowhere", "GIT_ALTERNATE_OBJECT_DIRECTORIES=/nowhere", "GIT_COMMON_DIR=/nowhere",
				"GIT_NAMESPACE=other", "GIT_AUTHOR_NAME=someone", "GIT_COMMITTER_EMAIL=else", "GIT_AUTHOR_DATE=1", "GIT_QUARANTINE_PATH=/nowhere",
				"GIT_LITERAL_PATHSPECS=0", "GIT_GLOB_PATHSPECS=1", "GIT_TRACE=1", "GIT_SHALLOW_FILE=/nowhere", "GIT_EXTERNAL_DIFF=false",
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bare, all := sites(t, 2)
			a, b := all[0], all[1]
			run(t, bare, "tag", "v1", "main")
			prepare(t, a)
			status, branches := run(t, a.dir, "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch"), run(t, a.dir, "branch", "-a", "-v")
			tags, before := run(t, a.dir, "tag"), snapshot(t, a.dir)
			a.create("one")
			a.share()
			b.share()
			for range 4 {
				a.create("of a")
				b.create("of b")
				b.sync()
				if _, err := a.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
					t.Fatal(err)
				}
				a.sync()
			}
			for name, want := range before {
				if got := snapshot(t, a.dir)[name]; got != want {
					t.Errorf("%s was %s, is %s", name, want, got)
				}
			}
			for name := range snapshot(t, a.dir) {
				if before[name] == "" {
					t.Errorf("%s is new", name)
				}
			}
			if got := run(t, a.dir, "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch"); got != status {
				t.Errorf("status was %q, is %q", status, got)
			}
			if got := run(t, a.dir, "branch", "-a", "-v"); got != branches {
				t.Errorf("branches were %q, are %q", branches, got)
			}
			if got := run(t, a.dir, "tag"); got != tags {
				t.Errorf("tags were %q, are %q", tags, got)
			}
			if found := leftovers(t, a.dir); len(found) > 0 {
				t.Errorf("left behind: %q", found)
			}
			b.sync()
			equal(t, a, b)
			if author := run(t, a.dir, "log", "-1", "--format=%an", "--no-merges", "--author=a@", replica.LocalRef); author != "a" {
				t.Errorf("author is %q", author)
			}
		})
	}
}

// Every kind of repository that Git has.
func TestKindsOfRepository(t *testing.T) {
	t.Parallel()
	for name, clone := range map[string]func(t *testing.T, top, bare string) *site{
		"shallow":       func(t *testing.T, top, bare string) *site { return newSite(t, top, "file://"+bare, "x", "--depth=1") },
		"single branch": func(t *testing.T, top, bare string) *site { return newSite(t, top, bare, "x", "--single-branch") },
		"partial": func(t *testing.T, top, bare string) *site {
			run(t, bare, "config", "uploadpack.allowFilter", "true")
			return newSite(t, top, "file://"+bare, "x", "--filter=blob:none", "--no-checkout")
		},
		"relative URL": func(t *testing.T, top, bare string) *site {
			s := newSite(t, top, bare, "x")
			run(t, s.dir, "remote", "set-url", "origin", "../remote.git")
			return s
		},
		"linked worktree": func(t *testing.T, top, bare string) *site {
			s := newSite(t, top, bare, "x")
			run(t, s.dir, "worktree", "add", "-q", "-b", "wt", filepath.Join(top, "linked"))
			s.dir = filepath.Join(top, "linked")
			return s
		},
		"bare with a worktree": func(t *testing.T, top, bare string) *site {
			run(t, top, "clone", "-q", "--bare", bare, "x.git")
			run(t, filepath.Join(top, "x.git"), "worktree", "add", "-q", filepath.Join(top, "ofbare"), "main")
			s := &site{t: t, dir: filepath.Join(top, "ofbare"), actor: "x"}
			s.now = s.now.AddDate(2025, 0, 0)
			s.init()
			return s
		},
		"submodule": func(t *testing.T, top, bare string) *site {
			super := filepath.Join(top, "super")
			run(t, top, "init", "-q", super)
			run(t, super, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", bare, "sub")
			s := &site{t: t, dir: filepath.Join(super, "sub"), actor: "x"}
			s.now = s.now.AddDate(2025, 0, 0)
			s.init()
			return s
		},
		"mirror": func(t *testing.T, top, bare string) *site {
			run(t, top, "clone", "-q", "--mirror", bare, "x.git")
			s := &site{t: t, dir: filepath.Join(top, "x.git"), actor: "x"}
			s.now = s.now.AddDate(2025, 0, 0)
			s.init()
			s.create("before")
			s.sync()
			run(t, s.dir, "fetch", "-q", "--prune") // by force onto our refs
			return s
		},
		"no commit yet": func(t *testing.T, top, bare string) *site {
			dir := filepath.Join(top, "x")
			run(t, top, "init", "-q", dir)
			run(t, dir, "remote", "add", "origin", bare)
			s := &site{t: t, dir: dir, actor: "x"}
			s.now = s.now.AddDate(2025, 0, 0)
			s.init()
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := scratch(t)
			bare := newRemote(t, top)
			a := newSite(t, top, bare, "a")
			a.create("one")
			a.share()
			x := clone(t, top, bare)
			if _, err := x.try(replica.SyncOptions{Join: true}); err != nil {
				t.Fatal(err)
			}
			x.create("two")
			x.sync()
			a.create("three")
			settle(t, a, x)
			equal(t, a, x)
			if want := []string{"one", "three", "two"}; name != "mirror" {
				x.wantTitles(want...)
			} else {
				x.wantTitles(append(want, "before")...)
			}
			if dir := x.place().CommonDir; strings.Contains(run(t, dir, "branch", "-a"), "beads") {
				t.Error("a branch shows")
			}
		})
	}
}

func TestWithoutRemoteAndWithoutGit(t *testing.T) {
	t.Parallel()
	top := scratch(t)
	run(t, top, "init", "-q", "alone")
	alone := &site{t: t, dir: filepath.Join(top, "alone"), actor: "x"}
	alone.now = alone.now.AddDate(2025, 0, 0)
	alone.init()
	alone.create("one")
	if r := alone.sync(); r.Published != 2 || r.Unshared != 2 || r.Remote != "" {
		t.Errorf("without a remote: %+v", r)
	}
	if _, err := alone.try(replica.SyncOptions{Publish: true}); err == nil || !strings.Contains(err.Error(), "git remote add") {
		t.Errorf("publish without a remote: %v", err)
	}
	must(t, os.MkdirAll(filepath.Join(top, "plain"), 0o755))
	plain := &site{t: t, dir: filepath.Join(top, "plain"), actor: "x"}
	plain.now = alone.now
	plain.init()
	plain.create("one")
	if r := plain.sync(); r.Published != 0 || r.Unshared != 2 {
		t.Errorf("without Git: %+v", r)
	}
	if _, err := plain.try(replica.SyncOptions{Publish: true}); err == nil {
		t.Error("published without Git")
	}
}

// One publish adds at most 4 KiB of objects, also at the 2,000th of a day that
// follows a year of others.
func TestPublishStaysSmall(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 1)
	a := all[0]
	a.create("one")
	a.sync()
	files := map[string]string{}
	for month := 1; month <= 11; month++ {
		for day := 1; day <= 28; day++ {
			files[fmt.Sprintf("ops/2026-%02d/%02d/08/00/x.jsonl", month, day)] = "\n"
		}
	}
	for n := range 2000 { // spread over the day before the site's clock
		minute := n * 1440 / 2000
		files[fmt.Sprintf("ops/2026-11/23/%02d/%02d/%026d-%08x.jsonl", minute/60, minute%60, n, n*7919)] = "\n"
	}
	plant(t, a.dir, replica.LocalRef, files)
	a.sync()
	a.now = a.now.Add(a.now.Truncate(24*3600e9).AddDate(0, 0, 1).Sub(a.now) - 60e9) // its last minute
	size := func() (total int64) {
		paths, err := filepath.Glob(filepath.Join(a.dir, ".git/objects/*/*"))
		must(t, err)
		for _, path := range paths {
			info, err := os.Stat(path)
			must(t, err)
			total += info.Size()
		}
		return total
	}
	var added []int64
	for range 3 {
		a.create("another")
		before := size()
		if r := a.sync(); r.Published != 1 {
			t.Fatalf("%+v", r)
		}
		added = append(added, size()-before)
	}
	if most := slices.Max(added); most > 4<<10 {
		t.Errorf("publishes of one operation added %v bytes, more than 4 KiB", added)
	}
	t.Logf("added %v bytes", added)
}
