package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// subscribed waits until n readers listen.
func (h *Hub) subscribed(n int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers) == n
}

func await(t *testing.T, what string, true func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	limit := time.After(10 * time.Second)
	for !true() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("never came true: %s", what)
		}
	}
}

func connect(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Connect(t.Context(), []string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEvents: what is published arrives in order, until the server stops.
func TestEvents(t *testing.T) {
	path := socketPath(t)
	h := &fake{}
	stop := serve(t, path, os.Getuid(), h)
	c := connect(t, path)
	got := make(chan Event)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Events(t.Context(), func(e Event) error { got <- e; return nil })
	}()
	await(t, "a subscription", func() bool { return h.subscribed(1) })
	for i := range 3 {
		if err := h.Publish(AppliedEvent, Applied{Operations: int64(i), Issues: []string{"bd-1\n\nevent: x"}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		e := <-got
		var data Applied
		if err := json.Unmarshal(e.Data, &data); err != nil || e.Kind != AppliedEvent || e.ID != uint64(i+1) || data.Operations != int64(i) || data.Issues[0] != "bd-1\n\nevent: x" {
			t.Errorf("event %d: %+v %s %v", i, e, e.Data, err)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, ErrStreamEnded) {
		t.Errorf("after the stop: %v, want ErrStreamEnded", err)
	}
	if !h.subscribed(0) {
		t.Error("the subscription is still there")
	}
}

// TestEventsEnd: by the context, by the function, and when the reader just goes.
func TestEventsEnd(t *testing.T) {
	path := socketPath(t)
	h := &fake{}
	serve(t, path, os.Getuid(), h)
	c := connect(t, path)
	because := errors.New("enough")

	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Events(ctx, func(Event) error { return nil }) }()
	await(t, "a subscription", func() bool { return h.subscribed(1) })
	cancel(because)
	if err := <-ended; !errors.Is(err, because) {
		t.Errorf("by the context: %v", err)
	}
	await(t, "its end", func() bool { return h.subscribed(0) })

	go func() { ended <- c.Events(t.Context(), func(Event) error { return because }) }()
	await(t, "a subscription", func() bool { return h.subscribed(1) })
	if err := h.Publish(SyncEvent, Synced{}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, because) {
		t.Errorf("by the function: %v", err)
	}
	await(t, "its end", func() bool { return h.subscribed(0) })
}

// TestSlowReader: who does not read loses the stream, and nobody waits for it.
func TestSlowReader(t *testing.T) {
	path := socketPath(t)
	h := &fake{}
	serve(t, path, os.Getuid(), h)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := writeRequest(conn, "GET", "/v1/events"); err != nil {
		t.Fatal(err)
	}
	await(t, "a subscription", func() bool { return h.subscribed(1) })
	large := strings.Repeat("x", 64<<10) // fills the socket's buffers
	for n := 0; !h.subscribed(0); n++ {
		if n > 10_000 {
			t.Fatal("a reader that reads nothing is kept")
		}
		if err := h.Publish(SyncEvent, Synced{Error: large}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := connect(t, path).Status(t.Context()); err != nil {
		t.Errorf("meanwhile: %v", err)
	}
}

// TestManyStreams: they leave room for other requests, and one too many is told.
func TestManyStreams(t *testing.T) {
	path := socketPath(t)
	h := &fake{status: Status{PID: 1}}
	stop := serve(t, path, os.Getuid(), h)
	c := connect(t, path)
	ended := make(chan error, maxStreams)
	for range maxStreams {
		go func() { ended <- c.Events(t.Context(), func(Event) error { return nil }) }()
	}
	await(t, "all subscriptions", func() bool { return h.subscribed(maxStreams) })
	if err := c.Events(t.Context(), func(Event) error { return nil }); err == nil || !strings.Contains(err.Error(), "too many event streams") {
		t.Errorf("one too many: %v", err)
	}
	if s, err := c.Status(t.Context()); err != nil || s.PID != 1 {
		t.Errorf("status beside them: %+v %v", s, err)
	}
	stop()
	for range maxStreams {
		if err := <-ended; !errors.Is(err, ErrStreamEnded) {
			t.Error(err)
		}
	}
}

func TestHub(t *testing.T) {
	var h Hub
	events, cancel := h.Subscribe()
	cancel()
	cancel()
	if _, more := <-events; more {
		t.Error("an event after cancel")
	}
	events, cancel = h.Subscribe()
	defer cancel()
	h.Close()
	if _, more := <-events; more {
		t.Error("an event after Close")
	}
	events, cancel = h.Subscribe()
	defer cancel()
	if _, more := <-events; more {
		t.Error("a subscription to a closed hub lives")
	}
	if err := h.Publish("x", func() {}); err == nil {
		t.Error("what is no JSON was published")
	}
}

// TestKeepAlive: a quiet stream shows that it lives, and a silent one is given
// up.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer server.Close()
		events := make(chan Event)
		gone := make(chan struct{})
		ended := make(chan error, 1)
		go func() { ended <- readStream(client, func(Event) error { return nil }) }()
		go writeStream(server, events, gone)
		begin := time.Now()
		time.AfterFunc(10*time.Minute, func() { close(gone) }) // silence from here on
		err := <-ended
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(begin) < 10*time.Minute {
			t.Errorf("ended after %s: %v", time.Since(begin), err)
		}
	})
}

func TestReadStream(t *testing.T) {
	for _, test := range []struct{ name, wire, want string }{
		{"one event", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: bd\n\nevent: sync\nid: 7\ndata: {}\n\n", "sync 7 {}; the daemon ended the stream"},
		{"an unknown field", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 3\nevent:x\ndata:1\n\n", "x 0 1; the daemon ended the stream"},
		{"cut short", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: x\ndata: 1", "the daemon ended the stream"},
		{"refused", "HTTP/1.1 503 X\r\nContent-Length: 16\r\n\r\n{\"error\":\"full\"}", "full"},
		{"something else", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "answer is not a stream of events"},
		{"not JSON", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n", `data of an event is not JSON: "x"`},
		{"a bad id", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nid: x\n\n", `id of an event: strconv.ParseUint: parsing "x": invalid syntax`},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, client := net.Pipe()
			go func() {
				_, _ = io.WriteString(server, test.wire)
				_ = server.Close()
			}()
			got := ""
			err := readStream(client, func(e Event) error {
				got += fmt.Sprintf("%s %d %s; ", e.Kind, e.ID, e.Data)
				return nil
			})
			if got += err.Error(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte(": bd\n\nevent: sync\nid: 7\ndata: {}\n\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		err := readEvents(bufio.NewReader(bytes.NewReader(wire)), func() {}, func(e Event) error {
			if !json.Valid(e.Data) {
				t.Errorf("event with %q", e.Data)
			}
			return nil
		})
		if err == nil {
			t.Error("a stream that ends is no error")
		}
	})
}
