package replica_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"beads/internal/replica"
)

// apart makes two clones whose refs have diverged: each has published what the
// other has not.
func apart(t *testing.T) (bare string, a, b *site) {
	t.Helper()
	bare, all := sites(t, 2)
	a, b = all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	settle(t, a, b)
	a.create("of a")
	b.create("of b")
	for _, s := range []*site{a, b} {
		if _, err := s.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
			t.Fatal(err)
		}
	}
	return bare, a, b
}

// A plain git merge of two histories has no conflict and is accepted.
func TestMergeByHand(t *testing.T) {
	t.Parallel()
	bare, a, b := apart(t)
	top := filepath.Dir(bare)
	run(t, top, "init", "-q", "hand")
	hand := filepath.Join(top, "hand")
	run(t, hand, "fetch", "-q", a.dir, replica.LocalRef+":refs/heads/mine")
	run(t, hand, "fetch", "-q", b.dir, replica.LocalRef+":refs/heads/other")
	run(t, hand, "checkout", "-q", "mine")
	run(t, hand, "merge", "-q", "-m", "by hand", "other")
	run(t, hand, "push", "-q", bare, "mine:"+replica.LocalRef)
	merged := ref(hand, "mine")
	if r := a.sync(); r.Fetched != 1 || r.Published != 0 || r.Pushed != 0 {
		t.Errorf("after a merge by hand: %+v", r)
	}
	b.sync()
	equal(t, a, b)
	a.wantTitles("one", "of a", "of b")
	if ref(a.dir, replica.LocalRef) != merged || ref(b.dir, replica.LocalRef) != merged {
		t.Error("the merge was not taken over as it is")
	}
}

// Where the other history has all that ours has, ours becomes it, and no union
// commit is made.
func TestNoNeedlessUnion(t *testing.T) {
	t.Parallel()
	_, a, b := apart(t)
	mine := ref(a.dir, replica.LocalRef)
	a.sync()
	b.sync() // a union
	run(t, a.dir, "fetch", "-q", "--refmap=", "origin", replica.LocalRef)
	same := run(t, a.dir, "commit-tree", "-m", "the same by another way", "-p", mine, "FETCH_HEAD^{tree}")
	run(t, a.dir, "update-ref", replica.LocalRef, same)
	if r := a.sync(); r.Pushed != 0 || r.Published != 0 {
		t.Errorf("nothing was to be pushed: %+v", r)
	}
	if x, y := ref(a.dir, replica.LocalRef), ref(b.dir, replica.LocalRef); x != y {
		t.Errorf("refs are %s and %s", x, y)
	}
	equal(t, a, b)
}

// consolidate replaces all batch files of a ref by one a day, as a later version
// of bd will. With lie, the new file lacks the last line.
func consolidate(t *testing.T, repo string, lie bool) (old []string) {
	t.Helper()
	files, lines := map[string]string{}, []string{}
	for _, path := range strings.Fields(run(t, repo, "ls-tree", "-r", "--name-only", replica.LocalRef, "ops")) {
		old = append(old, path)
		files[path] = ""
		lines = append(lines, strings.Split(strings.TrimSpace(run(t, repo, "cat-file", "-p", replica.LocalRef+":"+path)), "\n")...)
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if lie {
		lines = lines[:len(lines)-1]
	}
	content := strings.Join(lines, "\n") + "\n"
	name := fmt.Sprintf("%s-%x.jsonl", lines[0][7:33], sha256.Sum256([]byte(content)))[:26+1+16] + ".jsonl"
	list := strings.Join(old, "\n") + "\n\n" + name + "\n"
	day := "ops/2026-11/23/"
	files[day+name] = content
	files[day+fmt.Sprintf("%x", sha256.Sum256([]byte(list)))[:16]+".supersedes"] = list
	plant(t, repo, replica.LocalRef, files)
	return old
}

// Files that were consolidated are not brought back by a clone that was away.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	for _, lie := range []bool{false, true} {
		t.Run(fmt.Sprintf("lie=%v", lie), func(t *testing.T) {
			bare, a, b := apart(t)
			a.sync()
			old := consolidate(t, bare, lie)
			before := len(old)
			b.sync() // has the old files and one that is new
			a.sync()
			settle(t, a, b)
			equal(t, a, b)
			a.wantTitles("one", "of a", "of b")
			files := strings.Fields(run(t, bare, "ls-tree", "-r", "--name-only", replica.LocalRef, "ops"))
			back := 0
			for _, path := range files {
				if slices.Contains(old, path) {
					back++
				}
			}
			if !lie && back > 0 {
				t.Errorf("%d of %d consolidated files came back: %q", back, before, files)
			}
			if lie && back == 0 {
				t.Errorf("files were dropped whose lines are not all in the new ones: %q", files)
			}
			// Whoever begins from the ref alone has everything.
			c := newSite(t, filepath.Dir(bare), bare, "c")
			if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
				t.Fatal(err)
			}
			c.wantTitles("one", "of a", "of b")
		})
	}
}

