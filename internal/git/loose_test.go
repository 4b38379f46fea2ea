package git

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answers are what a runner says to the questions that loose objects answer.
func answers(t *testing.T, r *Runner, from, to string) (string, error) {
	t.Helper()
	roots, err := r.Roots(t.Context(), to, from)
	if err != nil {
		return "", err
	}
	base, err := r.MergeBase(t.Context(), from, to)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintln(roots, base)
	var ids []string
	err = r.Diff(t.Context(), from, to, func(c TreeChange) error {
		said += fmt.Sprintf("%c %s %s %s %q\n", c.Status, c.Mode, c.ID, c.Old, c.Path)
		if c.Regular() {
			ids = append(ids, c.ID)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return said, r.Blobs(t.Context(), ids, func(n int, size int64, content io.Reader) error {
		text, err := io.ReadAll(content)
		said += fmt.Sprintf("%d %d %q\n", n, size, text)
		return err
	})
}

// What is read of loose objects is what git says, and no git is run for it.
func TestLooseObjects(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		r := newRunner(t)
		if format == "sha256" {
			dir := filepath.Dir(r.Dir)
			r = &Runner{GitDir: filepath.Join(dir, "sha256.git"), Env: r.Env}
			runGit(t, dir, "init", "--quiet", "--bare", "--object-format=sha256", r.GitDir)
		}
		commits := []string{mustCommit(t, r, map[string]string{"a": "1\n", "b/c": "2\n", "b/d/e": "3\n", "b.c": "4\n", "f/g": "5\n"})}
		for _, files := range []map[string]string{
			{"b/d/x": "new\n"},
			{"a": "changed\n", "b/d/e": "changed\n", "z/y/x": ""},
			{"f": "a directory became a file\n", "b-": "", "b0": "between b and b/\n"},
			{"a/b": "a file became a directory\n"},
			{},
		} {
			parent := commits[len(commits)-1]
			commits = append(commits, mustCommit(t, r, files, parent))
		}
		loose := *r
		loose.Program = filepath.Join(t.TempDir(), "none")
		before := map[[2]int]string{}
		for i := range commits {
			for j := range commits {
				if i >= j {
					continue
				}
				text, err := answers(t, &loose, commits[i], commits[j])
				if err != nil {
					t.Fatalf("%s: from commit %d to %d: %v", format, i, j, err)
				}
				before[[2]int{i, j}] = text
			}
		}
		runGit(t, r.GitDir, "--git-dir="+r.GitDir, "repack", "-a", "-d", "-q")
		if _, err := answers(t, &loose, commits[0], commits[1]); err == nil {
			t.Fatal("packed objects were read without git")
		}
		for at, want := range before {
			got, err := answers(t, r, commits[at[0]], commits[at[1]])
			if err != nil || got != want {
				t.Errorf("%s: from commit %d to %d git says\n%s%v\nand the loose objects\n%s", format, at[0], at[1], got, err, want)
			}
		}
	}
}

// An object that is not what its name says is not believed, nor one that a git
// of ours does not write; git is asked.
func TestLooseObjectsAreDoubted(t *testing.T) {
	r := newRunner(t)
	root := mustCommit(t, r, map[string]string{"a": "1\n", "b": "2\n"})
	next := mustCommit(t, r, map[string]string{"a": "3\n"}, root)
	file := func(id string) string { return filepath.Join(r.GitDir, "objects", id[:2], id[2:]) }
	one := strings.TrimSpace(runGit(t, r.Dir, "rev-parse", root+":a"))
	two := strings.TrimSpace(runGit(t, r.Dir, "rev-parse", root+":b"))
	other, err := os.ReadFile(file(two))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file(one))
	if err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{"another's": other, "half": whole[:len(whole)/2], "nothing": nil} {
		if err := os.Chmod(file(one), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file(one), content, 0o644); err != nil {
			t.Fatal(err)
		}
		if found, err := r.loose().blobs([]string{one}); err == nil {
			t.Errorf("%s content: %q was believed", what, found)
		}
	}
	link := strings.TrimSpace(runGit(t, r.Dir, "rev-parse", next+":a"))
	before := strings.TrimSpace(runGit(t, r.Dir, "write-tree"))
	runGit(t, r.Dir, "update-index", "--add", "--cacheinfo", "120000,"+link+",l")
	tree := strings.TrimSpace(runGit(t, r.Dir, "write-tree"))
	if found, err := r.loose().diff(before, tree); err == nil {
		t.Errorf("a tree with a symbolic link: %v", found)
	}
	seen := map[string]string{}
	err = r.Diff(t.Context(), before, tree, func(c TreeChange) error { seen[c.Path] = c.Mode; return nil })
	if err != nil || len(seen) != 1 || seen["l"] != "120000" {
		t.Errorf("git says %v, %v", seen, err)
	}
}
