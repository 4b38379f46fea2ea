package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"beads/internal/metrics"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("CONTROL_TEST_LISTEN"); path != "" {
		listenForever(path)
	}
	goleak.VerifyTestMain(m)
}

// fake is a Handler that remembers.
type fake struct {
	Hub
	status   Status
	err      error
	stopped  chan struct{}
	reloaded int
}

func (f *fake) Status(context.Context) (Status, error) { return f.status, f.err }
func (f *fake) Health(context.Context) (Health, error) {
	return HealthOf([]Check{{"memory", Warning, "Memory usage exceeds limit"}, {"lock", Healthy, "held"}}), f.err
}
func (f *fake) Metrics(context.Context) (metrics.Snapshot, error) {
	return metrics.New(time.Unix(0, 0)).Snapshot(), f.err
}
func (f *fake) Sync(ctx context.Context) (SyncResult, error) {
	if f.status.PID == 0 {
		<-ctx.Done() // a step that takes for ever
		return SyncResult{}, ctx.Err()
	}
	return SyncResult{Report: Report{Applied: 3}, Exchange: &Exchange{Pushed: 2}}, nil
}
func (f *fake) Reload(context.Context) error { f.reloaded++; return f.err }
func (f *fake) Stop(context.Context) error   { close(f.stopped); return nil }

// socketPath is short enough for every system, unlike t.TempDir.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s", "x.sock")
}

// serve serves h until the test ends, for users with uid.
func serve(t *testing.T, path string, uid int, h Handler) (stop func()) {
	t.Helper()
	l, err := Listen([]string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, uid, h) }()
	stop = func() {
		cancel()
		if done != nil {
			if err := <-done; err != nil {
				t.Error(err)
			}
			done = nil
		}
	}
	t.Cleanup(stop)
	return stop
}

func TestClientAndServer(t *testing.T) {
	path := socketPath(t)
	h := &fake{status: Status{PID: 42, Status: Running, SyncCount: 7}, stopped: make(chan struct{})}
	stop := serve(t, path, os.Getuid(), h)
	missing := filepath.Join(filepath.Dir(path), "none.sock")
	c, err := Connect(t.Context(), []string{missing, path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	if c.PID() != os.Getpid() && c.PID() != 0 {
		t.Errorf("PID %d, want this process, %d", c.PID(), os.Getpid())
	}
	if s, err := c.Status(t.Context()); err != nil || s.PID != 42 || s.SyncCount != 7 {
		t.Errorf("status: %+v %v", s, err)
	}
	if r, err := c.Sync(t.Context()); err != nil || r.Applied != 3 || r.Exchange == nil || r.Exchange.Pushed != 2 {
		t.Errorf("sync: %+v %v", r, err)
	}
	if h, err := c.Health(t.Context()); err != nil || h.Status != Warning || len(h.Checks) != 2 {
		t.Errorf("health: %+v %v", h, err)
	}
	if m, err := c.Metrics(t.Context()); err != nil || !m.StartTime.Equal(time.Unix(0, 0)) || len(m.RefreshSeconds.Buckets) == 0 {
		t.Errorf("metrics: %+v %v", m, err)
	}
	if err := c.Reload(t.Context()); err != nil || h.reloaded != 1 {
		t.Errorf("reload: %d %v", h.reloaded, err)
	}
	h.err = errors.New("broken")
	if _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("an error of the handler came as %v", err)
	}
	for _, test := range []struct{ method, path, err string }{
		{"GET", "/v1/nothing", "no such path"}, {"GET", "/v1/stop", "takes POST"}, {"POST", "/v1/status", "takes GET"},
	} {
		if err := c.call(t.Context(), test.method, test.path, &struct{}{}); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s %s: %v, want %q", test.method, test.path, err, test.err)
		}
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	<-h.stopped
	stop()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if _, err := Connect(t.Context(), []string{path}, os.Getuid()); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("after the end: %v", err)
	}
}

func TestOtherUsersAreTurnedAway(t *testing.T) {
	if peer, _ := ownPeer(t); !peer.known {
		t.Skip("this system does not tell who the peer is")
	}
	path := socketPath(t)
	serve(t, path, os.Getuid()+1, &fake{status: Status{PID: 42}})
	c, err := Connect(t.Context(), []string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.Status(t.Context()); err == nil {
		t.Errorf("the server answered another user: %+v", s)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := &Client{path: path, uid: os.Getuid() + 1}
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("the client believed another user's socket: %v", err)
	}
}

// ownPeer is what the kernel says about a connection to ourselves.
func ownPeer(t *testing.T) (peer, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(filepath.Dir(filepath.Dir(socketPath(t))), "own.sock")})
	if err != nil {
		return peer{}, err
	}
	defer l.Close()
	conn, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	if err != nil {
		return peer{}, err
	}
	defer conn.Close()
	return peerOf(conn)
}

func TestServeEndsWithOpenConnections(t *testing.T) {
	path := socketPath(t)
	stop := serve(t, path, os.Getuid(), &fake{})
	idle, err := net.Dial("unix", path) // says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	c, err := Connect(t.Context(), []string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Sync(t.Context())
		done <- err
	}()
	stop() // hangs if it waits for either
	if err := <-done; err == nil {
		t.Error("a step that was cut off counts as done")
	}
}

func TestClientGivesUp(t *testing.T) {
	path := socketPath(t)
	l, err := Listen([]string{path}, os.Getuid()) // nobody accepts, as in a stopped process
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := Connect(t.Context(), []string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	because := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(because)
	if _, err := c.Status(ctx); !errors.Is(err, because) && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestListen(t *testing.T) {
	path := socketPath(t)
	old, err := Listen([]string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v %v, want mode 0600", info.Mode(), err)
	}
	fresh, err := Listen([]string{path}, os.Getuid())
	if err != nil {
		t.Fatalf("the socket of a dead daemon: %v", err)
	}
	if old.Current() || !fresh.Current() {
		t.Errorf("current: old %t, fresh %t", old.Current(), fresh.Current())
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
	if !fresh.Current() {
		t.Error("closing the old listener removed the new one's socket")
	}
	if err := fresh.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen([]string{path}, os.Getuid()); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file in the socket's place: %v", err)
	}
	second := filepath.Join(filepath.Dir(path), "second.sock")
	l, err := Listen([]string{path, second}, os.Getuid())
	if err != nil || l.Path() != second {
		t.Fatalf("the next place: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Listen(nil, os.Getuid()); err == nil {
		t.Error("no path at all is no error")
	}
}
