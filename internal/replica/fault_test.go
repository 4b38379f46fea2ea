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
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// fails syncs a site whose remote is in trouble, and demands that the error
// wraps want, in one line, and that local work goes on.
func (s *site) fails(want error) {
	s.t.Helper()
	r, err := s.try(replica.SyncOptions{})
	if !errors.Is(err, want) {
		s.t.Fatalf("%s: sync: %v, want %v", s.actor, err, want)
	}
	if strings.Contains(err.Error(), "\n") {
		s.t.Errorf("more than one line: %q", err)
	}
	before := len(s.titles())
	s.create("in trouble")
	if r, err = s.try(replica.SyncOptions{}); !errors.Is(err, want) || r.Published != 1 {
		s.t.Errorf("%s: local work in trouble: %+v, %v", s.actor, r, err)
	}
	if r.Unshared == 0 {
		s.t.Errorf("%s: nothing is unshared: %+v", s.actor, r)
	}
	if got := len(s.titles()); got != before+1 {
		s.t.Errorf("%s: %d issues, want %d", s.actor, got, before+1)
	}
	s.with(func(_ *workspace.Workspace, r *replica.Replica) {
		status, err := r.Status(s.t.Context())
		if err != nil || status.Last.Error == "" || status.Last.Failure.IsZero() {
			s.t.Errorf("status does not tell the failure: %+v, %v", status, err)
		}
	})
}

// Each trouble is reported, leaves local work alone, and is over when its cause
// is gone.
func TestTroubledRemote(t *testing.T) {
	t.Parallel()
	hook := func(t *testing.T, bare string, script string) {
		t.Helper()
		path := filepath.Join(bare, "hooks", "pre-receive")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		executable(t, path, "#!/bin/sh\n"+script+"\n")
	}
	for name, c := range map[string]struct {
		break_ func(t *testing.T, bare string, a, b *site)
		want   error
		heal   func(t *testing.T, bare string, a, b *site)
	}{
		"gone": {
			func(t *testing.T, bare string, a, b *site) { must(t, os.Rename(bare, bare+".away")) }, git.ErrUnreachable,
			func(t *testing.T, bare string, a, b *site) { must(t, os.Rename(bare+".away", bare)) },
		},
		"a hook refuses": {
			func(t *testing.T, bare string, a, b *site) {
				a.create("refused")
				hook(t, bare, "echo not on my watch; exit 1")
			}, git.ErrRejected,
			func(t *testing.T, bare string, a, b *site) {
				must(t, os.Remove(filepath.Join(bare, "hooks", "pre-receive")))
			},
		},
		"deleted ref": {
			func(t *testing.T, bare string, a, b *site) { run(t, bare, "update-ref", "-d", replica.LocalRef) }, replica.ErrDeleted,
			func(t *testing.T, bare string, a, b *site) { a.share() },
		},
		"a foreign tree": {
			func(t *testing.T, bare string, a, b *site) {
				run(t, bare, "update-ref", replica.LocalRef, "refs/heads/main")
			}, replica.ErrForeign,
			func(t *testing.T, bare string, a, b *site) {
				run(t, bare, "update-ref", replica.LocalRef, ref(b.dir, replica.LocalRef))
			},
		},
		"a newer layout": {
			func(t *testing.T, bare string, a, b *site) {
				plant(t, bare, replica.LocalRef, map[string]string{"format.json": `{"version":2}`})
			}, replica.ErrNewer,
			func(t *testing.T, bare string, a, b *site) {
				run(t, bare, "update-ref", replica.LocalRef, replica.LocalRef+"~1")
			},
		},
		"another URL": {
			func(t *testing.T, bare string, a, b *site) {
				run(t, a.dir, "remote", "set-url", "origin", bare+"x")
			}, replica.ErrMoved,
			func(t *testing.T, bare string, a, b *site) { run(t, a.dir, "remote", "set-url", "origin", bare) },
		},
		"no remote of that name": {
			func(t *testing.T, bare string, a, b *site) { run(t, a.dir, "remote", "rename", "origin", "other") }, git.ErrNoRemote,
			func(t *testing.T, bare string, a, b *site) { run(t, a.dir, "remote", "rename", "other", "origin") },
		},
		"more than is taken at once": {
			func(t *testing.T, bare string, a, b *site) {
				b.create("1", "2", "3")
				b.sync()
				a.opts = func(o *replica.Options) { o.MaxOperations = 2 }
			}, replica.ErrFlood,
			func(t *testing.T, bare string, a, b *site) { a.opts = nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bare, all := sites(t, 2)
			a, b := all[0], all[1]
			a.create("one")
			a.share()
			b.share()
			settle(t, a, b)
			c.break_(t, bare, a, b)
			if name == "more than is taken at once" {
				// The excess of one step is what the next may take.
				if _, err := a.try(replica.SyncOptions{}); !errors.Is(err, c.want) {
					t.Errorf("sync: %v, want %v", err, c.want)
				}
			} else {
				a.fails(c.want)
			}
			c.heal(t, bare, a, b)
			settle(t, a, b)
			equal(t, a, b)
			if n, m := len(a.titles()), len(b.titles()); n != m || n < 2 {
				t.Errorf("%d and %d issues", n, m)
			}
		})
	}
}

