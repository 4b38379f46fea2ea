package control

import (
	"errors"
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
	if got := dirs(Place{"", "/tmp", -1}); !slices.Equal(got, []string{"/tmp/beads"}) {
		t.Errorf("without user ids: %q", got)
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

// TestListenSkips: a directory that others could use is named and left alone,
// and the client finds the socket in the next place.
func TestListenSkips(t *testing.T) {
	top, err := os.MkdirTemp("", "bd") // short: its paths become sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	for _, test := range []struct {
		name, said string
		make       func(dir string) error
	}{
		{"wide", "open to other users (mode 0755, want 0700)", func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o755))
		}},
		{"link", "is not a directory", func(dir string) error { return os.Symlink(t.TempDir(), dir) }},
		{"file", "is not a directory", func(dir string) error { return os.WriteFile(dir, nil, 0o600) }},
		{"gone/dir", "no such file or directory", func(string) error { return nil }},
	} {
		bad := filepath.Join(top, test.name)
		if err := test.make(bad); err != nil {
			t.Fatal(err)
		}
		paths := []string{filepath.Join(bad, "s"), filepath.Join(top, "good", "s")}
		l, err := Listen(paths, os.Getuid())
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if l.Path() != paths[1] || l.Skipped() == nil || !strings.Contains(l.Skipped().Error(), test.said) ||
			!strings.Contains(l.Skipped().Error(), bad) {
			t.Errorf("%s: in %s, since %v", test.name, l.Path(), l.Skipped())
		}
		if c, err := Connect(t.Context(), paths, os.Getuid()); err != nil || c.path != paths[1] {
			t.Errorf("%s: connect: %v", test.name, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := Listen(paths[:1], os.Getuid()); err == nil || !strings.Contains(err.Error(), test.said) {
			t.Errorf("%s alone: %v", test.name, err)
		}
	}
	if _, err := Listen(nil, os.Getuid()); err == nil || !strings.Contains(err.Error(), "short enough") {
		t.Errorf("no place: %v", err)
	}
}

// TestLongestPath: the kernel takes what Paths takes.
func TestLongestPath(t *testing.T) {
	top, err := os.MkdirTemp("", "bd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	const rest = len("/beads/0123456789abcdef.sock")
	for _, longer := range []int{0, 1} {
		runtime := filepath.Join(top, strings.Repeat("x", maxPath-rest-len(top)-1+longer))
		if err := os.Mkdir(runtime, 0o700); err != nil {
			t.Fatal(err)
		}
		path := Place{Runtime: runtime, Temp: "/tmp", UID: 987654}.Paths("/w")[0]
		if taken := strings.HasPrefix(path, runtime); taken != (longer == 0) {
			t.Fatalf("%d bytes more than fit: %s", longer, path)
		}
		if longer > 0 {
			continue
		}
		l, err := Listen([]string{path}, os.Getuid())
		if err != nil || len(path) != maxPath {
			t.Fatalf("%d bytes: %v", len(path), err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
