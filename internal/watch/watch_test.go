package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience ends a test that would otherwise hang; nothing passes by it.
const patience = 20 * time.Second

func matches(name string) bool { return strings.HasSuffix(name, ".jsonl") }

// local is a system on which notification works.
func local() system {
	return system{start: fsnotify.NewWatcher, network: func(string) string { return "" }}
}

// run starts a watcher on dirs and stops it at the end of the test.
func run(t *testing.T, sys system, o Options, dirs ...string) *Watcher {
	t.Helper()
	w, err := newWatcher(dirs, matches, o, sys)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if _, open := <-w.Events(); open {
			t.Error("an event after Run returned")
		}
	})
	return w
}

// await receives until an event of that kind comes.
func await(t *testing.T, w *Watcher, name string, ops ...Op) Event {
	t.Helper()
	deadline := time.After(patience)
	var seen []Event
	for {
		select {
		case e := <-w.Events():
			if e.Name == name && slices.Contains(ops, e.Op) {
				return e
			}
			seen = append(seen, e)
		case <-deadline:
			t.Fatalf("no event %q %v; saw %v", name, ops, seen)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNotification(t *testing.T) {
	dir, guard := t.TempDir(), t.TempDir()
	w := run(t, local(), Options{}, dir, guard+"/", dir)
	if want := map[bool]string{true: ModeInotify, false: ModeFsnotify}[runtime.GOOS == "linux"]; w.Mode() != want || w.Reason() != "" {
		t.Fatalf("Mode = %q (%s), want %q", w.Mode(), w.Reason(), want)
	}
	path := filepath.Join(dir, "issues.jsonl")

	write(t, filepath.Join(dir, "beads.db"), "own files never count")
	write(t, path, "a\n")
	select {
	case e := <-w.Events():
		if e.Name != "issues.jsonl" {
			t.Fatalf("first event is %v", e)
		}
	case <-time.After(patience):
		t.Fatal("no event")
	}
	await(t, w, "issues.jsonl", Modified)

	must(t, os.Rename(path, path+".old"))
	await(t, w, "issues.jsonl", Renamed)
	must(t, os.Rename(path+".old", path))
	await(t, w, "issues.jsonl", Created)
	must(t, os.Remove(path))
	await(t, w, "issues.jsonl", Removed)

	write(t, filepath.Join(guard, "issues.jsonl"), "a\n")
	if e := await(t, w, "issues.jsonl", Created); e.Dir != guard+"/" {
		t.Fatalf("Dir = %q, want it as passed", e.Dir)
	}
}

// What happens between New and Run is not missed.
func TestNothingFallsBetween(t *testing.T) {
	for _, o := range []Options{{}, {Poll: true, Interval: time.Millisecond}} {
		t.Run(fmt.Sprintf("poll %v", o.Poll), func(t *testing.T) {
			dir := t.TempDir()
			w, err := newWatcher([]string{dir}, matches, o, local())
			must(t, err)
			write(t, filepath.Join(dir, "issues.jsonl"), "a\n")
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- w.Run(ctx) }()
			await(t, w, "issues.jsonl", Created)
			cancel()
			must(t, <-done)
		})
	}
}

func TestDirectoryLost(t *testing.T) {
	tests := []struct {
		name   string
		lose   func(t *testing.T, dir string)
		verify bool // only the look at the directory can tell
	}{
		{name: "renamed", lose: func(t *testing.T, dir string) { must(t, os.Rename(dir, dir+".away")) }},
		{name: "removed", lose: func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }},
		{name: "renamed and removed", lose: func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+".away"))
			must(t, os.RemoveAll(dir+".away"))
		}},
		{name: "the directory above renamed", verify: true, lose: func(t *testing.T, dir string) {
			must(t, os.Rename(filepath.Dir(dir), filepath.Dir(dir)+".away"))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "top", ".beads")
			must(t, os.MkdirAll(dir, 0o700))
			modes := make(chan string, 100)
			o := Options{Interval: time.Millisecond, Changed: func(mode, reason string) { modes <- mode }}
			if tt.verify {
				o.Verify = time.Millisecond
			}
			w := run(t, local(), o, dir)
			tt.lose(t, dir)
			await(t, w, "", Overflow)
			if mode := <-modes; mode != ModePolling {
				t.Fatalf("mode %q while the directory is away", mode)
			}
			if !strings.HasPrefix(w.Reason(), "failed to watch "+dir+": ") {
				t.Fatalf("Reason = %q", w.Reason())
			}
			must(t, os.MkdirAll(dir, 0o700))
			write(t, filepath.Join(dir, "issues.jsonl"), "a\n")
			await(t, w, "", Overflow)
			for <-modes == ModePolling {
				// Until notification is taken up again.
			}
			write(t, filepath.Join(dir, "issues.jsonl"), "b\n")
			await(t, w, "issues.jsonl", Modified)
		})
	}
}

