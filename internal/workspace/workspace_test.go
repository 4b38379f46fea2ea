package workspace_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
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

// TestLossOfCopies takes copies away in every way that people and scripts have
// found, and asks again.
func TestLossOfCopies(t *testing.T) {
	tests := []struct {
		name string
		do   func(f *fixture, p workspace.Place)
	}{
		{"log removed", func(f *fixture, p workspace.Place) { f.remove(p.LogPath()) }},
		{"log emptied", func(f *fixture, p workspace.Place) { f.write(p.LogPath(), "") }},
		{"log truncated to an older state", func(f *fixture, p workspace.Place) {
			lines := strings.SplitAfter(f.read(p.LogPath()), "\n")
			f.write(p.LogPath(), strings.Join(lines[:2], ""))
		}},
		{"log sorted by another tool", func(f *fixture, p workspace.Place) {
			lines := strings.Split(strings.TrimSpace(f.read(p.LogPath())), "\n")
			slices.Reverse(lines)
			f.write(p.LogPath(), strings.Join(lines, "\n"))
		}},
		{"log replaced by rename", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath()+".new", "")
			if err := os.Rename(p.LogPath()+".new", p.LogPath()); err != nil {
				f.t.Fatal(err)
			}
		}},
		{"a line edited in place", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), strings.Replace(f.read(p.LogPath()), "two", "2!!", 1))
		}},
		{"guard copy removed", func(f *fixture, p workspace.Place) { f.remove(p.GuardPath()) }},
		{"guard copy and workspace id removed", func(f *fixture, p workspace.Place) { f.remove(p.Guard) }},
		{".beads removed", func(f *fixture, p workspace.Place) { f.remove(p.Dir) }},
		{"database removed", func(f *fixture, p workspace.Place) { f.remove(p.DB + "*") }},
		{"database without its WAL", func(f *fixture, p workspace.Place) { f.remove(p.DB+"-wal", p.DB+"-shm") }},
		{"database emptied", func(f *fixture, p workspace.Place) { f.write(p.DB, "") }},
		{"database of rubbish", func(f *fixture, p workspace.Place) { f.write(p.DB, strings.Repeat("rubbish ", 4096)) }},
		{"a directory in the database's place", func(f *fixture, p workspace.Place) {
			f.remove(p.DB + "*")
			if err := os.MkdirAll(filepath.Join(p.DB, "x"), 0o700); err != nil {
				f.t.Fatal(err)
			}
		}},
		{"database copied over itself", func(f *fixture, p workspace.Place) {
			data := f.read(p.DB)
			f.remove(p.DB + "*")
			f.write(p.DB, data)
		}},
		{"log emptied and database removed", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.remove(p.DB + "*")
		}},
		{"log emptied and database corrupt", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.remove(p.DB+"-wal", p.DB+"-shm")
			f.write(p.DB, strings.Repeat("rubbish ", 4096))
		}},
		{"log and guard copy emptied", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.write(p.GuardPath(), "")
		}},
		{"log emptied, everything in the common directory removed", func(f *fixture, p workspace.Place) {
			f.write(p.LogPath(), "")
			f.remove(p.Guard)
		}},
		{"guard copy and database removed", func(f *fixture, p workspace.Place) { f.remove(p.GuardPath(), p.DB+"*") }},
		{"locks removed", func(f *fixture, p workspace.Place) { f.remove(p.LockPath(), p.DaemonLock()) }},
		{"git clean -fdx", func(f *fixture, _ workspace.Place) { f.git("clean", "-fdxq") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one", "two", "three")
			tt.do(f, f.place())
			f.want("one", "three", "two")
			f.file("four")
			f.want("four", "one", "three", "two")
			f.equalCopies()
		})
	}
}

