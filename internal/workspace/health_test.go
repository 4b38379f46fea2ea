package workspace_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"beads/internal/projection"
	"beads/internal/workspace"
)

// overwrite writes garbage into the middle of page after page, except into what
// is before from.
func overwrite(t *testing.T, path string, from, length int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, int(length)), from)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// damages are what may happen to the database under a process that has it open.
// label is what it is set aside as.
var damages = []struct {
	name, label string
	do          func(t *testing.T, db string)
}{
	{"deleted", "", func(t *testing.T, db string) { remove(t, db, db+"-wal", db+"-shm") }},
	{"the file alone deleted", "", func(t *testing.T, db string) { remove(t, db) }},
	{"a directory", "foreign", func(t *testing.T, db string) {
		remove(t, db)
		if err := os.Mkdir(db, 0o700); err != nil {
			t.Fatal(err)
		}
	}},
	{"the header overwritten", "corrupt", func(t *testing.T, db string) { overwrite(t, db, 0, 100) }},
	{"empty", "foreign", func(t *testing.T, db string) {
		if err := os.Truncate(db, 0); err != nil {
			t.Fatal(err)
		}
	}},
	{"cut in the middle", "corrupt", func(t *testing.T, db string) {
		if err := os.Truncate(db, size(t, db)/2/4096*4096); err != nil {
			t.Fatal(err)
		}
	}},
	{"pages overwritten in the middle", "corrupt", func(t *testing.T, db string) { overwrite(t, db, 8*4096, size(t, db)-8*4096) }},
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// aside lists what was set aside beside the database.
func aside(t *testing.T, db string) (labels []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(db))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if rest, ok := strings.CutPrefix(entry.Name(), filepath.Base(db)+"."); ok && !strings.HasSuffix(rest, "-wal") && !strings.HasSuffix(rest, "-shm") {
			label, _, _ := strings.Cut(rest, "-")
			labels = append(labels, label)
		}
	}
	return labels
}

// TestCheckAndRepair: whatever happens to the database under an open workspace,
// the check notices, and a repair sets it aside and leaves the same issues.
func TestCheckAndRepair(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			f, w := filled(t)
			db := f.place().DB
			condition, err := w.Check(t.Context(), projection.Mark{})
			if err != nil || !condition.Whole {
				t.Fatalf("sound: %+v, %v", condition, err)
			}
			if again, err := w.Check(t.Context(), condition.Mark); err != nil || again.Whole || again.Mark != condition.Mark {
				t.Fatalf("untouched, but: %+v, %v", again, err)
			}
			test.do(t, db)
			if _, err := w.Check(t.Context(), condition.Mark); err == nil {
				t.Fatal("the damage was not noticed")
			}
			report, err := w.Repair(t.Context())
			if err != nil || !report.Rebuilt {
				t.Fatalf("repair: %+v, %v", report, err)
			}
			if _, err := w.Check(t.Context(), projection.Mark{}); err != nil {
				t.Fatalf("after the repair: %v", err)
			}
			var want []string
			if test.label != "" {
				want = []string{test.label}
			}
			if got := aside(t, db); !slices.Equal(got, want) {
				t.Errorf("set aside as %q, want %q", got, want)
			}
			if n := len(titlesOf(t, w)); n != filledIssues {
				t.Errorf("%d issues after the repair, want %d", n, filledIssues)
			}
			if report, err := w.Repair(t.Context()); err != nil || !report.Quiet() {
				t.Errorf("a repair with nothing to do: %+v, %v", report, err)
			}
		})
	}
}

// TestReadersRepair: a process that meets the damage answers rightly.
func TestReadersRepair(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			f, w := filled(t)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			test.do(t, f.place().DB)
			if n := len(f.titles()); n != filledIssues {
				t.Errorf("%d issues, want %d", n, filledIssues)
			}
		})
	}
}

func TestMaintain(t *testing.T) {
	_, w := filled(t)
	if more, err := w.Maintain(t.Context()); err != nil || more {
		t.Fatalf("more %t, %v", more, err)
	}
	if c, err := w.Check(t.Context(), projection.Mark{}); err != nil || c.Mark.WALSize() != 0 {
		t.Errorf("after it: %+v, %v", c, err)
	}
	if n := len(titlesOf(t, w)); n != filledIssues {
		t.Errorf("%d issues, want %d", n, filledIssues)
	}
}

const filledIssues = 60

// filled is an open workspace with some issues, all of them in the database's
// file.
func filled(t *testing.T) (*fixture, *workspace.Workspace) {
	t.Helper()
	f := newFixture(t)
	titles := make([]string, filledIssues)
	for n := range titles {
		titles[n] = fmt.Sprintf("%s %d", strings.Repeat("long title ", 20), n)
	}
	f.file(titles...)
	w := f.open()
	if n := len(titlesOf(t, w)); n != filledIssues {
		t.Fatalf("%d issues to begin with", n)
	}
	if err := w.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	return f, w
}
