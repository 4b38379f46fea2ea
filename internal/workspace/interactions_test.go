package workspace_test

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func (f *fixture) notesPath() string  { return f.place().StreamPath(op.Interactions) }
func (f *fixture) notesGuard() string { return f.place().StreamGuard(op.Interactions) }

// note is a draft of an interaction.
func note(prompt string) workspace.Draft {
	return workspace.Draft{Interaction: &op.Interaction{Kind: "llm_call", Prompt: prompt}}
}

// record records interactions as a new process would.
func (f *fixture) record(prompts ...string) []*op.Interaction {
	f.t.Helper()
	w := f.open()
	defer w.Close()
	made, err := w.Record(f.t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		var drafts []workspace.Draft
		for _, p := range prompts {
			drafts = append(drafts, note(p))
		}
		return drafts, nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return made
}

// prompts are those of all interactions, in their order.
func (f *fixture) prompts() []string {
	f.t.Helper()
	w := f.open()
	defer w.Close()
	prompts := []string{}
	err := w.ViewAll(f.t.Context(), func(q *projection.Query) error {
		found, err := q.Interactions(projection.InteractionFilter{})
		for _, i := range found {
			prompts = append(prompts, i.Prompt)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return prompts
}

func (f *fixture) wantPrompts(want ...string) {
	f.t.Helper()
	if got := f.prompts(); !slices.Equal(got, want) {
		f.t.Errorf("interactions are %q, want %q", got, want)
	}
}

// equalNotes demands that file, guard copy and database hold the same records.
func (f *fixture) equalNotes() {
	f.t.Helper()
	f.prompts()
	log, guard := notes(f.t, f.notesPath()), notes(f.t, f.notesGuard())
	if !slices.Equal(log, guard) {
		f.t.Errorf("the file holds %d records, the guard copy %d", len(log), len(guard))
	}
	w := f.open()
	defer w.Close()
	if equal, err := w.Verify(f.t.Context()); err != nil || !equal {
		f.t.Errorf("database equals the files: %v, %v", equal, err)
	}
}

// notes are the readable records of a file, sorted.
func notes(t testing.TB, path string) []string {
	t.Helper()
	log, err := oplog.Open(oplog.OS{}, path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	log.Stream = op.Interactions
	var lines []string
	_, err = log.Scan(t.Context(), oplog.Cursor{}, nil, func(e oplog.Entry) error {
		if e.Bad == nil {
			lines = append(lines, string(e.Record.Line))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// TestInteractionsSurvive does to the second stream what may happen to the log.
func TestInteractionsSurvive(t *testing.T) {
	for name, harm := range map[string]func(f *fixture){
		"nothing":            func(*fixture) {},
		"file removed":       func(f *fixture) { f.remove(f.notesPath()) },
		"file emptied":       func(f *fixture) { f.write(f.notesPath(), "") },
		"file cut":           func(f *fixture) { f.write(f.notesPath(), f.read(f.notesPath())[:300]) },
		"an older one":       func(f *fixture) { f.write(f.notesPath(), firstLine(f.read(f.notesPath()))) },
		"replaced by rename": func(f *fixture) { replaceFile(f, f.notesPath(), firstLine(f.read(f.notesPath()))) },
		"edited":             func(f *fixture) { f.write(f.notesPath(), strings.Replace(f.read(f.notesPath()), "two", "TWO", 1)) },
		"sorted backwards":   func(f *fixture) { f.write(f.notesPath(), backwards(f.read(f.notesPath()))) },
		"torn tail":          func(f *fixture) { f.write(f.notesPath(), f.read(f.notesPath())+`{"id":"01`) },
		"NUL tail":           func(f *fixture) { f.write(f.notesPath(), f.read(f.notesPath())+"\x00\x00\x00\x00") },
		"conflict markers":   func(f *fixture) { f.write(f.notesPath(), "<<<<<<< a\n"+f.read(f.notesPath())+">>>>>>> b\n") },
		"CRLF and a BOM": func(f *fixture) {
			f.write(f.notesPath(), "\ufeff"+strings.ReplaceAll(f.read(f.notesPath()), "\n", "\r\n"))
		},
		"glued":                       func(f *fixture) { f.write(f.notesPath(), strings.ReplaceAll(f.read(f.notesPath()), "\n", "")) },
		"guard removed":               func(f *fixture) { f.remove(f.notesGuard()) },
		"guard emptied":               func(f *fixture) { f.write(f.notesGuard(), "") },
		"database removed":            func(f *fixture) { f.remove(f.place().DB + "*") },
		"database of an older schema": func(f *fixture) { f.sql("PRAGMA user_version = 0") },
		"file and guard":              func(f *fixture) { f.remove(f.notesPath(), f.notesGuard()) },
		"file and database":           func(f *fixture) { f.remove(f.notesPath(), f.place().DB+"*") },
		"guard and database":          func(f *fixture) { f.remove(f.notesGuard(), f.place().DB+"*") },
		"the directory":               func(f *fixture) { os.RemoveAll(filepath.Join(f.root, ".beads")) },
		"git clean":                   func(f *fixture) { f.git("clean", "-fdxq") },
		"file and guard, then an older schema": func(f *fixture) {
			f.remove(f.notesPath(), f.notesGuard())
			f.sql("PRAGMA user_version = 0")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.file("an issue")
			f.record("one", "two")
			f.record("three")
			f.wantPrompts("one", "two", "three")
			harm(f)
			f.wantPrompts("one", "two", "three")
			f.equalNotes()
			f.record("four")
			harm(f)
			f.wantPrompts("one", "two", "three", "four")
			f.equalNotes()
			f.want("an issue")
		})
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line + "\n"
}

func backwards(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Reverse(lines)
	return strings.Join(lines, "\n") + "\n"
}

func replaceFile(f *fixture, path, content string) {
	f.write(path+".new", content)
	if err := os.Rename(path+".new", path); err != nil {
		f.t.Fatal(err)
	}
}

// TestInteractionsCostNothing: a command that has nothing to do with them asks how
// long their files are, and no more.
func TestInteractionsCostNothing(t *testing.T) {
	f := newFixture(t)
	f.record("one")
	f.prompts() // the file is new, and is read once
	watched := faultfs.New(oplog.OS{})
	f.fs = watched
	f.file("an issue")
	f.want("an issue")
	for _, call := range watched.Calls() {
		if strings.HasPrefix(call.Path, "interactions") && call.Call != faultfs.Lstat {
			t.Errorf("%s of %s", call.Call, call.Path)
		}
	}
	f.fs = nil
	if matches, _ := filepath.Glob(filepath.Join(f.root, ".beads", "interactions*")); len(matches) != 1 {
		t.Errorf("files: %q", matches)
	}
}

// TestNoInteractionsNoFile: asking for interactions makes no file.
func TestNoInteractionsNoFile(t *testing.T) {
	f := newFixture(t)
	f.wantPrompts()
	w := f.open()
	defer w.Close()
	if _, err := w.Refresh(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{f.notesPath(), f.notesGuard()} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there: %v", path, err)
		}
	}
}

// TestRecordEveryFailingCall is TestEveryFailingCall for interactions.
func TestRecordEveryFailingCall(t *testing.T) {
	failEveryCall(t, writing{
		create: func(f *fixture, prompt string) { f.record(prompt) },
		try: func(f *fixture, w *workspace.Workspace, prompt string) (int, error) {
			made, err := w.Record(f.t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
				return []workspace.Draft{note(prompt)}, nil
			})
			return len(made), err
		},
		texts: (*fixture).prompts,
		equal: (*fixture).equalNotes,
	}, []faultfs.Fault{
		{Call: faultfs.Any, Err: syscall.EIO},
		{Call: faultfs.Any, Err: syscall.EIO, Keep: true},
		{Call: faultfs.Write, Err: syscall.ENOSPC, Short: 40},
		{Call: faultfs.Sync, Err: syscall.EIO, Path: "interactions.jsonl"},
		{Call: faultfs.Open, Err: syscall.EMFILE},
	})
}

// TestRecordTogether: many processes record and file at the same time.
func TestRecordTogether(t *testing.T) {
	f := newFixture(t)
	const writers, each = 4, 10
	var group sync.WaitGroup
	for writer := range writers {
		w, err := workspace.Open(t.Context(), f.place(), workspace.Options{
			Now: time.Now, Rand: crand.Reader, Actor: func() string { return fmt.Sprint(writer) },
		})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer w.Close()
			for n := range each {
				_, err := w.Record(context.Background(), func(*workspace.Tx) ([]workspace.Draft, error) {
					return []workspace.Draft{note(fmt.Sprint(writer, " ", n))}, nil
				})
				if err == nil {
					_, err = w.Commit(context.Background(), func(*workspace.Tx) ([]workspace.Draft, error) {
						return []workspace.Draft{create(fmt.Sprint(writer, " ", n))}, nil
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if prompts := f.prompts(); len(prompts) != writers*each {
		t.Errorf("%d interactions, want %d", len(prompts), writers*each)
	}
	if titles := f.titles(); len(titles) != writers*each {
		t.Errorf("%d issues, want %d", len(titles), writers*each)
	}
	f.equalNotes()
}

// TestInteractionsAtRandom harms one or two of the copies again and again: what
// was acknowledged stays as long as one copy is left.
func TestInteractionsAtRandom(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 3))
			f := newFixture(t)
			var want []string
			for step := range 8 {
				want = append(want, fmt.Sprint("step ", step))
				f.record(want[step])
				f.wantPrompts(want...) // the database has seen it
				copies := []string{f.notesPath(), f.notesGuard(), f.place().DB}
				r.Shuffle(len(copies), func(i, j int) { copies[i], copies[j] = copies[j], copies[i] })
				for _, path := range copies[:1+r.IntN(2)] {
					if path == f.place().DB || r.IntN(2) == 0 {
						f.remove(path + "*")
						continue
					}
					f.write(path, f.read(path)[:r.IntN(len(f.read(path)))])
				}
				f.wantPrompts(want...)
			}
			f.equalNotes()
		})
	}
}

// TestUnreadableInteractions: what cannot be read is in quarantine and stays in
// its file; what a newer program may have added to a record stays too.
func TestUnreadableInteractions(t *testing.T) {
	f := newFixture(t)
	f.record("one")
	bad := []string{`{"id":"int-1a2b3c4d","kind":"llm_call"}`, `not JSON`, `{"id":"01M835PASH000G000000000007","kind":"a","kind":"b"}`}
	more := `{"id":"01M835PASH000G000000000007","kind":"k","created_at":"2026-01-01T00:00:00Z","actor":"other","prompt":"two","trace":[1]}`
	f.write(f.notesPath(), f.read(f.notesPath())+strings.Join(append(bad, more), "\n")+"\n")
	f.prompts()
	if got := f.quarantined(); len(got) != len(bad) {
		t.Errorf("quarantine: %q", got)
	}
	if guard := f.read(f.notesGuard()); !strings.Contains(guard, more) || strings.Contains(guard, bad[0]) {
		t.Errorf("guard copy: %s", guard)
	}
	for _, line := range bad {
		if !strings.Contains(f.read(f.notesPath()), line) {
			t.Errorf("%s left the file", line)
		}
	}
	f.equalNotes()
}

// TestHostileInteractions: a link in the file's place is refused by name, and
// issues go on.
func TestHostileInteractions(t *testing.T) {
	f := newFixture(t)
	outside := filepath.Join(t.TempDir(), "outside")
	f.write(outside, "theirs\n")
	if err := os.Symlink(outside, f.notesPath()); err != nil {
		t.Fatal(err)
	}
	w := f.open()
	defer w.Close()
	_, err := w.Record(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) { return []workspace.Draft{note("x")}, nil })
	if err == nil || !strings.Contains(err.Error(), f.notesPath()+" is a symbolic link") {
		t.Errorf("error: %v", err)
	}
	f.file("an issue")
	f.want("an issue")
	if f.read(outside) != "theirs\n" {
		t.Error("the linked file was written")
	}
}

// A database that was made anew has the interactions at once: who reads them next
// may not be granted the lock, and would find none.
func TestRebuildHasInteractions(t *testing.T) {
	f := newFixture(t)
	f.record("one", "two")
	w := f.open()
	defer w.Close()
	if err := os.Remove(f.place().DB); err != nil {
		t.Fatal(err)
	}
	if err := w.View(t.Context(), func(*projection.Query) error { return nil }); err != nil {
		t.Fatal(err)
	}
	again := f.open()
	defer again.Close()
	err := again.Peek(t.Context(), func(q *projection.Query) error {
		found, err := q.Interactions(projection.InteractionFilter{})
		if len(found) != 2 {
			t.Errorf("%d interactions in the new database", len(found))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