// Over ssh: a remote that hangs, one that wants to know who we are, and one that
// breaks off.
func TestTroubledTransport(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 1)
	a := all[0]
	mode := filepath.Join(filepath.Dir(bare), "mode")
	ssh := filepath.Join(filepath.Dir(bare), "ssh")
	executable(t, ssh, `#!/bin/sh
case "$(cat '`+mode+`' 2>/dev/null)" in
hang) exec sleep 1000 ;;
password) echo "u@host: Permission denied (publickey,password)." >&2; exit 255 ;;
break) exit 1 ;;
esac
for last; do :; done
exec sh -c "$last"
`)
	a.env = []string{"GIT_SSH_COMMAND=" + ssh, "GIT_SSH_VARIANT=simple", "GIT_ALLOW_PROTOCOL=ssh"}
	run(t, a.dir, "remote", "set-url", "origin", "ssh://u:secret@host"+bare)
	a.create("one")
	if r := a.share(); r.URL != "ssh://***@host"+bare || r.Unshared != 0 {
		t.Fatalf("over ssh: %+v", r)
	}
	for how, want := range map[string]error{"hang": git.ErrUnreachable, "password": git.ErrAuthentication, "break": git.ErrUnreachable} {
		must(t, os.WriteFile(mode, []byte(how), 0o644))
		if a.deadline = 0; how == "hang" {
			a.deadline = 300 * time.Millisecond
		}
		a.fails(want)
		_, err := a.try(replica.SyncOptions{})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", how, err)
		}
		must(t, os.Remove(mode))
		a.deadline = 0
		if r := a.sync(); r.Unshared != 0 || r.Pushed == 0 {
			t.Errorf("after %s: %+v", how, r)
		}
		if left := leftovers(t, a.dir); len(left) > 0 {
			t.Errorf("after %s: left behind %q", how, left)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A rewound or force-pushed ref is united with what we have.
func TestRewoundRemote(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	old := ref(bare, replica.LocalRef)
	a.create("two")
	settle(t, a, b)
	run(t, bare, "update-ref", replica.LocalRef, old)
	if r := a.sync(); r.Pushed == 0 || r.Unshared != 0 {
		t.Errorf("after the remote was rewound: %+v", r)
	}
	// Another history of the same log: what b published before is not in it.
	run(t, bare, "update-ref", replica.LocalRef, old)
	c := newSite(t, filepath.Dir(bare), bare, "c")
	c.create("three")
	c.share()
	settle(t, a, b, c)
	equal(t, a, b, c)
	a.wantTitles("one", "two", "three")
}

// Garbage in batch files is quarantined with its place; the rest applies.
func TestGarbage(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one")
	a.share()
	b.share()
	settle(t, a, b)
	good, err := op.Encode(&op.Operation{
		ID: op.MinID(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)), V: 1, Do: op.DoCreate, Issue: "bd-good", At: a.now, By: "x", Set: fields("title", "good"),
	})
	must(t, err)
	newer := `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":9,"do":"transmute","issue":"bd-new","at":"2026-11-23T03:02:47.857Z","by":"x","what":1}`
	path := "ops/2026-11/23/03/02/garbage.jsonl"
	plant(t, bare, replica.LocalRef, map[string]string{
		path: "not json\n\n" + string(good) + "\r\n" + newer + "\n" + `{"id":"bd-raw","title":"a raw record"}` + "\n" +
			"<<<<<<< ours\n" + strings.Repeat("x", op.MaxLine+100) + "\n" + `{"op":"01K`,
		"ops/../escape.jsonl.txt":      "not read\n",
		"elsewhere.jsonl":              "not read\n",
		"interactions/2026-11/x.jsonl": "not read\n",
	})
	r := a.sync()
	if r.Fetched != 2 || r.Quarantined != 5 {
		t.Errorf("garbage: %+v", r)
	}
	a.with(func(w *workspace.Workspace, _ *replica.Replica) {
		err := w.View(t.Context(), func(q *projection.Query) error {
			entries, err := q.Quarantined()
			for _, e := range entries {
				if e.File != "refs/beads/ops:"+path {
					t.Errorf("quarantined from %q", e.File)
				}
			}
			if len(entries) != 5 || entries[0].Line != 1 || entries[1].Line != 5 || entries[3].Line != 7 || entries[4].Line != 8 {
				t.Errorf("quarantine: %+v", entries)
			}
			return err
		})
		must(t, err)
	})
	a.wantTitles("one", "good")
	if r := a.sync(); !r.Quiet() {
		t.Errorf("garbage is met again: %+v", r)
	}
	// What cannot be understood yet is relayed.
	b.create("two")
	settle(t, a, b)
	equal(t, a, b)
	// Read anew, nothing is quarantined twice.
	a.with(func(_ *workspace.Workspace, rep *replica.Replica) {
		if r, err := rep.Recover(t.Context()); err != nil || r.Quarantined != 0 || r.Restored != 0 {
			t.Errorf("recover: %+v, %v", r, err)
		}
	})
}

