package git

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// A ref is what git says it is, wherever it is kept.
func TestTips(t *testing.T) {
	t.Parallel()
	const one, other = "refs/beads/ops", "refs/beads/remotes/origin/ops"
	loose := func(r *Runner, ref string) string { return filepath.Join(r.GitDir, ref) }
	for name, arrange := range map[string]func(t *testing.T, r *Runner, id string){
		"loose":              func(t *testing.T, r *Runner, id string) {},
		"packed":             func(t *testing.T, r *Runner, id string) { runGit(t, r.Dir, "pack-refs", "--all") },
		"one loose, one not": func(t *testing.T, r *Runner, id string) { runGit(t, r.Dir, "update-ref", "-d", other) },
		"none": func(t *testing.T, r *Runner, id string) {
			runGit(t, r.Dir, "update-ref", "-d", one)
			runGit(t, r.Dir, "update-ref", "-d", other)
		},
		"packed, and moved since": func(t *testing.T, r *Runner, id string) {
			runGit(t, r.Dir, "pack-refs", "--all")
			runGit(t, r.Dir, "update-ref", one, "main^{tree}")
		},
		"symbolic": func(t *testing.T, r *Runner, id string) { runGit(t, r.Dir, "symbolic-ref", one, "refs/heads/main") },
		"a symbolic link": func(t *testing.T, r *Runner, id string) {
			if err := os.Remove(loose(r, one)); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("refs/heads/main", loose(r, one)); err != nil {
				t.Fatal(err)
			}
		},
		"emptied by a power loss": func(t *testing.T, r *Runner, id string) {
			if err := os.Truncate(loose(r, one), 0); err != nil {
				t.Fatal(err)
			}
		},
		"in an older form, with a blank": func(t *testing.T, r *Runner, id string) {
			if err := os.WriteFile(loose(r, one), []byte(id+" \n"), 0o644); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			id := mustCommit(t, r, map[string]string{"a": "1\n"})
			runGit(t, r.Dir, "update-ref", one, id)
			runGit(t, r.Dir, "update-ref", other, id)
			arrange(t, r, id)
			want, wantErr := r.Refs(t.Context(), one, other)
			got, err := r.Tips(t.Context(), one, other)
			if !maps.Equal(got, want) || (err == nil) != (wantErr == nil) {
				t.Errorf("tips are %v, %v; git says %v, %v", got, err, want, wantErr)
			}
		})
	}
}