// TestForeignInput appends to or rewrites the log as other tools do.
func TestForeignInput(t *testing.T) {
	const good = "bd-aaaaaaaaaa"
	tests := []struct {
		name        string
		content     func(f *fixture) string
		want        []string
		quarantined int
	}{
		{"a valid line", func(f *fixture) string { return createLine(f, good, "new") + "\n" }, []string{"new", "one"}, 0},
		{"without a final newline", func(f *fixture) string { return createLine(f, good, "new") }, []string{"new", "one"}, 0},
		{"CRLF and BOM", func(f *fixture) string { return "\ufeff" + createLine(f, good, "new") + "\r\n" }, []string{"new", "one"}, 0},
		{"two glued", func(f *fixture) string {
			return createLine(f, good, "new") + createLine(f, "bd-bbbbbbbbbb", "newer") + "\n"
		}, []string{"new", "newer", "one"}, 0},
		{"conflict markers", func(f *fixture) string {
			return "<<<<<<< ours\n" + createLine(f, good, "ours") + "\n=======\n" + createLine(f, "bd-bbbbbbbbbb", "theirs") + "\n>>>>>>> theirs\n"
		}, []string{"one", "ours", "theirs"}, 3},
		{"rubbish around a good line", func(f *fixture) string {
			return "not json\n" + createLine(f, good, "new") + "\n{\"op\":1}\n\x00\x00\x00\n[1,2]\n"
		}, []string{"new", "one"}, 4},
		{"duplicate keys", func(*fixture) string { return `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","op":"x"}` + "\n" }, []string{"one"}, 1},
		{"deep nesting", func(*fixture) string {
			return `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}\n"
		}, []string{"one"}, 1},
		{"a giant line", func(f *fixture) string {
			return strings.Repeat("x", 3<<20) + "\n" + createLine(f, good, "new") + "\n"
		}, []string{"new", "one"}, 1},
		{"a torn last line", func(f *fixture) string { return createLine(f, good, "new")[:60] }, []string{"one"}, 0},
		{"wrong types are ignored in the fold", func(f *fixture) string {
			return f.line(op.Operation{Do: op.DoCreate, Issue: good, Set: map[string]json.RawMessage{
				"title": op.Str("new"), "priority": json.RawMessage(`"high"`)}}) + "\n"
		}, []string{"new", "one"}, 0},
		{"a newer version is kept and not applied", func(f *fixture) string {
			return `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":9,"do":"create","issue":"bd-zzzzzzzzzz","hyper":{}}` + "\n"
		}, []string{"one"}, 0},
		{"the same operation twice", func(f *fixture) string {
			line := createLine(f, good, "new") + "\n"
			return line + line
		}, []string{"new", "one"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one")
			log, err := os.OpenFile(f.place().LogPath(), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := log.WriteString(tt.content(f)); err != nil {
				t.Fatal(err)
			}
			log.Close()
			f.want(tt.want...)
			w := f.open()
			defer w.Close()
			err = w.View(t.Context(), func(q *projection.Query) error {
				n, err := q.QuarantineCount()
				if n != tt.quarantined {
					t.Errorf("%d lines quarantined, want %d", n, tt.quarantined)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			f.file("zzz")
			f.want(append(slices.Clone(tt.want), "zzz")...)
			if tt.name != "a torn last line" && !strings.Contains(f.read(f.place().LogPath()), tt.content(f)[:1]) {
				t.Error("foreign bytes are gone from the log")
			}
			f.equalCopies()
		})
	}
}

// TestGreatestIDs: ids at the end of the clock's range hurt their own issue
// only.
func TestGreatestIDs(t *testing.T) {
	f := newFixture(t)
	id := f.file("one")[0]
	greatest := op.MinID(time.Date(2199, 12, 31, 23, 59, 59, 999e6, time.UTC))
	for i := 6; i < len(greatest); i++ {
		greatest[i] = 0xff
	}
	f.write(f.place().LogPath(), f.read(f.place().LogPath())+f.line(op.Operation{
		ID: greatest, Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str("poisoned")},
	})+"\n")
	f.want("poisoned")
	w := f.open()
	defer w.Close()
	_, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		return []workspace.Draft{{Op: &op.Operation{Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str("x")}}}}, nil
	})
	if err == nil || !strings.Contains(fmt.Sprint(err), "clock") {
		t.Errorf("change of the poisoned issue: %v, want a clock error", err)
	}
	f.file("two")
	f.want("poisoned", "two")
	f.equalCopies()
}

// newClock is a clock of its own for one writer.
func newClock(f *fixture) func() time.Time {
	now := f.now
	return func() time.Time { now = now.Add(time.Millisecond); return now }
}
