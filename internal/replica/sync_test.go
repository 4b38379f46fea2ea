package replica_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/git"
	"beads/internal/replica"
)

func TestTwoClonesConverge(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	ids := a.create("one", "two")
	if r := a.sync(); r.Pushed != 0 || r.Remote != "" || r.Unshared != 3 || r.Published != 3 {
		t.Errorf("before anyone said to share: %+v", r)
	}
	if ref(bare, replica.LocalRef) != "" {
		t.Fatal("the ref is on the remote before anyone said to share")
	}
	r := a.share()
	if r.Pushed != 3 || r.Unshared != 0 || r.Remote != "origin" || r.URL != bare {
		t.Errorf("first publish: %+v", r)
	}
	b.create("three")
	r, err := b.try(replica.SyncOptions{Join: true})
	if err != nil || r.Fetched != 3 || r.Pushed != 2 {
		t.Fatalf("join: %+v, %v", r, err)
	}
	a.set(ids[0], "title", "one of a")
	b.set(ids[0], "notes", "of b")
	b.set(ids[1], "title", "two of b")
	settle(t, a, b)
	equal(t, a, b)
	a.wantTitles("one of a", "two of b", "three")
	if x, y, z := ref(a.dir, replica.LocalRef), ref(b.dir, replica.LocalRef), ref(bare, replica.LocalRef); x != y || y != z {
		t.Errorf("refs are %s, %s and %s on the remote", x, y, z)
	}
	if r := a.sync(); !r.Quiet() || r.Unshared != 0 {
		t.Errorf("nothing to do: %+v", r)
	}
}

func TestFirstPublishAtOnce(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 3)
	for _, s := range all {
		s.create("of " + s.actor)
		if r := s.sync(); r.Pushed != 0 { // each has a history of its own
			t.Fatalf("%+v", r)
		}
	}
	for _, s := range all {
		s.share()
	}
	settle(t, all...)
	equal(t, all...)
	all[0].wantTitles("of a", "of b", "of c")
}

func TestLostRace(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	b.create("two")
	// Between b's fetch and its push, a pushes.
	races := 0
	var waits []time.Duration
	b.opts = func(o *replica.Options) {
		o.Progress = func(stage string, done, _ int64) {
			if stage == "pushing" && done == 0 && races < 2 {
				races++
				b.now = b.now.Add(2 * time.Second) // the way is slow
				a.create("three")
				a.sync()
			}
		}
		o.Wait = func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		}
	}
	if r := b.sync(); r.Attempts != 3 || r.Unshared != 0 {
		t.Errorf("after two lost races: %+v", r)
	}
	if len(waits) != 2 || waits[0] < time.Second || waits[1] < 2*time.Second {
		t.Errorf("after attempts of two seconds it waited %v", waits)
	}
	a.sync()
	equal(t, a, b)
}

// A fleet that raced for a slow host with pauses shorter than an attempt got a
// fifth of the pushes through that it gets through with pauses as long.
func TestBackoff(t *testing.T) {
	t.Parallel()
	const ms, s = time.Millisecond, time.Second
	for _, tt := range []struct {
		name        string
		attempt     int
		took        time.Duration
		least, most time.Duration
	}{
		{"a fast way", 1, 5 * ms, 25 * ms, 75 * ms},
		{"a fast way, the fourth time", 4, 5 * ms, 200 * ms, 600 * ms},
		{"a slow way", 1, 2 * s, s, 3 * s},
		{"a slow way, the third time", 3, 2 * s, 4 * s, 12 * s},
		{"a slow way, the last time", replica.MaxAttempts, 2 * s, 15 * s, 45 * s},
		{"a clock that was set forward", 8, 10 * 365 * 24 * time.Hour, 15 * s, 45 * s},
		{"a clock that was set back", 1, -time.Hour, 25 * ms, 75 * ms},
	} {
		for random, want := range map[string]time.Duration{"\x00\x00": tt.least, "\xff\xff": tt.most} {
			got, err := replica.Backoff(tt.attempt, tt.took, strings.NewReader(random))
			if err != nil || (got-want).Abs() > want/1000 {
				t.Errorf("%s: %v, %v, want %v", tt.name, got, err, want)
			}
		}
	}
	if _, err := replica.Backoff(1, 0, strings.NewReader("")); err == nil {
		t.Error("no randomness, and no error")
	}
}

