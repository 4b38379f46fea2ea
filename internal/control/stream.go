package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// A stream shows that it lives every keepAlive; who has heard nothing for three
// of them gives it up.
const (
	keepAlive = 20 * time.Second
	silence   = 3 * keepAlive
)

const eventStream = "text/event-stream"

// maxEvent bounds a line of a stream, in bytes.
const maxEvent = 1 << 20

// ErrStreamEnded is what Events fails with when the daemon ends the stream.
var ErrStreamEnded = errors.New("the daemon ended the stream")

// stream sends events until the reader goes or is too slow, or ctx ends. It
// fails only before anything was written.
func (s server) stream(ctx context.Context, conn net.Conn) error {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return &httpError{status: 503, reason: "too many event streams"}
	}
	events, cancel := s.h.Subscribe()
	defer cancel()
	_ = conn.SetReadDeadline(time.Time{})
	ended := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer ended()
	// The reader has nothing more to say: what comes is the end.
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn)
	}()
	defer func() {
		_ = conn.Close()
		<-gone
	}()
	writeStream(conn, events, gone)
	return nil
}

// writeStream is the answer, until there are no more events, a write fails or
// takes too long, or the reader is gone.
func writeStream(conn net.Conn, events <-chan Event, gone <-chan struct{}) {
	write := func(text string) bool {
		_ = conn.SetWriteDeadline(time.Now().Add(writePatience))
		_, err := io.WriteString(conn, text)
		return err == nil
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	ok := write("HTTP/1.1 200 OK\r\nContent-Type: " + eventStream + "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n: bd\n\n")
	for ok {
		select {
		case e, more := <-events:
			ok = more && write(fmt.Sprintf("event: %s\nid: %d\ndata: %s\n\n", e.Kind, e.ID, e.Data))
		case <-alive.C:
			ok = write(": alive\n\n")
		case <-gone:
			return
		}
	}
}

// eachError is an error of who takes the events.
type eachError struct{ error }

// readStream reads the answer that writeStream writes.
func readStream(conn net.Conn, each func(Event) error) error {
	listen := func() { _ = conn.SetReadDeadline(time.Now().Add(silence)) }
	listen()
	bounded := &io.LimitedReader{R: conn, N: maxHead + maxBody}
	r := bufio.NewReader(bounded)
	status, header, err := readHead(r)
	if err != nil {
		return err
	}
	if status != 200 || header.Get("Content-Type") != eventStream {
		if _, err := readBody(r, status, header); err != nil {
			return err
		}
		return errors.New("answer is not a stream of events")
	}
	bounded.N = math.MaxInt64
	return readEvents(r, listen, each)
}

// readEvents parses server-sent events as far as writeStream uses them. listen
// is called before every line.
func readEvents(r io.Reader, listen func(), each func(Event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	var e Event
	for {
		listen()
		if !lines.Scan() {
			break
		}
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			e.Kind = value
		case "id":
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return fmt.Errorf("id of an event: %w", err)
			}
			e.ID = n
		case "data":
			if !json.Valid([]byte(value)) {
				return fmt.Errorf("data of an event is not JSON: %.40q", value)
			}
			e.Data = json.RawMessage(value)
		case "":
			if lines.Text() == "" && e.Data != nil {
				if err := each(e); err != nil {
					return eachError{err}
				}
				e = Event{}
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return ErrStreamEnded
}
