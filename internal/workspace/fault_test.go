package workspace_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// TestEveryFailingCall lets each file-system call of a commit fail, once and
// for good, and demands that nothing acknowledged is lost, that nothing is
// acknowledged which is not durable, and that all is well when the fault goes.
func TestEveryFailingCall(t *testing.T) {
	failEveryCall(t, writing{
		create: func(f *fixture, title string) { f.file(title) },
		try: func(f *fixture, w *workspace.Workspace, title string) (int, error) {
			made, err := w.Commit(f.t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
				return []workspace.Draft{create(title)}, nil
			})
			return len(made), err
		},
		texts: (*fixture).titles,
		equal: (*fixture).equalCopies,
	}, []faultfs.Fault{
		{Call: faultfs.Any, Err: syscall.EIO},
		{Call: faultfs.Any, Err: syscall.EIO, Keep: true},
		{Call: faultfs.Write, Err: syscall.ENOSPC, Short: 40},
		{Call: faultfs.Write, Err: syscall.ENOSPC, Keep: true},
		{Call: faultfs.Sync, Err: syscall.EIO},
		{Call: faultfs.Open, Err: syscall.EMFILE},
	})
}

// writing is how one stream is written and read back.
type writing struct {
	create func(f *fixture, text string)                                      // as a process would that meets no fault
	try    func(f *fixture, w *workspace.Workspace, text string) (int, error) // once; how many lines were acknowledged
	texts  func(*fixture) []string
	equal  func(*fixture) // the copies, or the test fails
}

// failEveryCall lets each fault strike every call in turn of one write.
func failEveryCall(t *testing.T, s writing, faults []faultfs.Fault) {
	for _, fault := range faults {
		name := fmt.Sprintf("%s %v short=%d keep=%v", fault.Call, fault.Err, fault.Short, fault.Keep)
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				fault.N = n
				if !s.failOnce(t, fault) {
					if n == 1 {
						t.Fatal("the fault never struck")
					}
					return
				}
			}
		})
	}
}

// failOnce writes once under the fault and reports whether the fault struck.
func (s writing) failOnce(t *testing.T, fault faultfs.Fault) bool {
	t.Helper()
	f := newFixture(t)
	s.create(f, "before")
	faulty := faultfs.New(oplog.OS{})
	f.fs = faulty
	w := f.open()
	faulty.Fail(fault)
	made, err := s.try(f, w, "during")
	struck := faulty.Failed() > 0
	w.Close()
	faulty.Clear()
	f.fs = nil

	texts := s.texts(f)
	if err == nil && (made != 1 || !slices.Contains(texts, "during")) {
		t.Errorf("call %d: acknowledged, but there are %q", fault.N, texts)
	}
	if !slices.Contains(texts, "before") {
		t.Errorf("call %d: an earlier one is gone: %q", fault.N, texts)
	}
	s.create(f, "after")
	if texts := s.texts(f); !slices.Contains(texts, "after") {
		t.Errorf("call %d: after the fault there are %q", fault.N, texts)
	}
	s.equal(f)
	return struck
}

// What is applied while the disk works is seen only when the lines are durable.
func TestNothingAppliedWithoutSync(t *testing.T) {
	f := newFixture(t)
	f.file("before")
	faulty := faultfs.New(oplog.OS{})
	f.fs = faulty
	w := f.open()
	faulty.Fail(faultfs.Fault{Call: faultfs.Sync, Err: syscall.EIO, N: 1})
	_, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		return []workspace.Draft{create("lost")}, nil
	})
	if err == nil {
		t.Fatal("acknowledged without a sync")
	}
	var held int64
	if err := w.Peek(t.Context(), func(q *projection.Query) (err error) {
		held, err = q.Operations()
		return err
	}); err != nil || held != 2 { // with the prefix
		t.Errorf("the database holds %d operations, %v", held, err)
	}
}