// A list is believed only as far as its lines fit in memory, beside those of others or
// alone: whoever may push could name very many, again and again.
func TestSupersededByTooMuch(t *testing.T) {
	t.Parallel()
	for lists, back := range map[int]bool{1: true, 2: false} { // together more than is held at once
		t.Run(fmt.Sprint(lists), func(t *testing.T) {
			bare, a, b := apart(t)
			a.sync()
			old := consolidate(t, bare, false)
			day := "ops/2026-11/23/"
			files := map[string]string{day + "padding.jsonl": strings.Repeat("x", 80<<20/lists) + "\n"}
			for _, path := range strings.Fields(run(t, bare, "ls-tree", "-r", "--name-only", replica.LocalRef, day)) {
				if strings.HasSuffix(path, ".supersedes") {
					list := run(t, bare, "cat-file", "-p", replica.LocalRef+":"+path) + "\npadding.jsonl\n"
					for n := range lists {
						files[fmt.Sprintf("%s%d.supersedes", day, n)] = strings.Repeat("ops/2026-11/23/x\n", n) + list
					}
					files[path] = ""
				}
			}
			plant(t, bare, replica.LocalRef, files)
			b.sync()
			settle(t, a, b)
			equal(t, a, b)
			a.wantTitles("one", "of a", "of b")
			now := strings.Fields(run(t, bare, "ls-tree", "-r", "--name-only", replica.LocalRef, "ops"))
			if slices.Contains(now, old[0]) != back {
				t.Errorf("%s is there: %v", old[0], !back)
			}
		})
	}
}

// What the remote has in the place of directories and files of ours takes nothing
// away from them.
func TestPathsInTheWay(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]func(ours string) map[string]string{
		"a file where a directory is":        func(string) map[string]string { return map[string]string{"ops": "x\n"} },
		"files where files are":              func(ours string) map[string]string { return map[string]string{ours + "/x/y.jsonl": "x\n"} },
		"a file where an inner directory is": func(ours string) map[string]string { return map[string]string{filepath.Dir(ours): "x\n"} },
	} {
		t.Run(name, func(t *testing.T) {
			bare, a, b := apart(t)
			had := strings.Fields(run(t, bare, "ls-tree", "-r", "--name-only", replica.LocalRef, "ops"))
			var ours string // that only a has
			for _, path := range strings.Fields(run(t, a.dir, "ls-tree", "-r", "--name-only", replica.LocalRef, "ops")) {
				if !slices.Contains(had, path) {
					ours = path
				}
			}
			plant(t, bare, replica.LocalRef, files(ours))
			a.sync()
			settle(t, a, b)
			equal(t, a, b)
			c := newSite(t, filepath.Dir(bare), bare, "c")
			if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
				t.Fatal(err)
			}
			c.wantTitles("one", "of a", "of b")
		})
	}
}

// A tree may have names in it that git writes into none. They stop nobody.
func TestNamesThatNoTreeHas(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"A//b", "..", ".git"} {
		t.Run(name, func(t *testing.T) {
			bare, a, b := apart(t)
			tip := ref(bare, replica.LocalRef)
			blob := run(t, bare, "rev-parse", tip+":format.json")
			id, err := hex.DecodeString(blob)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := exec.Command("git", "-C", bare, "cat-file", "tree", tip+"^{tree}").Output()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "tree")
			if err := os.WriteFile(file, slices.Concat([]byte("100644 "+name+"\x00"), id, tree), 0o600); err != nil {
				t.Fatal(err)
			}
			made := run(t, bare, "hash-object", "-w", "-t", "tree", "--literally", file)
			run(t, bare, "update-ref", replica.LocalRef, run(t, bare, "commit-tree", "-m", "x", "-p", tip, made))
			a.sync()
			settle(t, a, b)
			equal(t, a, b)
			a.wantTitles("one", "of a", "of b")
		})
	}
}

// Many processes may sync one workspace at once.
func TestSyncsOfOneWorkspace(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			// A site of its own: the clock of one is not shared.
			twin := &site{t: t, dir: a.dir, actor: fmt.Sprintf("a%d", n), now: a.now}
			for range 3 {
				twin.create("of " + twin.actor)
				twin.sync()
			}
		})
	}
	wait.Wait()
	settle(t, a, b)
	equal(t, a, b)
	if n := len(b.titles()); n != 13 {
		t.Errorf("%d issues, want 13", n)
	}
}
