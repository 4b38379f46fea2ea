package beadsjson

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		for line := range strings.Lines(s) {
			if _, err := io.WriteString(w, line); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestKeep(t *testing.T) {
	const one, two = "{\"id\":\"bd-1\"}\n", "{\"id\":\"bd-1\"}\n{\"id\":\"bd-2\"}\n"
	root := t.TempDir()
	path := filepath.Join("a", "b", "issues.jsonl")
	for _, step := range []struct {
		about, content string
		written        bool
	}{
		{"a new file and its directories", two, true},
		{"the same again", two, false},
		{"less", one, true},
		{"more", two, true},
		{"nothing at all", "", true},
		{"still nothing", "", false},
		{"something again", one, true},
	} {
		before, _ := os.Stat(filepath.Join(root, path))
		written, err := Keep(root, path, text(step.content))
		if err != nil || written != step.written {
			t.Fatalf("%s: written = %t, %v", step.about, written, err)
		}
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || string(got) != step.content {
			t.Fatalf("%s: %q, %v", step.about, got, err)
		}
		if after, err := os.Stat(filepath.Join(root, path)); !step.written && (err != nil || !os.SameFile(before, after) || before.ModTime() != after.ModTime()) {
			t.Errorf("%s: the file was touched", step.about)
		}
	}
	if _, err := Keep(root, path, func(w io.Writer) error {
		_ = text(two)(w)
		return errors.New("interrupted")
	}); err == nil {
		t.Error("no error of who writes")
	}
	entries, err := os.ReadDir(filepath.Dir(filepath.Join(root, path)))
	if err != nil || len(entries) != 1 {
		t.Errorf("something was left behind: %v %v", entries, err)
	}
}

func TestKeepRefuses(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	for link, target := range map[string]string{
		"way": outside, "inside": "dir", "last.jsonl": filepath.Join(outside, "x.jsonl"), "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"Makefile": "all:\n", "log.jsonl": `{"op":"x"}`, "short": "{"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{
		"way/x.jsonl", "inside/x.jsonl", "last.jsonl", "loop", "loop/x", "dir", "Makefile", "Makefile/x", "log.jsonl", "short",
		"../x.jsonl", "a/../../x.jsonl", filepath.Join(outside, "x.jsonl"),
	} {
		if written, err := Keep(root, path, text("{\"id\":\"bd-1\"}\n")); err == nil || written {
			t.Errorf("%s was written", path)
		}
	}
	for _, dir := range []string{outside, filepath.Join(root, "dir")} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("in %s: %v, %v", dir, entries, err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(root, "Makefile")); err != nil || string(got) != "all:\n" {
		t.Errorf("another file was replaced: %q, %v", got, err)
	}
}