// A file that was altered, or removed, on the remote harms nobody.
func TestTamperedFiles(t *testing.T) {
	t.Parallel()
	bare, all := sites(t, 2)
	a, b := all[0], all[1]
	a.create("one", "two")
	a.share()
	b.share()
	settle(t, a, b)
	files := strings.Fields(run(t, bare, "ls-tree", "-r", "--name-only", replica.LocalRef, "ops"))
	line, err := op.Encode(&op.Operation{
		ID: op.MinID(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)), V: 1, Do: op.DoCreate, Issue: "bd-x", At: a.now, By: "x", Set: fields("title", "planted"),
	})
	must(t, err)
	plant(t, bare, replica.LocalRef, map[string]string{files[0]: string(line) + "\n", files[1]: ""})
	a.create("three")
	settle(t, a, b)
	equal(t, a, b)
	a.wantTitles("one", "two", "three", "planted")
	// A fresh clone gets everything from the ref.
	c := newSite(t, filepath.Dir(bare), bare, "c")
	if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
		t.Fatal(err)
	}
	c.wantTitles("one", "two", "three", "planted")
}

// Who shares with another place under the same name, and is interrupted, is not told
// that it has everything.
func TestInterruptedMove(t *testing.T) {
	t.Parallel()
	_, all := sites(t, 1)
	a := all[0]
	a.create("one")
	a.share()
	other := newRemote(t, t.TempDir())
	run(t, a.dir, "remote", "set-url", "origin", other)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var shared *workspace.Workspace
	a.opts = func(o *replica.Options) {
		o.Now = func() time.Time {
			local, err := shared.Local()
			if err != nil {
				t.Error(err)
			}
			if local.Remote != nil && local.Remote.URL == other {
				interrupt()
			}
			return a.tick()
		}
	}
	a.with(func(w *workspace.Workspace, r *replica.Replica) {
		shared = w
		if _, err := r.Sync(ctx, replica.SyncOptions{Publish: true}); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
		if status, err := r.Status(t.Context()); err != nil || status.Remote.URL != other || status.Unshared != 2 {
			t.Errorf("status: %+v, %v", status, err)
		}
	})
	a.opts = nil
	if report := a.sync(); report.Pushed != 2 || report.Unshared != 0 {
		t.Errorf("the next sync: %+v", report)
	}
}
