package replica_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"beads/internal/replica"
)

// A power loss may leave the file of a ref empty or full of NULs. Git then
// refuses to publish, to fetch and to collect garbage. Ours are made again, and
// nobody else's are touched.
func TestBrokenRef(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"emptied": "", "NULs": strings.Repeat("\x00", 41), "half": "9f3a1c02", "garbage": "garbage\n"} {
		for _, ref := range []string{"refs/beads/ops", "refs/beads/remotes/origin/ops"} {
			t.Run(ref+" "+name, func(t *testing.T) {
				t.Parallel()
				_, all := sites(t, 2)
				a, b := all[0], all[1]
				a.create("one")
				a.share()
				b.share()
				settle(t, a, b)
				must(t, os.WriteFile(filepath.Join(a.dir, ".git", ref), []byte(text), 0o600))
				a.create("two")
				b.create("three")
				settle(t, b)
				if r, err := a.try(replica.SyncOptions{}); err != nil || !r.Repaired || r.Unshared != 0 {
					t.Fatalf("sync: %+v, %v, %q", r, err, a.notices)
				}
				settle(t, a, b)
				equal(t, a, b)
				a.wantTitles("one", "two", "three")
				run(t, a.dir, "fsck", "--strict")
				run(t, a.dir, "gc", "--quiet")
				users := filepath.Join(a.dir, ".git", "refs", "heads", "broken")
				must(t, os.WriteFile(users, []byte(text), 0o600))
				a.create("four")
				if r, err := a.try(replica.SyncOptions{Look: true}); err == nil {
					t.Logf("git did not mind the user's broken ref: %+v", r)
				}
				if left, err := os.ReadFile(users); err != nil || string(left) != text {
					t.Errorf("the user's ref is %q, %v", left, err)
				}
			})
		}
	}
}
