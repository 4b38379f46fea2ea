package daemon

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"beads/internal/control"
	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// running is a daemon on a real workspace, in its loop, and a client of it.
type running struct {
	*fixture
	client *control.Client
	other  *workspace.Workspace // another process's
	ended  chan error
}

func run(t *testing.T, change func(*Options)) *running {
	t.Helper()
	r := &running{fixture: newFixture(t), ended: make(chan error, 1)}
	place, err := workspace.Find(r.opts.Place.Root, "", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	options := workspace.Options{
		Now: time.Now, Rand: rand.Reader, Actor: func() string { return "tester" }, Command: "test",
		LockTimeout: 20 * time.Second, Notice: func(string) {},
	}
	if r.other, _, err = workspace.Init(t.Context(), place, "bd", options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.other.Close() })
	place.Exists = true
	r.opts.Place, r.opts.Now, r.opts.Config.AutoSync = place, time.Now, false
	r.opts.Open = func(ctx context.Context, _ func(string)) (Workspace, error) {
		w, err := workspace.Open(ctx, place, options)
		if err != nil {
			return nil, err
		}
		return w, nil
	}
	if change != nil {
		change(&r.opts)
	}
	r.start(t)
	socket := r.socket.Path()
	go func() { r.ended <- r.Run(context.WithoutCancel(t.Context())) }()
	if r.client, err = control.Connect(t.Context(), []string{socket}, os.Getuid()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *running) create(t *testing.T, titles ...string) (ids []string) {
	t.Helper()
	made, err := r.other.Commit(t.Context(), func(*workspace.Tx) (drafts []workspace.Draft, err error) {
		for _, title := range titles {
			id, err := op.NewIssueID("bd", rand.Reader)
			if err != nil {
				return nil, err
			}
			drafts = append(drafts, workspace.Draft{Op: &op.Operation{Do: op.DoCreate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str(title)}}})
		}
		return drafts, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range made {
		ids = append(ids, o.Issue)
	}
	return ids
}

func (r *running) sync(t *testing.T) control.SyncResult {
	t.Helper()
	result, err := r.client.Sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (r *running) end(t *testing.T) {
	t.Helper()
	if err := r.client.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

// TestEventsOfOperations: who listens learns what another process wrote, and
// that the daemon has stopped.
func TestEventsOfOperations(t *testing.T) {
	r := run(t, nil)
	r.sync(t) // the one at the start is over, too
	events := make(chan control.Event, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- r.client.Events(t.Context(), func(e control.Event) error { events <- e; return nil })
	}()
	next := func(kind string, data any) {
		t.Helper()
		for e := range events {
			if e.Kind == kind {
				if err := json.Unmarshal(e.Data, data); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
	}
	var cycle control.Synced
	for len(events) == 0 { // until it listens
		r.sync(t)
	}
	next(control.SyncEvent, &cycle)
	if cycle.Report == nil || cycle.Exchange != nil || cycle.Error != "" || cycle.Time.IsZero() {
		t.Errorf("a cycle: %+v", cycle)
	}
	ids := r.create(t, "one", "two")
	r.sync(t)
	var applied control.Applied
	next(control.AppliedEvent, &applied)
	slices.Sort(ids)
	if slices.Sort(applied.Issues); applied.Operations != 2 || !slices.Equal(applied.Issues, ids) || applied.More {
		t.Errorf("applied %+v, want %q", applied, ids)
	}
	r.create(t, make([]string, namedIssues+5)...)
	r.sync(t)
	next(control.AppliedEvent, &applied)
	if applied.Operations != namedIssues+5 || len(applied.Issues) != namedIssues || !applied.More {
		t.Errorf("applied many: %d, %d issues, more %t", applied.Operations, len(applied.Issues), applied.More)
	}
	if s, err := r.client.Status(t.Context()); err != nil || s.Quarantine == nil || *s.Quarantine != 0 || s.Unpublished != nil || s.Socket == "" || s.CPUSeconds <= 0 {
		t.Errorf("status %+v, %v", s, err)
	}
	r.end(t)
	if err := <-ended; !errors.Is(err, control.ErrStreamEnded) {
		t.Errorf("the stream ended with %v", err)
	}
}

// TestSyncWaitsForItsExchange: the answer is of an exchange that began after the
// refresh, not of the one that ran already.
func TestSyncWaitsForItsExchange(t *testing.T) {
	remote := slowRemote{asked: make(chan struct{}), answers: make(chan replica.Report)}
	r := run(t, func(o *Options) {
		o.Config.SyncOnStartup = false
		o.Exchange = func(context.Context, func(string)) (Exchanger, error) { return remote, nil }
		o.Remote, o.Rand = RemoteSettings{AutoPush: true, AutoFetch: true}, noJitter()
	})
	results := make(chan control.SyncResult, 2)
	ask := func() {
		result, err := r.client.Sync(t.Context())
		if err != nil {
			t.Error(err)
		}
		results <- result
	}
	go ask()
	<-remote.asked // the first runs
	go ask()
	for r.snapshotCycles(t) < 2 {
	}
	remote.answers <- replica.Report{Published: 1}
	if got := <-results; got.Exchange == nil || got.Exchange.Published != 1 {
		t.Errorf("the first: %+v", got.Exchange)
	}
	<-remote.asked
	remote.answers <- replica.Report{Published: 2, Fetched: 3}
	if got := <-results; got.Exchange == nil || got.Exchange.Published != 2 || got.Exchange.Fetched != 3 {
		t.Errorf("the second: %+v", got.Exchange)
	}
	if m, err := r.client.Metrics(t.Context()); err != nil || m.Published != 3 || m.Fetched != 3 || m.ExchangeSeconds.Count != 2 {
		t.Errorf("metrics %+v, %v", m, err)
	}
	// A remote that fails is no failure of the cycle; a stop does not wait for it.
	go ask()
	<-remote.asked
	close(remote.answers)
	if got := <-results; got.Exchange == nil || got.Exchange.Error == "" {
		t.Errorf("with a remote that is away: %+v", got.Exchange)
	}
	r.end(t)
}

func (r *running) snapshotCycles(t *testing.T) int64 {
	t.Helper()
	s, err := r.client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.SyncCount
}

// slowRemote answers what a test hands it, and fails when that is over.
type slowRemote struct {
	asked   chan struct{}
	answers chan replica.Report
}

func (s slowRemote) Sync(ctx context.Context, _ replica.SyncOptions) (replica.Report, error) {
	select {
	case s.asked <- struct{}{}:
	case <-ctx.Done():
		return replica.Report{}, context.Cause(ctx)
	}
	select {
	case report, more := <-s.answers:
		if !more {
			return replica.Report{}, git.ErrUnreachable
		}
		return report, nil
	case <-ctx.Done():
		return replica.Report{}, context.Cause(ctx)
	}
}

func (slowRemote) Status(context.Context) (replica.Status, error) { return replica.Status{}, nil }
func (slowRemote) Close() error                                   { return nil }

// TestAskWhileStopping: a request that comes too late is told so.
func TestAskWhileStopping(t *testing.T) {
	f := newFixture(t).start(t)
	f.halt()
	h := handler{Daemon: f.Daemon}
	if _, err := h.Sync(t.Context()); !errors.Is(err, control.ErrStopping) {
		t.Errorf("got %v, want ErrStopping", err)
	}
	f.stop(t)
}