// A git of a daemon that was killed may still be at work, here or on the remote:
// the ref that it holds is waited for.
func TestLockedRef(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(bare, dir string) string{
		"ours":         func(_, dir string) string { return filepath.Join(dir, ".git", replica.LocalRef) },
		"the tracking": func(_, dir string) string { return filepath.Join(dir, ".git/refs/beads/remotes/origin/ops") },
		"the remote's": func(bare, _ string) string { return filepath.Join(bare, replica.LocalRef) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bare, all := sites(t, 2)
			a, b := all[0], all[1]
			a.create("one")
			a.share()
			b.create("two")
			b.share()
			a.create("three")
			lock := path(bare, a.dir) + ".lock"
			must(t, os.WriteFile(lock, nil, 0o600))
			waits := 0
			a.opts = func(o *replica.Options) {
				o.Wait = func(context.Context, time.Duration) error {
					if waits++; waits == 2 {
						must(t, os.Remove(lock))
					}
					return nil
				}
			}
			if r := a.sync(); r.Unshared != 0 || waits != 2 {
				t.Errorf("after %d waits: %+v", waits, r)
			}
			settle(t, a, b)
			equal(t, a, b)
			b.wantTitles("one", "two", "three")
			// One that is never given back is told as what it is.
			a.create("four")
			must(t, os.WriteFile(lock, nil, 0o600))
			if name == "the tracking" {
				b.create("five")
				b.sync()
			}
			_, err := a.try(replica.SyncOptions{})
			if !errors.Is(err, git.ErrLocked) || strings.Contains(err.Error(), "editor") {
				t.Errorf("locked for ever: %v", err)
			}
		})
	}
}

// A lock that a git of ours has left behind is removed when it is old enough,
// also if it gets so only while it is waited for.
func TestAbandonedLock(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	b.create("two")
	b.sync()
	lock := filepath.Join(a.dir, ".git/refs/beads/remotes/origin/ops.lock")
	must(t, os.WriteFile(lock, nil, 0o600))
	must(t, os.Chtimes(lock, a.now, a.now))
	a.opts = func(o *replica.Options) {
		o.Wait = func(_ context.Context, d time.Duration) error {
			a.now = a.now.Add(d)
			return nil
		}
	}
	if r := a.sync(); r.Fetched == 0 || r.Unshared != 0 {
		t.Errorf("after a lock was left behind: %+v", r)
	}
	equal(t, a, b)
}

func TestPushAlone(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	b.create("two")
	b.sync()
	a.create("three")
	_, err := a.try(replica.SyncOptions{NoFetch: true})
	if !errors.Is(err, git.ErrNonFastForward) {
		t.Errorf("push without fetch: %v, want ErrNonFastForward", err)
	}
	if r, err := a.try(replica.SyncOptions{NoPush: true}); err != nil || r.Fetched != 2 || r.Unshared != 1 {
		t.Errorf("fetch without push: %+v, %v", r, err)
	}
	b.sync()
	b.wantTitles("one", "two")
	settle(t, a, b)
	equal(t, a, b)
}

func TestHistoryIsPlain(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	a.create("two")
	b.create("three")
	a.sync()
	if _, err := b.try(replica.SyncOptions{NoFetch: true, NoPush: true}); err != nil {
		t.Fatal(err)
	}
	b.sync()
	if roots := run(t, bare, "rev-list", "--max-parents=0", replica.LocalRef); roots != replica.RootID(40) {
		t.Errorf("roots %q, want %s", roots, replica.RootID(40))
	}
	if subject := run(t, a.dir, "log", "-1", "--format=%an <%ae>: %s", replica.LocalRef); subject != "a <a@invalid>: bd: 1 operation on 1 issue" {
		t.Errorf("a's last commit reads %q", subject)
	}
	if n := run(t, bare, "rev-list", "--count", "--merges", replica.LocalRef); n != "1" {
		t.Errorf("%s union commits, want 1", n)
	}
	run(t, bare, "fsck", "--strict")
}
