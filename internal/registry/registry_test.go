package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func fresh(t *testing.T) Registry {
	t.Helper()
	return Registry{Dir: filepath.Join(t.TempDir(), "state", "daemons"), UID: os.Getuid()}
}

func entry(dir string, pid int) Entry {
	return Entry{
		Workspace: dir, Lock: dir + "/.lock", Socket: "/run/x.sock", PID: pid,
		StartTime: time.Date(2026, 2, 6, 10, 0, 0, 5, time.UTC), Hostname: "host", Version: "1",
	}
}

func list(t *testing.T, r Registry) ([]Entry, []string) {
	t.Helper()
	entries, skipped, err := r.List()
	if err != nil {
		t.Fatal(err)
	}
	return entries, skipped
}

func TestPutListRemove(t *testing.T) {
	r := fresh(t)
	if entries, skipped := list(t, r); len(entries)+len(skipped) > 0 {
		t.Fatalf("a registry that is not there has %v %v", entries, skipped)
	}
	if err := r.Remove(entry("/a", 1)); err != nil {
		t.Errorf("remove from a registry that is not there: %v", err)
	}
	for _, e := range []Entry{entry("/b", 2), entry("/a", 1), entry("/b", 3)} {
		if err := r.Put(e); err != nil {
			t.Fatal(err)
		}
	}
	entries, skipped := list(t, r)
	if len(skipped) > 0 || len(entries) != 2 || entries[0] != entry("/a", 1) || entries[1] != entry("/b", 3) {
		t.Fatalf("entries %v, skipped %v", entries, skipped)
	}
	// The daemon before this one ends late: its entry is not there any more.
	if err := r.Remove(entry("/b", 2)); err != nil {
		t.Fatal(err)
	}
	later := entry("/b", 3)
	later.StartTime = later.StartTime.Add(time.Nanosecond)
	if err := r.Remove(later); err != nil {
		t.Fatal(err)
	}
	if entries, _ := list(t, r); len(entries) != 2 {
		t.Fatal("another run's entry was removed")
	}
	for _, e := range []Entry{entry("/b", 3), entry("/a", 1), entry("/a", 1)} {
		if err := r.Remove(e); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(r.Dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestPutAfterCrash: a file that a killed daemon had begun is no obstacle, and a
// link in its place is not followed.
func TestPutAfterCrash(t *testing.T) {
	r := fresh(t)
	if err := r.Put(entry("/a", 1)); err != nil {
		t.Fatal(err)
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(r.Dir, "."+fileName("/a"))); err != nil {
		t.Fatal(err)
	}
	if err := r.Put(entry("/a", 2)); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "mine" {
		t.Errorf("the link's target is %q, %v", data, err)
	}
	if entries, skipped := list(t, r); len(entries) != 1 || entries[0].PID != 2 || len(skipped) > 0 {
		t.Errorf("entries %v, skipped %v", entries, skipped)
	}
}

func TestNoPlace(t *testing.T) {
	r := Registry{}
	if err := r.Put(entry("/a", 1)); err != nil {
		t.Error(err)
	}
	if err := r.Remove(entry("/a", 1)); err != nil {
		t.Error(err)
	}
	if entries, _ := list(t, r); len(entries) > 0 {
		t.Error(entries)
	}
}

func TestDir(t *testing.T) {
	for _, test := range []struct{ state, home, want string }{
		{"/s", "/home/a", "/s/beads/daemons"},
		{"", "/home/a", "/home/a/.local/state/beads/daemons"},
		{"relative", "/home/a", "/home/a/.local/state/beads/daemons"},
		{"", "", ""},
	} {
		if got := Dir(test.state, test.home); got != test.want {
			t.Errorf("Dir(%q, %q) = %q, want %q", test.state, test.home, got, test.want)
		}
	}
}

func TestGarbageIsNamedAndLeft(t *testing.T) {
	good := func(dir string) string {
		return fmt.Sprintf(`{"workspace":%q,"lock":%q,"socket":"","pid":5,"start_time":"2026-02-06T10:00:00Z"}`, dir, dir+"/.lock")
	}
	for about, file := range map[string]struct{ name, text, why string }{
		"nothing":               {fileName("/w"), "", "unexpected end"},
		"torn":                  {fileName("/w"), good("/w")[:20], "unexpected end"},
		"two values":            {fileName("/w"), good("/w") + good("/w"), "after top-level value"},
		"another type":          {fileName("/w"), `["/w"]`, "cannot unmarshal"},
		"a time that is none":   {fileName("/w"), strings.Replace(good("/w"), "2026-02", "2026-99", 1), "parsing time"},
		"another's name":        {fileName("/v"), good("/w"), "its name"},
		"a relative workspace":  {fileName("w"), good("w"), "workspace"},
		"a workspace with dots": {fileName("/w/../x"), good("/w/../x"), "workspace"},
		"a lock elsewhere":      {fileName("/w"), strings.Replace(good("/w"), "/w/.lock", "/etc/passwd", 1), "lock"},
		"a lock below":          {fileName("/w"), strings.Replace(good("/w"), "/w/.lock", "/w/x/.lock", 1), "lock"},
		"a relative socket":     {fileName("/w"), strings.Replace(good("/w"), `"socket":""`, `"socket":"s"`, 1), "socket"},
		"no PID":                {fileName("/w"), strings.Replace(good("/w"), `"pid":5`, `"pid":-1`, 1), "PID"},
		"a PID beyond numbers":  {fileName("/w"), strings.Replace(good("/w"), `"pid":5`, `"pid":1e400`, 1), "cannot unmarshal"},
		"much":                  {fileName("/w"), good("/w") + strings.Repeat(" ", maxEntry), "larger than"},
		"deep":                  {fileName("/w"), strings.Repeat("[", maxEntry), ""},
	} {
		t.Run(about, func(t *testing.T) {
			r := fresh(t)
			if err := r.Put(entry("/ok", 1)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(r.Dir, file.name)
			if err := os.WriteFile(path, []byte(file.text), 0o600); err != nil {
				t.Fatal(err)
			}
			entries, skipped := list(t, r)
			if len(entries) != 1 || len(skipped) != 1 || !strings.HasPrefix(skipped[0], path) || !strings.Contains(skipped[0], file.why) {
				t.Errorf("entries %v, skipped %q, want a line with %q", entries, skipped, file.why)
			}
			if _, err := os.Lstat(path); err != nil {
				t.Errorf("it was not left: %v", err)
			}
		})
	}
}

func TestOpenToOthersIsRefused(t *testing.T) {
	r := fresh(t)
	if err := r.Put(entry("/a", 1)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.Dir, fileName("/a"))
	if err := os.Chmod(path, 0o620); err != nil {
		t.Fatal(err)
	}
	if entries, skipped := list(t, r); len(entries) > 0 || len(skipped) != 1 {
		t.Errorf("a file that others can write to: %v %v", entries, skipped)
	}
	for about, spoil := range map[string]func(Registry) Registry{
		"another user's": func(r Registry) Registry { r.UID++; return r },
		"open":           func(r Registry) Registry { os.Chmod(r.Dir, 0o770); return r },
		"a link": func(r Registry) Registry {
			os.Chmod(r.Dir, 0o700)
			link := filepath.Join(t.TempDir(), "link")
			os.Symlink(r.Dir, link)
			r.Dir = link
			return r
		},
	} {
		t.Run(about, func(t *testing.T) {
			bad := spoil(r)
			_, _, err := bad.List()
			if err == nil || bad.Put(entry("/a", 2)) == nil || bad.Remove(entry("/a", 1)) == nil {
				t.Errorf("it was used (list: %v)", err)
			}
		})
	}
}

func TestTooMany(t *testing.T) {
	r := fresh(t)
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range maxEntries + 5 {
		if err := os.WriteFile(filepath.Join(r.Dir, fmt.Sprintf("%d.json", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, skipped := list(t, r); len(skipped) != maxEntries+1 {
		t.Errorf("%d lines", len(skipped))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"workspace":"/w","lock":"/w/.lock","socket":"","pid":5}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := parse(fileName("/w"), data); err == nil && (e.Workspace != "/w" || filepath.Dir(e.Lock) != "/w") {
			t.Errorf("%+v", e)
		}
	})
}
