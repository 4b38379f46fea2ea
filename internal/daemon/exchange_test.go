package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"beads/internal/git"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// stillRemote is a replica whose answers are set by the test.
type stillRemote struct {
	asked   chan replica.SyncOptions
	release chan struct{}
}

func (s stillRemote) Sync(ctx context.Context, o replica.SyncOptions) (replica.Report, error) {
	s.asked <- o
	select {
	case <-s.release:
		return replica.Report{}, nil
	case <-ctx.Done():
		return replica.Report{}, context.Cause(ctx)
	}
}

func (stillRemote) Status(context.Context) (replica.Status, error) { return replica.Status{}, nil }
func (stillRemote) Close() error                                   { return nil }

// noJitter always draws the smallest random number.
func noJitter() *bytes.Reader { return bytes.NewReader(make([]byte, 1<<10)) }

func pinned(success time.Time) replica.Status {
	s := replica.Status{Remote: &workspace.Remote{Name: "origin"}}
	s.Last.Success = success
	return s
}

// TestRemoteInterval: soon while operations come, later and later while none
// do or the remote fails, never later than five minutes.
func TestRemoteInterval(t *testing.T) {
	moved := replica.Report{Fetched: 1}
	failure := fmt.Errorf("x: %w", git.ErrUnreachable)
	steps := []struct {
		name string
		r    exchanged
		want time.Duration
	}{
		{"nothing came", exchanged{status: pinned(testStart)}, time.Minute},
		{"nothing again", exchanged{status: pinned(testStart)}, 2 * time.Minute},
		{"it failed", exchanged{status: pinned(testStart), err: failure}, 4 * time.Minute},
		{"it failed again", exchanged{status: pinned(testStart), err: failure}, maxRemoteInterval},
		{"and again", exchanged{status: pinned(testStart), err: failure}, maxRemoteInterval},
		{"something came", exchanged{status: pinned(testStart), report: moved}, 30 * time.Second},
	}
	e := newExchange(nil, RemoteSettings{AutoPush: true, AutoFetch: true, Interval: 30 * time.Second}, noJitter(), testStart)
	if e.remoteDue(testStart) {
		t.Error("a remote is asked that nobody chose")
	}
	for _, step := range steps {
		e.note(testStart, step.r)
		if got := e.wait(testStart); got != step.want {
			t.Errorf("%s: asked again after %s, want %s", step.name, got, step.want)
		}
		if e.remoteDue(testStart.Add(step.want - 1)) {
			t.Errorf("%s: asked too early", step.name)
		}
	}
	if !e.remoteDue(testStart.Add(30*time.Second)) || e.remoteDue(testStart.Add(30*time.Second)) {
		t.Error("asked not at all, or twice")
	}
}

// TestRefusedRemote: after three refusals the remote is left alone until
// another process got through.
func TestRefusedRemote(t *testing.T) {
	e := newExchange(nil, RemoteSettings{AutoPush: true, AutoFetch: true}, noJitter(), testStart)
	now := testStart
	next := func() replica.SyncOptions { e.start(); return <-e.kick }
	for n := range maxAuthFailures {
		if o := next(); o.NoFetch || o.NoPush {
			t.Errorf("left alone after %d refusals", n)
		}
		now = now.Add(time.Minute)
		e.note(now, exchanged{err: fmt.Errorf("x: %w", git.ErrAuthentication), status: pinned(testStart)})
	}
	if o := next(); !o.NoFetch || !o.NoPush {
		t.Error("a remote that refuses is asked on")
	}
	alone := exchanged{status: pinned(testStart)} // our own ref only
	alone.status.Last.Error = "who are you?"
	e.note(now, alone)
	if o := next(); !o.NoFetch || !o.NoPush {
		t.Error("asked again though nobody got through")
	}
	if text := e.trouble(alone); text != "who are you?; not asked again until a bd sync gets through" {
		t.Errorf("a remote that is left alone is told as %q", text)
	}
	e.note(now, exchanged{status: pinned(now.Add(time.Second))})
	if o := next(); o.NoFetch || o.NoPush {
		t.Error("left alone though another process got through")
	}
}

