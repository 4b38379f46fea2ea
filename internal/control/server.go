package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"beads/internal/metrics"
)

// Bounds on a connection.
const (
	headPatience  = 5 * time.Second // until the request is there
	writePatience = 5 * time.Second
	maxConns      = 64
	maxStreams    = 32 // of them: they must leave room for status and stop
)

// Listener is a bound socket.
type Listener struct {
	*net.UnixListener
	path string
	info os.FileInfo // of the socket as it was bound
	once sync.Once

	skipped error // why better places did not do; nil: it is in the best
}

// Listen binds the first of paths that works. The caller holds the workspace's
// daemon lock, so a socket that is there already is a dead daemon's, or one of
// a daemon that has lost its lock and leaves; it is removed.
func Listen(paths []string, uid int) (*Listener, error) {
	var errs []error
	for _, path := range paths {
		l, err := listen(path, uid)
		if err == nil {
			l.skipped = errors.Join(errs...)
			return l, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return nil, errors.New("no directory with a path short enough for a socket")
	}
	return nil, errors.Join(errs...)
}

func listen(path string, uid int) (*Listener, error) {
	if err := makeDir(filepath.Dir(path), uid); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("%s is not a socket", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove old socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	// Closing must not remove the path blindly: a later daemon may own it.
	l.SetUnlinkOnClose(false)
	info, err := os.Lstat(path)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &Listener{UnixListener: l, path: path, info: info}, nil
}

// Path is where the socket was bound.
func (l *Listener) Path() string { return l.path }

// Skipped says why the socket is not in the best of its places; nil if it is.
func (l *Listener) Skipped() error { return l.skipped }

// Current reports whether the path still names this socket.
func (l *Listener) Current() bool {
	info, err := os.Lstat(l.path)
	return err == nil && os.SameFile(info, l.info)
}

// Close ends the listener and removes the socket if it is still this one.
// Idempotent.
func (l *Listener) Close() error {
	var err error
	l.once.Do(func() {
		if l.Current() {
			err = os.Remove(l.path)
		}
		err = errors.Join(err, l.UnixListener.Close())
	})
	return err
}

// Serve answers until ctx ends, then closes l and returns when the last answer
// is out. Processes of users other than uid are turned away.
func Serve(ctx context.Context, l *Listener, uid int, h Handler) error {
	closed := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer closed()
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, maxConns)
	s := server{h: h, uid: uid, streams: make(chan struct{}, maxStreams)}
	for {
		conn, err := l.AcceptUnix()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			if conn != nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			// Out of descriptors, most likely: those of others come free.
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			defer conn.Close()
			s.serve(ctx, conn)
		})
	}
}

// server is what the connections of one Serve share.
type server struct {
	h       Handler
	uid     int
	streams chan struct{}
}

// serve answers one request. Errors of the connection are the client's.
func (s server) serve(ctx context.Context, conn *net.UnixConn) {
	if peer, err := peerOf(conn); err != nil || peer.known && peer.uid != s.uid {
		return
	}
	// The deadline also ends connections that say nothing when we stop.
	_ = conn.SetReadDeadline(time.Now().Add(headPatience))
	unblock := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer unblock()
	r, err := readRequest(conn)
	var refused *httpError
	if err != nil && !errors.As(err, &refused) {
		return // nobody asked
	}
	var value any
	if err == nil {
		value, err = s.answer(ctx, r)
	}
	if _, ok := value.(stream); ok && err == nil {
		if err = s.stream(ctx, conn); err == nil {
			return
		}
	}
	_ = conn.SetWriteDeadline(time.Now().Add(writePatience))
	_ = writeResponse(conn, value, err)
}

// stream stands for an answer without an end.
type stream struct{}

func (s server) answer(ctx context.Context, r request) (any, error) {
	h := s.h
	routes := map[string]struct {
		method string
		call   func() (any, error)
	}{
		"/v1/status":  {"GET", func() (any, error) { return h.Status(ctx) }},
		"/v1/health":  {"GET", func() (any, error) { return h.Health(ctx) }},
		"/v1/metrics": {"GET", func() (any, error) { return s.metrics(ctx, r) }},
		"/v1/events":  {"GET", func() (any, error) { return stream{}, nil }},
		"/v1/sync":    {"POST", func() (any, error) { return h.Sync(ctx) }},
		"/v1/reload":  {"POST", func() (any, error) { return struct{}{}, h.Reload(ctx) }},
		"/v1/stop":    {"POST", func() (any, error) { return struct{}{}, h.Stop(ctx) }},
	}
	route, ok := routes[r.path]
	if !ok {
		return nil, &httpError{status: 404, reason: "no such path: " + r.path}
	}
	if route.method != r.method {
		return nil, &httpError{status: 405, reason: r.path + " takes " + route.method, allow: route.method}
	}
	return route.call()
}

// metrics answers OpenMetrics text unless JSON is asked for, by format=json or
// by an Accept that names it first.
func (s server) metrics(ctx context.Context, r request) (any, error) {
	format := r.query.Get("format")
	if format == "" {
		format = preferred(r.accept)
	}
	if format != "json" && format != "openmetrics" {
		return nil, &httpError{status: 400, reason: "format must be json or openmetrics"}
	}
	shot, err := s.h.Metrics(ctx)
	if err != nil || format == "json" {
		return shot, err
	}
	return text{metrics.ContentType, shot.OpenMetrics()}, nil
}

// preferred is the format that an Accept header names first. Weights are not
// looked at: who asks for metrics names what it wants.
func preferred(accept string) string {
	for item := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(item, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json":
			return "json"
		case "application/openmetrics-text", "text/plain":
			return "openmetrics"
		}
	}
	return "openmetrics"
}