// TestCutAfterTornLine: the log ended in a torn line when it was appended to,
// and loses what was appended. Neither a commit nor a restored line may leave a
// cursor that takes the rest for the whole.
func TestCutAfterTornLine(t *testing.T) {
	for name, tear := range map[string]int64{"then a commit": 0, "then lines are restored": 100} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.file("one", "two")
			path := f.place().LogPath()
			if tear > 0 {
				f.write(path, f.read(path)[:tear])
			} else {
				f.write(path, f.read(path)+`{"op":"01`)
				f.want("one", "two") // the torn line is noticed
			}
			size := len(f.read(path))
			f.file("three")
			// What was torn and closed off stays, and a byte more.
			f.write(path, f.read(path)[:size+2])
			f.want("one", "three", "two")
			f.file("four")
			log, guard := operations(t, path), operations(t, f.place().GuardPath())
			if !slices.Equal(log, guard) {
				t.Errorf("log holds %d operations, guard copy %d", len(log), len(guard))
			}
		})
	}
}

// TestPowerLoss takes away what was not fsynced after each commit.
func TestPowerLoss(t *testing.T) {
	for _, nuls := range []bool{false, true} {
		f := newFixture(t)
		var want []string
		for i := range 8 {
			lossy := faultfs.New(oplog.OS{})
			f.fs = lossy
			title := fmt.Sprintf("issue %d", i)
			f.file(title)
			want = append(want, title)
			if err := lossy.PowerLoss(nuls); err != nil {
				t.Fatal(err)
			}
			f.fs = nil
			f.remove(f.place().DB + "*") // the database may be lost with it
			f.want(want...)
		}
		f.equalCopies()
	}
}

// TestManyWriters runs writers at once, while a stranger removes the lock files.
func TestManyWriters(t *testing.T) {
	f := newFixture(t)
	place, options := f.place(), f.options()
	const writers, each = 8, 12
	stop := make(chan struct{})
	var stranger, group sync.WaitGroup
	stranger.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				f.remove(place.LockPath(), place.DaemonLock())
			}
		}
	})
	var mu sync.Mutex
	var want []string
	for n := range writers {
		group.Go(func() {
			own := options
			own.Now = newClock(f)
			own.Notice = nil
			for i := range each {
				w, err := workspace.Open(context.Background(), place, own)
				if err != nil {
					t.Error(err)
					return
				}
				title := fmt.Sprintf("w%02d-%02d", n, i)
				_, err = w.Commit(context.Background(), func(*workspace.Tx) ([]workspace.Draft, error) {
					return []workspace.Draft{create(title)}, nil
				})
				w.Close()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				want = append(want, title)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	close(stop)
	stranger.Wait()
	slices.Sort(want)
	f.want(want...)
	if lines := strings.Count(f.read(place.LogPath()), "\n"); lines != writers*each+1 {
		t.Errorf("log has %d lines, want %d", lines, writers*each+1)
	}
	f.equalCopies()
}

// TestLockedSaysWho: a writer that waits in vain names the holder.
func TestLockedSaysWho(t *testing.T) {
	f := newFixture(t)
	holder := f.open()
	_, err := holder.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		o := f.options()
		o.LockTimeout = 1 // a nanosecond: the lock is held for sure
		o.Command = "bd other"
		w, err := workspace.Open(t.Context(), f.place(), o)
		if err != nil {
			return nil, err
		}
		defer w.Close()
		_, err = w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			t.Error("two writers at once")
			return nil, nil
		})
		if err == nil || !strings.Contains(err.Error(), "database locked by another process (PID") || !strings.Contains(err.Error(), "test)") {
			t.Errorf("error %v, want one that names PID and command", err)
		}
		if got := titlesOf(t, w); len(got) != 0 {
			t.Errorf("a reader under the lock sees %q", got)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTrackedLog: when Git begins to track .beads, our files move out of the
// way and the user's file is never written.
func TestTrackedLog(t *testing.T) {
	f := newFixture(t)
	f.file("ours")
	snapshot := `{"id":"up-1","title":"theirs","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}` + "\n"
	tracked := filepath.Join(f.root, ".beads", "issues.jsonl")
	f.write(tracked, snapshot)
	f.git("add", "-f", ".beads/issues.jsonl")
	f.want("ours", "theirs")
	f.file("more")
	f.want("more", "ours", "theirs")
	if got := f.read(tracked); got != snapshot {
		t.Errorf("the tracked file was written: %q", got)
	}
	p := f.place()
	if !p.Tracked || p.Guard != "" || p.Source != tracked {
		t.Errorf("place %+v", p)
	}
	f.write(tracked, strings.Replace(snapshot, "theirs", "theirs, pulled", 1))
	f.want("more", "ours", "theirs, pulled")
	f.write(tracked, "")
	f.want("more", "ours", "theirs, pulled")
}