func TestFallBack(t *testing.T) {
	broken := errors.New("too many open files")
	tests := []struct {
		name   string
		sys    system
		o      Options
		reason string
	}{
		{"fsnotify cannot start", system{start: func() (*fsnotify.Watcher, error) { return nil, broken }, network: local().network},
			Options{}, "failed to watch DIR: too many open files"},
		{"network file system", system{start: local().start, network: func(string) string { return "NFS" }},
			Options{}, "failed to watch DIR: NFS is a network file system"},
		{"asked for", local(), Options{Poll: true}, "failed to watch DIR: polling was asked for"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.o.Interval = time.Millisecond
			w := run(t, tt.sys, tt.o, dir)
			if want := strings.ReplaceAll(tt.reason, "DIR", dir); w.Mode() != ModePolling || w.Reason() != want {
				t.Fatalf("Mode = %q (%s), want polling (%s)", w.Mode(), w.Reason(), want)
			}
			write(t, filepath.Join(dir, "issues.jsonl"), "a\n")
			await(t, w, "issues.jsonl", Created)
		})
	}
}

// Notification is taken up when what prevented it is over.
func TestRecovers(t *testing.T) {
	dir := t.TempDir()
	allowed := make(chan bool, 1)
	sys := local()
	sys.start = func() (*fsnotify.Watcher, error) {
		select {
		case <-allowed:
			return fsnotify.NewWatcher()
		default:
			return nil, errors.New("no space left on device")
		}
	}
	w := run(t, sys, Options{Interval: time.Millisecond}, dir)
	if w.Mode() != ModePolling {
		t.Fatalf("Mode = %q", w.Mode())
	}
	allowed <- true
	await(t, w, "", Overflow)
	write(t, filepath.Join(dir, "issues.jsonl"), "a\n")
	await(t, w, "issues.jsonl", Created)
	if w.Mode() == ModePolling {
		t.Fatal("still polling")
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	var notify *fsnotify.Watcher
	sys := local()
	sys.start = func() (_ *fsnotify.Watcher, err error) {
		if notify != nil {
			return nil, errors.New("still broken")
		}
		notify, err = fsnotify.NewWatcher()
		return notify, err
	}
	w := run(t, sys, Options{Interval: time.Millisecond}, dir)
	notify.Errors <- fsnotify.ErrEventOverflow
	if e := await(t, w, "", Overflow); e.Dir != dir {
		t.Fatalf("Dir = %q", e.Dir)
	}
	if w.Mode() == ModePolling {
		t.Fatal("an overflow is no reason to poll")
	}
	notify.Errors <- errors.New("read failed")
	await(t, w, "", Overflow)
	write(t, filepath.Join(dir, "issues.jsonl"), "a\n")
	await(t, w, "issues.jsonl", Created)
	if w.Mode() != ModePolling {
		t.Fatal("not polling though notification is broken")
	}
}

func TestNewRefusesNothing(t *testing.T) {
	if _, err := New(nil, nil, Options{}); err == nil {
		t.Fatal("no error")
	}
}

func TestClose(t *testing.T) {
	w, err := New([]string{t.TempDir()}, nil, Options{})
	must(t, err)
	must(t, w.Close())
	must(t, w.Close())
}

// Polling on a fake clock: exactly the differences, once each.
func TestPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := t.TempDir()
		dir := filepath.Join(top, ".beads")
		path := filepath.Join(dir, "issues.jsonl")
		must(t, os.Mkdir(dir, 0o700))
		write(t, path, "a\n")
		w, err := newWatcher([]string{dir}, matches, Options{Poll: true}, local())
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		receive := func() (got []string) {
			for {
				synctest.Wait()
				select {
				case e := <-w.Events():
					got = append(got, strings.TrimSpace(e.Name+" "+e.Op.String()))
				default:
					return got
				}
			}
		}
		steps := []struct {
			name string
			do   func()
			want []string
		}{
			{"nothing", func() {}, nil},
			{"an append", func() { write(t, path, "a\nb\n") }, []string{"issues.jsonl modified"}},
			{"nothing again", func() {}, nil},
			{"another program's file", func() { write(t, filepath.Join(dir, "beads.db-wal"), "x") }, nil},
			{"same size, other time", func() { must(t, os.Chtimes(path, time.Time{}, time.Unix(1, 0))) }, []string{"issues.jsonl modified"}},
			{"replaced", func() {
				write(t, filepath.Join(top, "new"), "c\n")
				must(t, os.Rename(filepath.Join(top, "new"), path))
			}, []string{"issues.jsonl created"}},
			{"removed, two others made", func() {
				must(t, os.Remove(path))
				write(t, filepath.Join(dir, "routes.jsonl"), "")
				write(t, filepath.Join(dir, "a.jsonl"), "")
			}, []string{"a.jsonl created", "issues.jsonl removed", "routes.jsonl created"}},
			{"directory away", func() { must(t, os.Rename(dir, dir+"2")) }, []string{"overflow"}},
			{"still away", func() {}, nil},
			{"directory back", func() { must(t, os.Rename(dir+"2", dir)) }, []string{"overflow"}},
		}
		for _, step := range steps {
			step.do()
			<-time.After(time.Second) // of the fake clock
			if got := receive(); !slices.Equal(got, step.want) {
				t.Errorf("%s: events %q, want %q", step.name, got, step.want)
			}
		}
		cancel()
		synctest.Wait()
	})
}

