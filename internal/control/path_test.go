package control

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	const uid = 987654 // nobody's here
	dirs := func(p Place) (dirs []string) {
		for _, path := range p.Paths("/some/.beads") {
			dirs = append(dirs, filepath.Dir(path))
		}
		return dirs
	}
	long := "/" + strings.Repeat("d", 100)
	for _, test := range []struct {
		name  string
		place Place
		want  []string
	}{
		{"runtime directory first", Place{"/run/x", "/var/tmp", uid}, []string{"/run/x/beads", "/var/tmp/beads-987654", "/tmp/beads-987654"}},
		{"without one", Place{"", "/tmp", uid}, []string{"/tmp/beads-987654"}},
		{"a relative one does not count", Place{"run", "/tmp", uid}, []string{"/tmp/beads-987654"}},
		{"too long for a socket", Place{long, long, uid}, []string{"/tmp/beads-987654"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := dirs(test.place); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	p := Place{"", "/tmp", uid}
	if a, b := p.Paths("/a"), p.Paths("/b"); a[0] == b[0] || len(a[0]) > maxPath {
		t.Errorf("two workspaces share %s, or it is too long", a[0])
	}
}

func TestCheckDir(t *testing.T) {
	top := t.TempDir()
	path := func(name string) string { return filepath.Join(top, name) }
	if err := makeDir(path("good"), os.Getuid()); err != nil {
		t.Errorf("a fresh one: %v", err)
	}
	if err := makeDir(path("good"), os.Getuid()); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := makeDir(path("good"), os.Getuid()+1); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("another user's: %v", err)
	}
	if err := os.Mkdir(path("open"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path("open"), 0o770); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(path("open"), os.Getuid()); err == nil || !strings.Contains(err.Error(), "0770") {
		t.Errorf("one that the group can write to: %v", err)
	}
	if err := os.Symlink(path("good"), path("link")); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(path("link"), os.Getuid()); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a symbolic link: %v", err)
	}
}
