package git

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWorktrees(t *testing.T) {
	common := t.TempDir()
	if got := Worktrees(common); got != nil {
		t.Errorf("without any: %q", got)
	}
	if got := Worktrees(""); got != nil {
		t.Errorf("without Git: %q", got)
	}
	for name, gitdir := range map[string]string{
		"a": "/x/a/.git\n", "b": "../../../b/.git", "c": "", "d": "/x/d/file\n", "e": "/x/with blank/.git",
	} {
		dir := filepath.Join(common, "worktrees", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "gitdir"), []byte(gitdir), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"/x/a", filepath.Join(filepath.Dir(common), "b"), "/x/with blank"}
	if got := Worktrees(common); !slices.Equal(got, want) {
		t.Errorf("worktrees %q, want %q", got, want)
	}
}

func TestLocation(t *testing.T) {
	for about, urls := range map[string][]string{
		"host/a/b": {
			"https://host/a/b.git", "https://user:secret@Host/a/b", "http://host:80/a/b/", "git@host:a/b.git", "host:/a/b",
			"ssh://git@host:22/a/b.git/", "git://host/a/b",
		},
		"/srv/none.git": {"/srv/none.git", "file:///srv/none.git", "../none.git", "/srv/x/../none.git", "../none.git/"},
		"/srv/top/c:d":  {"./c:d"},
		"":              {""},
	} {
		for _, url := range urls {
			if got := Location(url, "/srv/top"); got != about {
				t.Errorf("Location(%q) = %q, want %q", url, got, about)
			}
		}
	}
	if Location("https://host/a/b", "/") == Location("https://host/a/c", "/") {
		t.Error("two projects have one location")
	}
}
