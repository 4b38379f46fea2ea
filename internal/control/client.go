package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"beads/internal/metrics"
)

const connectPatience = time.Second

// ErrNoDaemon is what Connect fails with when no socket answers.
var ErrNoDaemon = errors.New("no daemon answers")

// Client talks to one daemon.
type Client struct {
	path string
	uid  int
	pid  int
}

// Connect finds the daemon that listens on one of paths. It fails with
// ErrNoDaemon if none does; a socket that is not this user's is an error of its
// own, never believed.
func Connect(ctx context.Context, paths []string, uid int) (*Client, error) {
	var errs []error
	for _, path := range paths {
		c := &Client{path: path, uid: uid}
		conn, peer, err := c.dial(ctx)
		if err != nil {
			if !absent(err) {
				errs = append(errs, err)
			}
			continue
		}
		c.pid = peer.pid
		return c, conn.Close()
	}
	return nil, errors.Join(append(errs, ErrNoDaemon)...)
}

// PID is the daemon's process, from the kernel; 0 where the kernel does not say.
func (c *Client) PID() int { return c.pid }

// Status asks how the daemon is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, c.call(ctx, "GET", "/v1/status", &s)
}

// Health asks what the daemon's last check found.
func (c *Client) Health(ctx context.Context) (Health, error) {
	var h Health
	return h, c.call(ctx, "GET", "/v1/health", &h)
}

// Metrics asks what the daemon has counted.
func (c *Client) Metrics(ctx context.Context) (metrics.Snapshot, error) {
	var s metrics.Snapshot
	return s, c.call(ctx, "GET", "/v1/metrics", &s)
}

// Sync lets the daemon do one whole cycle now, and returns when it is over.
func (c *Client) Sync(ctx context.Context) (SyncResult, error) {
	var r SyncResult
	return r, c.call(ctx, "POST", "/v1/sync", &r)
}

// Reload lets the daemon read its settings again.
func (c *Client) Reload(ctx context.Context) error {
	return c.call(ctx, "POST", "/v1/reload", &struct{}{})
}

// Events calls each with every event from now on, in order. It returns when ctx
// ends (with its cause), when each fails (that error), or when the daemon ends the
// stream (ErrStreamEnded): it stopped, or each was so slow that events were lost.
// A daemon that has been silent for too long is an error too.
func (c *Client) Events(ctx context.Context, each func(Event) error) error {
	conn, _, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	unblock := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer unblock()
	const path = "/v1/events"
	if err = writeRequest(conn, "GET", path); err == nil {
		err = readStream(conn, each)
	}
	var own eachError
	if errors.As(err, &own) {
		return own.error
	}
	return c.failure(ctx, path, err)
}

// Stop begins a clean stop. That it returned says that the daemon heard, not
// that it is gone.
func (c *Client) Stop(ctx context.Context) error {
	return c.call(ctx, "POST", "/v1/stop", &struct{}{})
}

// Kill ends the daemon's process with SIGKILL. The process is named by the
// kernel, through a connection that proves it alive at that moment; where that
// cannot be had, nobody is signalled and Kill fails.
func (c *Client) Kill(ctx context.Context) error {
	conn, peer, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if !peer.known || peer.pid <= 1 || peer.pid != c.pid {
		return errors.New("its process is not known for certain")
	}
	return kill(conn, peer.pid)
}

func (c *Client) call(ctx context.Context, method, path string, value any) error {
	conn, _, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	unblock := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer unblock()
	err = writeRequest(conn, method, path)
	if err == nil {
		err = readResponse(conn, value)
	}
	return c.failure(ctx, path, err)
}

// failure is what a call fails with: the daemon's own words, the reason why ctx
// ended, or what is wrong with the connection.
func (c *Client) failure(ctx context.Context, path string, err error) error {
	var answer *AnswerError
	switch {
	case err == nil, errors.As(err, &answer):
		return err
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return fmt.Errorf("daemon %s: %w", path, err)
}

// dial connects and checks who is there.
func (c *Client) dial(ctx context.Context) (*net.UnixConn, peer, error) {
	if err := checkDir(filepath.Dir(c.path), c.uid); err != nil {
		return nil, peer{}, err
	}
	dialer := net.Dialer{Timeout: connectPatience}
	conn, err := dialer.DialContext(ctx, "unix", c.path)
	if err != nil {
		return nil, peer{}, err
	}
	unixConn := conn.(*net.UnixConn)
	who, err := peerOf(unixConn)
	if err == nil && who.known && who.uid != c.uid {
		err = fmt.Errorf("socket %s is served by another user", c.path)
	}
	if err != nil {
		return nil, peer{}, errors.Join(err, conn.Close())
	}
	return unixConn, who, nil
}

// absent reports whether a dial failed because nobody is there.
func absent(err error) bool {
	return errors.Is(err, os.ErrNotExist) || refused(err)
}
