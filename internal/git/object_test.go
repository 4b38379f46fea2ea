package git

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const testRef = "refs/beads/test"

var nobody = Person{Name: "n", Email: "n@invalid", At: time.Unix(1, 0)}

// commitTo makes a commit with these files on parents.
func commitTo(t *testing.T, r *Runner, files map[string]string, parents ...string) (string, error) {
	t.Helper()
	return r.Import(t.Context(), func(im *Importer) (string, error) {
		c := Commit{Ref: testRef, By: nobody, Message: "m\n", Parents: parents}
		for path, content := range files {
			blob, err := im.Blob([]byte(content))
			if err != nil {
				return "", err
			}
			c.Files = append(c.Files, File{path, blob})
		}
		return im.Commit(c)
	})
}

func mustCommit(t *testing.T, r *Runner, files map[string]string, parents ...string) string {
	t.Helper()
	id, err := commitTo(t, r, files, parents...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestObjects(t *testing.T) {
	r := newRunner(t)
	odd := "ops/\"quoted\" \\ and é\n.jsonl"
	root := mustCommit(t, r, map[string]string{"a": "1\n", odd: "2\n"})
	if next, err := commitTo(t, r, nil); err == nil {
		t.Errorf("a second root %s took the place of %s", next, root)
	}
	next := mustCommit(t, r, map[string]string{"b": "3\n", "a": "4\n"}, root)
	seen := map[string]byte{}
	var ids []string
	err := r.Diff(t.Context(), root, next, func(c TreeChange) error {
		seen[c.Path] = c.Status
		ids = append(ids, c.ID)
		return nil
	})
	if err != nil || fmt.Sprint(seen) != fmt.Sprint(map[string]byte{"a": 'M', "b": 'A'}) {
		t.Errorf("differences %v, %v", seen, err)
	}
	var contents []string
	err = r.Blobs(t.Context(), ids, func(n int, size int64, content io.Reader) error {
		data, err := io.ReadAll(io.LimitReader(content, int64(1+n))) // not all of it
		contents = append(contents, fmt.Sprintf("%d %d %q", n, size, data))
		return err
	})
	if want := `[0 2 "4" 1 2 "3\n"]`; err != nil || fmt.Sprint(contents) != want {
		t.Errorf("blobs %v, %v, want %s", contents, err, want)
	}
	clear(seen)
	err = r.Diff(t.Context(), "", next, func(c TreeChange) error { seen[c.Path] = c.Status; return nil })
	if err != nil || len(seen) != 3 || seen[odd] != 'A' {
		t.Errorf("the whole tree is %v, %v", seen, err)
	}
	if roots, err := r.Roots(t.Context(), next, ""); err != nil || len(roots) != 1 || roots[0] != root {
		t.Errorf("roots %v, %v", roots, err)
	}
	if roots, err := r.Roots(t.Context(), next, root); err != nil || len(roots) != 0 {
		t.Errorf("roots since the root %v, %v", roots, err)
	}
	missing := strings.Repeat("1", 40)
	if roots, err := r.Roots(t.Context(), next, missing); err != nil || len(roots) != 1 {
		t.Errorf("roots since a missing commit %v, %v", roots, err)
	}
	if err := r.Diff(t.Context(), missing, next, func(TreeChange) error { return nil }); !errors.Is(err, ErrMissing) {
		t.Errorf("differences to a missing commit: %v", err)
	}
	if err := r.Blobs(t.Context(), []string{missing}, nil); !errors.Is(err, ErrMissing) {
		t.Errorf("a missing blob: %v", err)
	}
	main := strings.TrimSpace(runGit(t, r.Dir, "rev-parse", "main"))
	for _, c := range [][3]string{{root, next, root}, {next, root, root}, {next, main, ""}} {
		if base, err := r.MergeBase(t.Context(), c[0], c[1]); err != nil || base != c[2] {
			t.Errorf("merge base %q, %v, want %q", base, err, c[2])
		}
	}
	if !r.Sound(t.Context(), next) || r.Sound(t.Context(), missing) {
		t.Error("Sound is wrong")
	}
	stop := errors.New("stop")
	if err := r.Diff(t.Context(), "", next, func(TreeChange) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of the reader: %v", err)
	}
}

// The parent is the compare-and-swap: who built on what is no longer the tip is
// refused, and nothing is left behind by who is refused or breaks off.
func TestImportIsCompareAndSwap(t *testing.T) {
	r := newRunner(t)
	root := mustCommit(t, r, map[string]string{"a": "1\n"})
	first := mustCommit(t, r, map[string]string{"b": "1\n"}, root)
	if _, err := commitTo(t, r, map[string]string{"c": "1\n"}, root); !errors.Is(err, ErrStale) {
		t.Errorf("a stale parent: %v, want ErrStale", err)
	}
	stop := errors.New("stop")
	_, err := r.Import(t.Context(), func(im *Importer) (string, error) {
		if _, err := im.Blob(make([]byte, 1<<20)); err != nil {
			return "", err
		}
		if _, err := im.Commit(Commit{Ref: testRef, By: nobody, Message: "m\n", Parents: []string{first}}); err != nil {
			return "", err
		}
		return "", stop
	})
	if !errors.Is(err, stop) {
		t.Errorf("an input that broke off: %v, want %v", err, stop)
	}
	refs, err := r.Refs(t.Context(), "refs/beads/")
	if err != nil || refs[testRef] != first {
		t.Errorf("refs %v, %v, want %s", refs, err, first)
	}
	for _, pattern := range []string{"fast_import_crash_*", "objects/pack/tmp_*", "objects/??/tmp_*", "refs/beads/*.lock"} {
		if found, _ := filepath.Glob(filepath.Join(r.GitDir, pattern)); len(found) > 0 {
			t.Errorf("left behind: %q", found)
		}
	}
	for name, changes := range map[string][]RefChange{
		"stale value":    {{testRef, root, first}},
		"exists already": {{testRef, "", first}},
		"one of two":     {{"refs/beads/other", "", first}, {testRef, root, ""}},
	} {
		if err := r.UpdateRefs(t.Context(), changes...); !errors.Is(err, ErrStale) {
			t.Errorf("%s: %v, want ErrStale", name, err)
		}
	}
	if err := r.UpdateRefs(t.Context(), RefChange{"refs/beads/other", "", root}, RefChange{testRef, first, root}); err != nil {
		t.Error(err)
	}
	if err := r.UpdateRefs(t.Context(), RefChange{"refs/beads/other", root, ""}); err != nil {
		t.Error(err)
	}
	if refs, err := r.Refs(t.Context(), "refs/beads/"); err != nil || len(refs) != 1 || refs[testRef] != root {
		t.Errorf("refs %v, %v", refs, err)
	}
}

func TestTidy(t *testing.T) {
	r := newRunner(t)
	now := time.Now()
	ours, theirs := filepath.Join(r.GitDir, "fast_import_crash_1"), filepath.Join(r.GitDir, "fast_import_crash_2")
	write(t, ours, "fast-import crash report:\n  commit refs/beads/ops\n")
	write(t, theirs, "fast-import crash report:\n  commit refs/heads/main\n")
	old, fresh, foreign := filepath.Join(r.GitDir, "refs/beads/ops.lock"), filepath.Join(r.GitDir, "refs/beads/remotes/o/ops.lock"), filepath.Join(r.GitDir, "refs/heads/main.lock")
	for _, path := range []string{old, fresh, foreign} {
		write(t, path, "")
	}
	for _, path := range []string{old, foreign} {
		if err := os.Chtimes(path, now.Add(-time.Minute), now.Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	r.Tidy("refs/beads/", 10*time.Second, now)
	for path, want := range map[string]bool{ours: false, theirs: true, old: false, fresh: true, foreign: true} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: there is %v, want %v", path, err == nil, want)
		}
	}
}

// A temporary file that somebody has open is not ours to remove.
func TestResidue(t *testing.T) {
	r := newRunner(t)
	p := &process{pid: 7, started: time.Now()}
	dir := filepath.Join(r.GitDir, "objects", "pack")
	crash := filepath.Join(r.GitDir, "fast_import_crash_7")
	left, used, earlier := filepath.Join(dir, "tmp_pack_a"), filepath.Join(dir, "tmp_pack_b"), filepath.Join(dir, "tmp_idx_c")
	for _, path := range []string{left, used, earlier, crash} {
		write(t, path, "x")
	}
	hour := time.Now().Add(-time.Hour)
	if err := os.Chtimes(earlier, hour, hour); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(used)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r.removeResidue(p)
	for path, want := range map[string]bool{left: !unusedTold(), used: true, earlier: true, crash: false} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: there is %v, want %v", path, err == nil, want)
		}
	}
}

// unusedTold reports whether this system tells who has a file open.
func unusedTold() bool {
	f, err := os.CreateTemp("", "unused")
	if err != nil {
		return false
	}
	defer os.Remove(f.Name())
	return f.Close() == nil && unused(f.Name())
}
