package acceptance

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// state is everything in a repository that is the user's, byte for byte:
// worktree, HEAD, index, refs, FETCH_HEAD, configuration, stash, hooks, logs,
// rebase under way. Left out are objects, our directories and our refs.
func state(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
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
	}))
	return found
}

func same(t testing.TB, what string, before, after map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] != before[name] {
			t.Errorf("%s: %s was %s, is %q", what, name, before[name], after[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] == "" {
			t.Errorf("%s: %s is new", what, name)
		}
	}
}

// leftovers are locks, temporary packs and objects, and crash reports in a git
// directory.
func leftovers(t testing.TB, gitDir string) []string {
	t.Helper()
	var found []string
	must(t, filepath.WalkDir(gitDir, func(path string, entry fs.DirEntry, err error) error {
		name := filepath.Base(path)
		ours := filepath.Dir(path) == filepath.Join(gitDir, "beads")
		residue := strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, "fast_import_crash")
		if err == nil && residue && !ours {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// hooks are those that git would run for what we do, and more.
var hooks = []string{
	"pre-push", "pre-commit", "commit-msg", "post-commit", "post-checkout", "post-merge", "post-rewrite", "pre-rebase",
	"reference-transaction", "pre-auto-gc", "update", "pre-receive", "post-receive", "fsmonitor-watchman", "post-index-change",
}

// entangle brings a clone into a state that could hardly be worse: a stash, a
// rebase that has stopped, on a detached HEAD, with staged, unstaged and
// untracked files, hooks that fail and leave a mark, a signing program that
// fails, and a fetch on record.
func entangle(c *clone) {
	c.git(c.dir, "checkout", "-q", "-b", "side")
	for n := range 3 {
		write(c.t, filepath.Join(c.dir, "a.txt"), fmt.Sprintf("side %d\n", n))
		c.git(c.dir, "commit", "-qam", fmt.Sprintf("side %d", n))
	}
	c.git(c.dir, "checkout", "-q", "main")
	write(c.t, filepath.Join(c.dir, "a.txt"), "stashed\n")
	c.git(c.dir, "stash", "-q")
	c.git(c.dir, "tag", "v1")
	c.git(c.dir, "fetch", "-q", "origin", "main")
	c.git(c.dir, "checkout", "-q", "side")
	c.git(c.dir, "-c", "sequence.editor=sed -i 1s/pick/edit/", "rebase", "-q", "-i", "HEAD~2")
	write(c.t, filepath.Join(c.dir, "staged.txt"), "staged\n")
	c.git(c.dir, "add", "staged.txt")
	write(c.t, filepath.Join(c.dir, "a.txt"), "dirty\n")
	write(c.t, filepath.Join(c.dir, "untracked.txt"), "untracked\n")
	for _, hook := range hooks {
		path := filepath.Join(c.dir, ".git", "hooks", hook)
		write(c.t, path, "#!/bin/sh\ntouch '"+filepath.Join(c.dir, "hook-ran")+"'\nexit 1\n")
		must(c.t, os.Chmod(path, 0o755))
	}
	for key, value := range map[string]string{
		"commit.gpgsign": "true", "tag.gpgsign": "true", "push.gpgsign": "true", "gpg.program": "/nowhere/gpg",
		"core.fsmonitor": "touch " + filepath.Join(c.dir, "hook-ran"), "core.logAllRefUpdates": "always", "fetch.prune": "true",
		"fetch.writeCommitGraph": "true", "push.followTags": "true", "gc.auto": "1", "transfer.unpackLimit": "1", "rerere.enabled": "true",
	} {
		c.git(c.dir, "config", key, value)
	}
}

// After fifty changes and syncs, by commands and by a daemon, as a hook calls
// bd, and with variables that lead to another repository, everything that is the
// user's is byte for byte what it was, and git shows nothing new.
func TestUsersStateIsUntouched(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c, other := p.newClone("a", "--publish"), p.newClone("b")
	entangle(c)
	decoy := filepath.Join(p.dir, "decoy")
	p.git(p.dir, "clone", "-q", p.bare, decoy)
	status := func() string { // without what the traps would do to the question itself
		git := func(args ...string) string {
			return p.git(c.dir, append([]string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks"}, args...)...) + "\n"
		}
		return git("status", "--porcelain=v2", "--branch", "--show-stash") + git("branch", "-a", "-vv") + git("tag") + git("stash", "list") +
			git("for-each-ref", "refs/heads/", "refs/tags/", "refs/remotes/", "refs/stash", "refs/rewritten/")
	}
	shown, before, aside := status(), state(t, c.dir), state(t, decoy)
	environments := [][]string{
		nil,
		{"GIT_DIR=.git", "GIT_INDEX_FILE=" + filepath.Join(c.dir, ".git", "index.lock.by.hook"), "GIT_PREFIX=", "GIT_EDITOR=:"},
		{"GIT_DIR=" + filepath.Join(decoy, ".git"), "GIT_WORK_TREE=" + decoy, "GIT_INDEX_FILE=" + filepath.Join(decoy, ".git", "index"),
			"GIT_OBJECT_DIRECTORY=" + filepath.Join(decoy, ".git", "objects"), "GIT_COMMON_DIR=" + filepath.Join(decoy, ".git")},
	}
	run := func(env []string, args ...string) string {
		t.Helper()
		r := c.run(env, args...)
		if r.code != 0 {
			t.Fatalf("bd %q with %q: exit code %d\n%s", args, env, r.code, r.stderr)
		}
		return strings.TrimSpace(r.stdout)
	}
	for n := range 50 {
		env := environments[n%len(environments)]
		id := run(env, "q", fmt.Sprintf("of a %d", n))
		switch n % 5 {
		case 0:
			run(env, "update", id, "--claim")
		case 1:
			other.must("q", fmt.Sprintf("of b %d", n))
			other.sync()
		case 2:
			run(env, "sync", "--no-push", "--no-fetch") // so that there is something to unite
		}
		run(env, "sync")
		if n == 25 {
			c.startDaemon()
			c.serving()
		}
	}
	p.settle(c, other)
	c.stop()
	same(t, "the repository", before, state(t, c.dir))
	same(t, "the repository that the variables named", aside, state(t, decoy))
	if got := status(); got != shown {
		t.Errorf("git showed\n%s\nand shows\n%s", shown, got)
	}
	for _, dir := range []string{filepath.Join(c.dir, ".git"), filepath.Join(decoy, ".git"), p.bare} {
		if found := leftovers(t, dir); len(found) > 0 {
			t.Errorf("left behind: %q", found)
		}
	}
	if n := strings.Count(p.equal(c, other), "\n"); n != 60-1 {
		t.Errorf("%d issues, want 60", n+1)
	}
	p.git(c.dir, "-c", "core.fsmonitor=false", "fsck", "--strict")
}
