package workspace_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// fixture is a repository with a workspace, and a clock that moves a
// millisecond each time it is read.
type fixture struct {
	t       testing.TB
	root    string
	now     time.Time
	fs      oplog.FS
	notices []string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, root: root, now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	f.git("init", "-q", "-b", "main")
	w, existed, err := workspace.Init(t.Context(), f.place(), "bd", f.options())
	if err != nil || existed {
		t.Fatalf("Init: existed %v, %v", existed, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) git(args ...string) {
	f.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = f.root
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (f *fixture) place() workspace.Place {
	f.t.Helper()
	p, err := workspace.Find(f.root, "", func(string) string { return "" })
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

func (f *fixture) options() workspace.Options {
	return workspace.Options{
		FS:   f.fs,
		Now:  func() time.Time { f.now = f.now.Add(time.Millisecond); return f.now },
		Rand: rand.Reader, Actor: func() string { return "tester" }, Command: "test",
		LockTimeout: 20 * time.Second,
		Notice:      func(s string) { f.notices = append(f.notices, s) },
	}
}

// open opens the workspace as a new process would.
func (f *fixture) open() *workspace.Workspace {
	f.t.Helper()
	w, err := workspace.Open(f.t.Context(), f.place(), f.options())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { w.Close() })
	return w
}

func create(title string) workspace.Draft {
	id, err := op.NewIssueID("bd", rand.Reader)
	if err != nil {
		panic(err)
	}
	return workspace.Draft{Op: &op.Operation{Do: op.DoCreate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str(title)}}}
}

// file creates issues with these titles, one commit each, and returns their ids.
func (f *fixture) file(titles ...string) []string {
	f.t.Helper()
	w := f.open()
	defer w.Close()
	var ids []string
	for _, title := range titles {
		made, err := w.Commit(f.t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			return []workspace.Draft{create(title)}, nil
		})
		if err != nil {
			f.t.Fatal(err)
		}
		ids = append(ids, made[0].Issue)
	}
	return ids
}

// titles is what a new process sees, sorted.
func (f *fixture) titles() []string {
	f.t.Helper()
	w := f.open()
	defer w.Close()
	return titlesOf(f.t, w)
}

func titlesOf(t testing.TB, w *workspace.Workspace) []string {
	t.Helper()
	var titles []string
	err := w.View(context.Background(), func(q *projection.Query) error {
		return q.Each(func(i issue.Issue) error {
			titles = append(titles, i.Title)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(titles)
	return titles
}

func (f *fixture) want(titles ...string) {
	f.t.Helper()
	if got := f.titles(); !slices.Equal(got, titles) {
		f.t.Errorf("issues are %q, want %q", got, titles)
	}
}

// equalCopies fails unless log, guard copy and database hold the same set.
func (f *fixture) equalCopies() {
	f.t.Helper()
	w := f.open()
	defer w.Close()
	if _, err := w.Refresh(f.t.Context(), true); err != nil {
		f.t.Fatal(err)
	}
	if equal, err := w.Verify(f.t.Context()); err != nil || !equal {
		f.t.Errorf("database equals a fresh one: %v, %v", equal, err)
	}
	log, guard := operations(f.t, w.Place().LogPath()), operations(f.t, w.Place().GuardPath())
	if !slices.Equal(log, guard) {
		f.t.Errorf("log holds %d operations, guard copy %d, and they differ", len(log), len(guard))
	}
}

// operations are the readable operation lines of a file, sorted.
func operations(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for raw := range strings.Lines(string(data)) {
		for _, line := range op.Split([]byte(strings.TrimSuffix(raw, "\n"))) {
			if r, err := op.Read(line); err == nil && r.Op != nil {
				lines = append(lines, string(r.Line))
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func (f *fixture) write(path, content string) {
	f.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) read(path string) string {
	f.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

func (f *fixture) remove(paths ...string) {
	f.t.Helper()
	for _, p := range paths {
		matches, err := filepath.Glob(p)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, m := range matches {
			if err := os.RemoveAll(m); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// line is an operation line as another tool would append it.
func (f *fixture) line(o op.Operation) string {
	f.t.Helper()
	id, err := op.Clock{Now: func() time.Time { return f.now }, Rand: rand.Reader}.Next()
	if err != nil {
		f.t.Fatal(err)
	}
	if o.ID.IsZero() {
		o.ID = id
	}
	o.V, o.At, o.By = 1, f.now, "outside"
	line, err := op.Encode(&o)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(line)
}

func createLine(f *fixture, id, title string) string {
	return f.line(op.Operation{Do: op.DoCreate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str(title)}})
}

// newClock is a clock of its own for one writer.
func newClock(f *fixture) func() time.Time {
	now := f.now
	return func() time.Time { now = now.Add(time.Millisecond); return now }
}
