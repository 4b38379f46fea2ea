package replica_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/replica"
)

// old makes two clones with a history of n files on a day long past, at both of
// them, and nothing else.
func old(t *testing.T, n int) (bare string, a, b *site) {
	t.Helper()
	bare, all := sites(t, 2)
	a, b = all[0], all[1]
	a.create("first")
	a.share()
	for i := range n - 2 { // b's first operation is a file of its own
		a.create(fmt.Sprintf("number %d", i))
		a.now = a.now.Add(time.Minute)
		if _, err := a.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
			t.Fatal(err)
		}
	}
	b.share()
	settle(t, a, b)
	return bare, a, b
}

// later moves the clock of sites far enough for everything to be old.
func later(all ...*site) {
	for _, s := range all {
		s.now = s.now.Add(10 * 24 * time.Hour)
	}
}

func tree(t testing.TB, repo string) []string {
	t.Helper()
	return strings.Split(run(t, repo, "ls-tree", "-r", replica.LocalRef, "ops"), "\n")
}

func TestConsolidation(t *testing.T) {
	t.Parallel()
	bare, a, b := old(t, 20)
	if files := len(tree(t, bare)); files != 20 {
		t.Fatalf("%d files before", files)
	}
	if r := a.sync(); r.Consolidated != 0 {
		t.Fatalf("consolidated on the same day: %+v", r)
	}
	later(a, b)
	r := a.sync()
	if r.Consolidated != 20 || r.Published != 0 || r.Fetched != 0 {
		t.Errorf("consolidation: %+v", r)
	}
	files := tree(t, bare)
	if len(files) != 2 {
		t.Errorf("files after it: %q", files)
	}
	if r = a.sync(); !r.Quiet() {
		t.Errorf("again: %+v", r)
	}
	// The other clone takes it over, and neither reads as new nor publishes.
	if r = b.sync(); r.Fetched != 0 || r.Published != 0 || r.Consolidated != 0 || r.Pushed != 0 {
		t.Errorf("the other clone: %+v", r)
	}
	if !slices.Equal(tree(t, b.dir), files) {
		t.Errorf("the other clone has %q", tree(t, b.dir))
	}
	equal(t, a, b)
	// Who begins from the ref alone has everything, and what comes later is
	// published as ever.
	c := newSite(t, filepath.Dir(bare), bare, "c")
	if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
		t.Fatal(err)
	}
	equal(t, a, c)
	b.create("later")
	if r = b.sync(); r.Published != 1 || r.Pushed != 1 {
		t.Errorf("afterwards: %+v", r)
	}
	settle(t, a, b)
	equal(t, a, b)
}

// Two clones that consolidate at once make the same files.
func TestConsolidatedTwice(t *testing.T) {
	t.Parallel()
	bare, a, b := old(t, 20)
	later(a, b)
	b.now = b.now.Add(3 * time.Hour)
	for _, s := range []*site{a, b} {
		if r, err := s.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil || r.Consolidated != 20 {
			t.Fatalf("%+v %v", r, err)
		}
	}
	if x, y := tree(t, a.dir), tree(t, b.dir); !slices.Equal(x, y) {
		t.Errorf("one made %q, the other %q", x, y)
	}
	settle(t, a, b)
	if x, y := ref(a.dir, replica.LocalRef), ref(b.dir, replica.LocalRef); x != y || len(tree(t, bare)) != 2 {
		t.Errorf("refs are %s and %s, files %q", x, y, tree(t, bare))
	}
	equal(t, a, b)
}

// A clone that was away publishes what it had, on that day too, and does not
// bring back what was consolidated meanwhile.
func TestConsolidatedWhileAway(t *testing.T) {
	t.Parallel()
	bare, a, b := old(t, 20)
	b.create("made in time, shared late")
	if _, err := b.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
		t.Fatal(err)
	}
	later(a, b)
	if r := a.sync(); r.Consolidated != 20 {
		t.Fatalf("%+v", r)
	}
	b.sync()
	settle(t, a, b)
	equal(t, a, b)
	if files := tree(t, bare); len(files) != 3 {
		t.Errorf("files: %q", files)
	}
	a.wantTitles(append(titles(18), "first", "made in time, shared late")...)
}

func titles(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("number %d", i))
	}
	return all
}

// A file with a line that is no operation stays as it is: the line is kept.
func TestUnreadableIsNotConsolidated(t *testing.T) {
	t.Parallel()
	bare, a, b := old(t, 20)
	plant(t, bare, replica.LocalRef, map[string]string{"ops/2026-11/23/04/04/rubbish.jsonl": "no operation\n"})
	later(a, b)
	if r := a.sync(); r.Consolidated != 20 || r.Quarantined != 1 {
		t.Errorf("%+v", r)
	}
	files := strings.Join(tree(t, bare), "\n")
	if !strings.Contains(files, "rubbish.jsonl") || strings.Count(files, "\n") != 2 {
		t.Errorf("files:\n%s", files)
	}
	settle(t, a, b)
	equal(t, a, b)
}

// What is recorded of the tree stays true: a lost database reads it again and
// publishes nothing twice.
func TestConsolidatedThenRebuilt(t *testing.T) {
	t.Parallel()
	bare, a, b := old(t, 18)
	later(a, b)
	a.sync()
	if err := os.Remove(a.place().DB); err != nil {
		t.Fatal(err)
	}
	if r := a.sync(); r.Published != 0 || r.Restored != 0 || r.Consolidated != 0 {
		t.Errorf("after the database was lost: %+v", r)
	}
	settle(t, a, b)
	equal(t, a, b)
	if files := tree(t, bare); len(files) != 2 {
		t.Errorf("files: %q", files)
	}
}

// Days that can never be consolidated, however many, do not keep others from it.
func TestHopelessDaysDoNotStarveOthers(t *testing.T) {
	t.Parallel()
	bare, a, b := old(t, 20)
	rubbish := map[string]string{}
	for day := range 70 { // more than one step takes on
		date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, day)
		for n := range 16 {
			rubbish[date.Format("ops/2006-01/02")+fmt.Sprintf("/00/%02d/rubbish.jsonl", n)] = fmt.Sprintf("no operation %d %d\n", day, n)
		}
	}
	plant(t, bare, replica.LocalRef, rubbish)
	later(a, b)
	if r := a.sync(); r.Consolidated != 20 {
		t.Errorf("%d files were consolidated, want the 20 of the day that can be", r.Consolidated)
	}
	if r := a.sync(); r.Consolidated != 0 || r.Published != 0 {
		t.Errorf("again: %+v", r)
	}
	settle(t, a, b)
	equal(t, a, b)
}
