package git

import (
	"path/filepath"
	"strings"
	"testing"
)

// The tracking ref follows what was pushed, however the remote is configured and
// wherever the ref was kept.
func TestPushTracked(t *testing.T) {
	const tracking = "refs/beads/remotes/origin/test"
	for what, prepare := range map[string]func(t *testing.T, r *Runner){
		"plain": func(*testing.T, *Runner) {},
		"everything is fetched elsewhere": func(t *testing.T, r *Runner) {
			runGit(t, r.Dir, "config", "remote.origin.fetch", "+refs/*:refs/elsewhere/*")
		},
		"a mirror": func(t *testing.T, r *Runner) { runGit(t, r.Dir, "config", "remote.origin.mirror", "true") },
		"packed":   func(t *testing.T, r *Runner) { runGit(t, r.Dir, "pack-refs", "--all") },
	} {
		r := newRunner(t)
		bare := filepath.Join(filepath.Dir(r.Dir), "bare.git")
		runGit(t, r.Dir, "init", "--quiet", "--bare", bare)
		runGit(t, r.Dir, "remote", "add", "origin", bare)
		old := ""
		for _, content := range []string{"1\n", "2\n"} {
			var parents []string
			if old != "" {
				parents = []string{old}
			}
			next := mustCommit(t, r, map[string]string{"a": content}, parents...)
			prepare(t, r)
			if err := r.PushTracked(t.Context(), "origin", next, testRef, tracking, old); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			tips, err := r.Tips(t.Context(), tracking)
			there := strings.TrimSpace(runGit(t, bare, "rev-parse", testRef))
			if err != nil || tips[tracking] != next || there != next {
				t.Errorf("%s: pushed %s, the tracking ref is %v, %v; there it is %s", what, next, tips, err, there)
			}
			old = next
		}
		if refs := runGit(t, bare, "for-each-ref", "--format=%(refname)"); refs != testRef+"\n" {
			t.Errorf("%s: the remote got %q", what, refs)
		}
	}
}