// TestAutoSettings: each direction can be switched off.
func TestAutoSettings(t *testing.T) {
	for _, s := range []RemoteSettings{{AutoPush: true}, {AutoFetch: true}, {}} {
		e := newExchange(nil, s, noJitter(), testStart)
		e.note(testStart, exchanged{status: pinned(testStart)})
		e.start()
		if o := <-e.kick; o.NoFetch == s.AutoFetch || o.NoPush == s.AutoPush {
			t.Errorf("%+v: asked for %+v", s, o)
		}
		if e.remoteDue(testStart.Add(time.Hour)) != s.AutoFetch {
			t.Errorf("%+v: the remote is due: %t", s, !s.AutoFetch)
		}
		failed := exchanged{status: pinned(testStart), err: fmt.Errorf("x: %w", git.ErrUnreachable)}
		failed.status.Unshared = 1
		e.note(testStart, failed)
		if due := e.remoteDue(testStart.Add(time.Hour)); due != (s.AutoFetch || s.AutoPush) {
			t.Errorf("%+v: what was not pushed is tried again: %t", s, due)
		}
	}
}

// TestHangingRemote: while an exchange hangs, cycles go on and further ones are
// asked for only once; a stop ends it.
func TestHangingRemote(t *testing.T) {
	f := newFixture(t)
	remote := stillRemote{asked: make(chan replica.SyncOptions, 4), release: make(chan struct{})}
	f.opts.Exchange = func(context.Context, func(string)) (Exchanger, error) { return remote, nil }
	f.opts.Remote, f.opts.Rand = RemoteSettings{AutoPush: true, AutoFetch: true}, noJitter()
	f.start(t)
	finish := f.workExchange()
	cycle := func() {
		if err := f.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	<-remote.asked
	if s, err := (handler{f.Daemon, ""}).Status(t.Context()); err != nil || s.ExchangingSince == nil {
		t.Errorf("status does not tell of the exchange: %+v, %v", s, err)
	}
	for range 5 {
		cycle()
	}
	if f.state.SyncCount != 6 {
		t.Errorf("%d cycles, five of them while the exchange hangs; want 6", f.state.SyncCount)
	}
	remote.release <- struct{}{}
	f.Exchanged(<-f.results())
	<-remote.asked
	if !finish() {
		t.Error("the exchange did not end with its context")
	}
	if n := len(remote.asked); n != 0 {
		t.Errorf("%d exchanges more than needed", n)
	}
	f.stop(t)
}

// TestExchangedTellsOnce: a failure that goes on is one line in the log, and its
// end another.
func TestExchangedTellsOnce(t *testing.T) {
	f := newFixture(t)
	f.opts.Exchange = func(context.Context, func(string)) (Exchanger, error) { return stillRemote{}, nil }
	f.opts.Rand = noJitter()
	f.start(t)
	lost := replica.Status{ClaimsLost: []workspace.LostClaim{{Claim: workspace.Claim{Op: "1", Issue: "bd-1"}, Reason: "held", Holder: "bob"}}}
	for range 3 {
		f.Exchanged(exchanged{err: errors.New("no route"), status: lost})
	}
	f.Exchanged(exchanged{status: lost})
	for text, want := range map[string]int{"Sync failed: no route": 1, "The remote works again": 1, "Claim lost: bd-1": 1} {
		if got := bytes.Count([]byte(f.log.String()), []byte(text)); got != want {
			t.Errorf("%q stands %d times in the log, want %d:\n%s", text, got, want, f.log.String())
		}
	}
	if s, err := (handler{Daemon: f.Daemon}).Status(t.Context()); err != nil || s.Remote == nil || s.Remote.ClaimsLost != 1 || s.Remote.Error != "" {
		t.Errorf("status %+v, %v", s.Remote, err)
	}
	f.stop(t)
}
