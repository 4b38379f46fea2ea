package replica_test

import (
	"path/filepath"
	"testing"

	"beads/internal/replica"
)

// A publish that was prepared while the remote was asked is called off when the
// remote has something new: that comes first, so that no union is needed, and
// nothing is left of what was prepared.
func TestPublishAheadIsCalledOff(t *testing.T) {
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	settle(t, a, b)
	a.create("two")
	b.create("three")
	b.sync()
	if report := a.sync(); report.Fetched != 1 || report.Published != 1 || report.Pushed != 1 {
		t.Errorf("report %+v", report)
	}
	if n := run(t, bare, "rev-list", "--count", "--merges", replica.LocalRef); n != "0" {
		t.Errorf("%s union commits, want none", n)
	}
	for _, pattern := range []string{"fast_import_crash_*", "objects/pack/tmp_*", "objects/??/tmp_*"} {
		if left, err := filepath.Glob(filepath.Join(a.dir, ".git", pattern)); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
	settle(t, a, b)
	equal(t, a, b)
}