func TestInbox(t *testing.T) {
	in := newInbox()
	a := Event{"d", "a", Modified}
	in.add(a)
	in.add(a)
	in.add(Event{"d", "a", Removed})
	in.add(Event{"e", "a", Modified})
	if len(in.order) != 3 {
		t.Fatalf("order = %v", in.order)
	}
	in.shift()
	in.add(a)
	if len(in.order) != 3 || in.order[2] != a {
		t.Fatalf("an event that was handed on does not come again: %v", in.order)
	}
	in.add(Event{Dir: "d", Op: Overflow})
	in.add(a)
	if want := []Event{{"e", "a", Modified}, {Dir: "d", Op: Overflow}}; !slices.Equal(in.order, want) {
		t.Fatalf("order = %v, want %v", in.order, want)
	}
	for i := range 2 * maxWaiting {
		in.add(Event{"e", fmt.Sprint(i), Created})
	}
	if want := []Event{{Dir: "d", Op: Overflow}, {Dir: "e", Op: Overflow}}; !slices.Equal(in.order, want) {
		t.Fatalf("%d wait, want an overflow instead: %v", len(in.order), in.order[:2])
	}
}

func TestOpString(t *testing.T) {
	var got []string
	for op := Modified; op <= Overflow+1; op++ {
		got = append(got, op.String())
	}
	if want := []string{"modified", "created", "removed", "renamed", "overflow", "Op(6)"}; !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
}
