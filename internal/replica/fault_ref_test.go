package replica_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"beads/internal/replica"
	"beads/internal/workspace"
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

// Objects that a power loss emptied, and refs that name nothing, are made again.
func TestDamagedRef(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, dir string, objects []string){
		"objects emptied": func(t *testing.T, dir string, objects []string) {
			for _, path := range objects {
				must(t, os.Chmod(path, 0o600))
				must(t, os.Truncate(path, 0))
			}
		},
		"objects removed": func(t *testing.T, dir string, objects []string) {
			for _, path := range objects {
				must(t, os.Remove(path))
			}
		},
	} {
		for _, lost := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", database lost"}[lost], func(t *testing.T) {
				t.Parallel()
				_, all := sites(t, 2)
				a, b := all[0], all[1]
				a.create("one")
				a.share()
				before, err := filepath.Glob(filepath.Join(a.dir, ".git/objects/??/*"))
				must(t, err)
				a.create("two")
				if _, err := a.try(replica.SyncOptions{NoPush: true}); err != nil {
					t.Fatal(err)
				}
				after, err := filepath.Glob(filepath.Join(a.dir, ".git/objects/??/*"))
				must(t, err)
				var fresh []string
				for _, path := range after {
					if !strings.Contains(strings.Join(before, "\n"), path) {
						fresh = append(fresh, path)
					}
				}
				if len(fresh) < 5 {
					t.Fatalf("only %d objects are new", len(fresh))
				}
				damage(t, a.dir, fresh)
				if lost {
					must(t, os.Remove(filepath.Join(a.dir, ".beads/beads.db")))
				}
				a.create("three")
				r, err := a.try(replica.SyncOptions{})
				if err != nil || !r.Repaired || r.Unshared != 0 {
					t.Fatalf("after the damage: %+v, %v, %q", r, err, a.notices)
				}
				b.share()
				settle(t, a, b)
				equal(t, a, b)
				b.wantTitles("one", "two", "three")
				run(t, a.dir, "fsck")
			})
		}
	}
}

// The directory may vanish under an open workspace: the step restores it from
// the guard copy as any other call does.
func TestDirectoryRemoved(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 1)
	a := all[0]
	a.create("one")
	a.share()
	a.create("two")
	a.with(func(w *workspace.Workspace, r *replica.Replica) {
		must(t, os.RemoveAll(w.Place().Dir))
		if report, err := r.Sync(t.Context(), replica.SyncOptions{}); err != nil || report.Pushed != 1 {
			t.Errorf("sync after the directory was removed: %+v, %v", report, err)
		}
	})
	a.wantTitles("one", "two")
}

// Damage that nothing would meet is found by a step that is told to look.
func TestLook(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 1)
	a := all[0]
	users, err := filepath.Glob(filepath.Join(a.dir, ".git/objects/??/*"))
	must(t, err)
	a.create("one")
	a.share()
	look := func() replica.Report {
		t.Helper()
		r, err := a.try(replica.SyncOptions{Look: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := look(); !r.Quiet() {
		t.Errorf("sound, but: %+v", r)
	}
	objects, err := filepath.Glob(filepath.Join(a.dir, ".git/objects/??/*"))
	must(t, err)
	for _, path := range objects {
		if slices.Contains(users, path) {
			continue
		}
		must(t, os.Chmod(path, 0o600))
		must(t, os.Truncate(path, 0))
	}
	if r := look(); !r.Repaired || r.Unshared != 0 {
		t.Errorf("damaged: %+v", r)
	}
	if r := look(); r.Repaired {
		t.Errorf("repaired twice: %+v", r)
	}
	run(t, a.dir, "fsck")
}

// With log, guard copy and database gone, everything comes back from the ref.
func TestRebuildFromTheRef(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 1)
	a := all[0]
	a.create("one", "two")
	a.sync() // nobody said to share: the ref is a copy all the same
	want := a.export()
	must(t, os.RemoveAll(filepath.Join(a.dir, ".beads")))
	must(t, os.RemoveAll(filepath.Join(a.dir, ".git/beads")))
	a.init()
	if got := a.export(); got != want {
		t.Errorf("came back as\n%s\nwant\n%s", got, want)
	}
	// And after the log and the guard copy were emptied and the database lost.
	for _, path := range []string{".beads/issues.jsonl", ".git/beads/issues.jsonl"} {
		must(t, os.Truncate(filepath.Join(a.dir, path), 0))
	}
	must(t, os.Remove(filepath.Join(a.dir, ".beads/beads.db")))
	if got := a.export(); got != want {
		t.Errorf("came back as\n%s\nwant\n%s", got, want)
	}
	log, err := os.ReadFile(filepath.Join(a.dir, ".beads/issues.jsonl"))
	if err != nil || strings.Count(string(log), "\n") != 3 {
		t.Errorf("the log has %d lines, want 3; %v", strings.Count(string(log), "\n"), err)
	}
	if r := a.sync(); r.Published != 0 || r.Restored != 0 {
		t.Errorf("after the rebuild: %+v", r)
	}
}

// A ref that names no commit is refused, by who begins from it too, and all goes on
// when the remote has the right one again.
func TestNoCommitOnTheRef(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"^{tree}", ":format.json"} {
		t.Run(what, func(t *testing.T) {
			bare, all := sites(t, 3)
			a, b, c := all[0], all[1], all[2]
			a.create("one")
			a.share()
			b.share()
			settle(t, a, b)
			good := ref(bare, replica.LocalRef)
			a.create("two")
			run(t, bare, "update-ref", replica.LocalRef, run(t, bare, "rev-parse", good+what))
			for _, s := range all {
				if _, err := s.try(replica.SyncOptions{Join: true}); !errors.Is(err, replica.ErrForeign) {
					t.Errorf("%s: %v", s.actor, err)
				}
			}
			run(t, bare, "update-ref", replica.LocalRef, good)
			settle(t, all...)
			equal(t, all...)
			c.wantTitles("one", "two")
		})
	}
}
