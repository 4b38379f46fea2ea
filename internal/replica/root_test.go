package replica_test

import (
	"testing"

	"beads/internal/replica"
)

// Clones that publish first at the same time must make the same first commit,
// also of different versions of bd: these names never change.
func TestRootIsPinned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format string
		length int
		want   string
	}{
		{"sha1", 40, "458f53df76c62471a0cf24666fef4849265d861b"},
		{"sha256", 64, "5b5dc24d8a4ec78432e8b8713e9064b6ef1c00ec53d1d3e1e9ce6432550b83fd"},
	} {
		t.Run(c.format, func(t *testing.T) {
			top := scratch(t)
			bare := newRemote(t, top, "--object-format="+c.format)
			s := newSite(t, top, bare, "a")
			s.create("one")
			s.share()
			if got := run(t, bare, "rev-list", "--max-parents=0", replica.LocalRef); got != c.want {
				t.Errorf("git made root %s, want %s", got, c.want)
			}
			if got := replica.RootID(c.length); got != c.want {
				t.Errorf("computed root %s, want %s", got, c.want)
			}
			other := newSite(t, top, bare, "b")
			if _, err := other.try(replica.SyncOptions{Join: true}); err != nil {
				t.Fatal(err)
			}
			other.create("two")
			settle(t, s, other)
			equal(t, s, other)
		})
	}
}
