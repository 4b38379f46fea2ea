package replica_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"beads/internal/replica"
)

// join makes another clone from the ref alone, and fails unless it has everything.
func join(t *testing.T, bare string, titles ...string) {
	t.Helper()
	c := newSite(t, filepath.Dir(bare), bare, "c")
	if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
		t.Fatal(err)
	}
	c.wantTitles(titles...)
}

// onlyIn is the file that one repository has on the ref and another has not.
func onlyIn(t *testing.T, repo, other string) (path, content string) {
	t.Helper()
	files := func(repo string) []string {
		return strings.Fields(run(t, repo, "ls-tree", "-r", "--name-only", replica.LocalRef, "interactions", "ops"))
	}
	had := files(other)
	for _, path := range files(repo) {
		if !slices.Contains(had, path) {
			return path, run(t, repo, "cat-file", "-p", replica.LocalRef+":"+path)
		}
	}
	t.Fatal("there is none")
	return "", ""
}

// publish makes an issue and a batch file of it, and tells no remote.
func publish(t *testing.T, s *site, title string) {
	t.Helper()
	s.create(title)
	if _, err := s.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
		t.Fatal(err)
	}
}

// A list takes no file away in favour of one that nobody reads as lines.
func TestSupersededByNoBatch(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"united", "forward"} {
		t.Run(how, func(t *testing.T) {
			bare, a, b := apart(t)
			path, lines := onlyIn(t, a.dir, bare)
			publish(t, a, "more of a") // which the remote has not
			files := map[string]string{"ops/2026-11/23/lines": lines, "ops/2026-11/23/x.supersedes": path + "\n\nlines\n"}
			if how == "forward" {
				a.sync()
				files[path] = ""
			}
			plant(t, bare, replica.LocalRef, files)
			a.sync()
			settle(t, a, b)
			equal(t, a, b)
			join(t, bare, "one", "of a", "of b", "more of a")
		})
	}
}

// Nor does it in favour of one that is read as lines of the other stream.
func TestSupersededByOtherStream(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	for _, s := range all {
		s.replicates(true)
		s.create("of " + s.actor)
		s.share()
	}
	settle(t, a, b)
	a.record("of a")
	publish(t, a, "more of a")
	path, lines := onlyIn(t, a.dir, bare)
	if !strings.HasPrefix(path, "interactions/") {
		t.Fatalf("first is %s", path)
	}
	const day = "ops/2026-11/23/"
	plant(t, bare, replica.LocalRef, map[string]string{day + "lines.jsonl": lines, day + "x.supersedes": path + "\n\nlines.jsonl\n"})
	settle(t, a, b)
	equal(t, a, b)
	if x, y := a.interactions(), b.interactions(); len(x) != 1 || !slices.Equal(x, y) {
		t.Errorf("a has %q, b %q", x, y)
	}
}

// Two lists that name each other's files as old take only one of them away.
func TestSupersededByEachOther(t *testing.T) {
	t.Parallel()
	bare, a, b := apart(t)
	const day = "ops/2026-11/23/"
	path, lines := onlyIn(t, a.dir, bare)
	// a is told that what will come as new.jsonl is in old.jsonl, which it has ...
	plant(t, bare, replica.LocalRef, map[string]string{
		day + "a.supersedes": path + "\n" + day + "new.jsonl\n\nold.jsonl\n", day + "old.jsonl": lines,
	})
	a.sync()
	publish(t, a, "later") // so that there is something to unite
	// ... and then that old.jsonl is in new.jsonl.
	plant(t, bare, replica.LocalRef, map[string]string{
		day + "b.supersedes": day + "old.jsonl\n" + path + "\n\nnew.jsonl\n", day + "new.jsonl": lines,
		day + "old.jsonl": "", path: "",
	})
	a.sync()
	settle(t, a, b)
	equal(t, a, b)
	join(t, bare, "one", "of a", "of b", "later")
}
