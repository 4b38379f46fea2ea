package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxLine bounds a message from the client, in bytes: more than five texts
	// of the greatest length need, each byte escaped.
	maxLine = 8 << 20
	// maxCalls is how many calls may be under way; further ones stay unread.
	maxCalls = 16
)

// Stdio is a transport of newline-delimited JSON-RPC for one session. Unlike
// the library's own it answers what is no message instead of giving up, reads
// no more calls than it can have under way, and delivers the end of the input
// only when all of them are answered: the library cancels them then.
type Stdio struct {
	In  io.Reader
	Out io.Writer
}

// Connect implements mcp.Transport. Its reader ends with In, not before.
func (t *Stdio) Connect(context.Context) (mcp.Connection, error) {
	c := &connection{
		out: t.Out, lines: make(chan inputLine), closed: make(chan struct{}),
		slots: make(chan struct{}, maxCalls), calls: map[jsonrpc.ID]bool{},
	}
	go c.read(bufio.NewReaderSize(t.In, 64<<10))
	return c, nil
}

type inputLine struct {
	text []byte
	err  error
}

// errTooLong says that a line was skipped.
var errTooLong = fmt.Errorf("the message is longer than %d bytes", maxLine)

type connection struct {
	lines  chan inputLine
	closed chan struct{}
	close  sync.Once
	slots  chan struct{} // one for each call under way

	mu    sync.Mutex // guards what follows, and whole lines on out
	out   io.Writer
	calls map[jsonrpc.ID]bool // under way
}

// read hands over lines until the input ends.
func (c *connection) read(in *bufio.Reader) {
	for {
		text, err := readLine(in)
		select {
		case c.lines <- inputLine{text, err}:
		case <-c.closed:
			return
		}
		if err != nil && !errors.Is(err, errTooLong) {
			return
		}
	}
}

// readLine reads one line, and skips one that is too long: errTooLong. A last
// line need not end in a newline.
func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	tooLong := false
	for {
		part, err := in.ReadSlice('\n')
		if tooLong = tooLong || len(text)+len(part) > maxLine; tooLong {
			text = nil
		} else {
			text = append(text, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil || errors.Is(err, io.EOF) && len(text) > 0:
			if tooLong {
				return nil, errTooLong
			}
			return text, nil
		default:
			return nil, err
		}
	}
}

// Read implements mcp.Connection.
func (c *connection) Read(ctx context.Context) (jsonrpc.Message, error) {
	for {
		var line inputLine
		select {
		case line = <-c.lines:
		case <-c.closed:
			return nil, io.EOF
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case errors.Is(line.err, errTooLong):
			c.refuse(jsonrpc.CodeInvalidRequest, line.err.Error())
			continue
		case line.err != nil:
			for range maxCalls { // all calls are answered when we have all slots
				if err := c.take(ctx); err != nil {
					return nil, err
				}
			}
			return nil, line.err
		case len(bytes.TrimSpace(line.text)) == 0:
			continue
		}
		message, err := jsonrpc.DecodeMessage(line.text)
		if err != nil {
			c.refuse(jsonrpc.CodeParseError, "a line of the input is no JSON-RPC message")
			continue
		}
		request, ok := message.(*jsonrpc.Request)
		if !ok || !request.IsCall() {
			return message, nil
		}
		if !c.begin(request.ID) {
			c.refuse(jsonrpc.CodeInvalidRequest, "a call with this id is under way")
			continue
		}
		return message, c.take(ctx)
	}
}

// begin notes a call; false if one with its id is under way, which the library
// would never answer.
func (c *connection) begin(id jsonrpc.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[id] {
		return false
	}
	c.calls[id] = true
	return true
}

// take waits for a free slot.
func (c *connection) take(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-c.closed:
		return io.EOF
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Write implements mcp.Connection. A client that reads no answers ends the
// session.
func (c *connection) Write(_ context.Context, message jsonrpc.Message) error {
	text, err := jsonrpc.EncodeMessage(message)
	if err != nil {
		return err
	}
	c.mu.Lock()
	_, err = c.out.Write(append(text, '\n'))
	response, ok := message.(*jsonrpc.Response)
	if answered := ok && c.calls[response.ID]; answered {
		delete(c.calls, response.ID)
		<-c.slots
	}
	c.mu.Unlock()
	if err != nil {
		_ = c.Close()
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}

// refuse answers what is no call. If that fails, the next answer will say so.
func (c *connection) refuse(code int64, message string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = fmt.Fprintf(c.out, `{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":%q}}`+"\n", code, message)
}

// Close implements mcp.Connection.
func (c *connection) Close() error {
	c.close.Do(func() { close(c.closed) })
	return nil
}

// SessionID implements mcp.Connection: there is one session only.
func (c *connection) SessionID() string { return "" }
