package git

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A repository that cannot be looked at is not taken for none: the workspace in
// it would be opened without its guard copy.
func TestUnreadableIsNotAbsent(t *testing.T) {
	for _, part := range []string{".git", ".git/objects", ".git/refs", ".git/commondir"} {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, sub := range []string{"objects", "refs"} {
			if err := os.MkdirAll(filepath.Join(dir, ".git", sub), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, ".git", "HEAD"), []byte("ref: refs/heads/main\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, part)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, path); err != nil { // whoever follows it gets ELOOP
			t.Fatal(err)
		}
		_, err = Find(dir, OwnerCheck{UID: os.Getuid(), Getenv: func(string) string { return "" }})
		if !errors.Is(err, syscall.ELOOP) || errors.Is(err, ErrNotRepository) {
			t.Errorf("%s in a loop: %v", part, err)
		}
	}
}

// A git that answers what no git answers is an error, whatever is made of the
// answer later on.
func TestNonsense(t *testing.T) {
	program := filepath.Join(t.TempDir(), "git")
	for _, answer := range []string{"x", "8f3c", "\x00\x01 \x02", "\n \n8f"} {
		executable(t, program, "#!/bin/sh\nprintf '"+answer+"'\n")
		r := &Runner{GitDir: t.TempDir(), Program: program}
		var failure *Error
		if refs, err := r.Refs(t.Context(), "refs/beads/"); !errors.As(err, &failure) {
			t.Errorf("refs %q: %q, %v", answer, refs, err)
		}
		if roots, err := r.Roots(t.Context(), "tip", ""); !errors.As(err, &failure) {
			t.Errorf("roots %q: %q, %v", answer, roots, err)
		}
		if base, err := r.MergeBase(t.Context(), "a", "b"); !errors.As(err, &failure) {
			t.Errorf("merge base %q: %q, %v", answer, base, err)
		}
	}
}
