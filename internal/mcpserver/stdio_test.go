package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"beads/internal/cli"
	ws "beads/internal/workspace"
)

const hello = `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
`

// callLine is a call of a tool, as a client writes it.
func callLine(id int, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, arguments) + "\n"
}

// talk gives a server its whole input at once and returns its answers by id.
func talk(t *testing.T, p cli.Process, input string, flags ...string) map[string]string {
	t.Helper()
	var out, errOut bytes.Buffer
	p.Args, p.Stdin, p.Stdout, p.Stderr = flags, strings.NewReader(input), &out, &errOut
	if code := Main(t.Context(), p); code != 0 {
		t.Fatalf("exit code %d: %s", code, errOut.String())
	}
	answers := map[string]string{}
	for line := range strings.Lines(out.String()) {
		var answer struct{ ID any }
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatalf("no protocol: %q", line)
		}
		answers[fmt.Sprint(answer.ID)] += line
	}
	return answers
}

// The end of the input does not take away the answers to what came before, of
// however many calls at once.
func TestInputEnds(t *testing.T) {
	dir := workspace(t)
	var input strings.Builder
	input.WriteString(hello)
	const calls = 3 * maxCalls
	for n := range calls {
		input.WriteString(callLine(n, "create", fmt.Sprintf(`{"title":"Issue %d"}`, n)))
	}
	answers := talk(t, surroundingsOf(t, dir), input.String())
	for n := range calls {
		if answer := answers[fmt.Sprint(n)]; !strings.Contains(answer, fmt.Sprintf(`"title":"Issue %d"`, n)) {
			t.Errorf("call %d: %s", n, answer)
		}
	}
	if n := bd(t, dir, "count"); n != fmt.Sprint(calls) {
		t.Errorf("%s issues", n)
	}
	if answers := talk(t, surroundingsOf(t, dir), ""); len(answers) != 0 {
		t.Errorf("no input at all: %v", answers)
	}
}

// What is no message is answered, and the session goes on.
func TestBadInput(t *testing.T) {
	dir := workspace(t)
	for _, tt := range []struct{ about, input, id, says string }{
		{"no JSON", "nonsense\n", "<nil>", "-32700"},
		{"JSON that is no message", "{\"a\":1}\n[]\n", "<nil>", "-32700"},
		{"too long", `{"x":"` + strings.Repeat("x", maxLine) + "\"}\n", "<nil>", "-32600"},
		{"blank lines", "\n \r\n", "8", `"more":false`},
		{"a last line without its end", strings.TrimSuffix(callLine(9, "ready", "{}"), "\n"), "9", `"more":false`},
		{"null for the arguments", callLine(7, "stats", "null"), "7", "total_issues"},
		{"a method that there is not", `{"jsonrpc":"2.0","id":7,"method":"explode"}` + "\n", "7", "-32601"},
	} {
		answers := talk(t, surroundingsOf(t, dir), hello+callLine(8, "ready", "{}")+tt.input)
		if !strings.Contains(answers[tt.id], tt.says) || !strings.Contains(answers["8"], `"more":false`) {
			t.Errorf("%s: %v", tt.about, answers)
		}
	}
}

// A call whose id is in use is refused: the library would never answer it. When
// the first is answered, the id is free again.
func TestIDInUse(t *testing.T) {
	var out bytes.Buffer
	in := callLine(1, "ready", "{}") + callLine(1, "list", "{}") + callLine(2, "ready", "{}") + callLine(1, "stats", "{}")
	c, err := (&Stdio{In: strings.NewReader(in), Out: &out}).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	next := func(tool string) jsonrpc.ID {
		t.Helper()
		message, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		call := message.(*jsonrpc.Request)
		if !strings.Contains(string(call.Params), tool) {
			t.Errorf("read %s, want %s", call.Params, tool)
		}
		return call.ID
	}
	answer := func(id jsonrpc.ID) {
		t.Helper()
		if err := c.Write(t.Context(), &jsonrpc.Response{ID: id, Result: json.RawMessage("{}")}); err != nil {
			t.Error(err)
		}
	}
	first := next("ready")
	second := next("ready") // the list between was refused
	if !strings.Contains(out.String(), "-32600") {
		t.Errorf("the second call of an id: %s", out.String())
	}
	answer(first)
	third := next("stats")
	answer(second)
	answer(third)
	if _, err := c.Read(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("the end: %v", err)
	}
}

// A wrong command line is not taken for a conversation.
func TestCommandLine(t *testing.T) {
	dir := workspace(t)
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--nonsense"}, exitUsage, "not defined"},
		{[]string{"argument"}, exitUsage, "bd mcp --help"},
		{[]string{"--lock-timeout=-1s"}, exitUsage, "bd mcp --help"},
		{[]string{"--help"}, exitDone, "bd mcp --help"},
	} {
		var out, errOut bytes.Buffer
		p := surroundingsOf(t, dir)
		p.Args, p.Stdout, p.Stderr = tt.args, &out, &errOut
		if code := Main(t.Context(), p); code != tt.code || out.Len() > 0 || !strings.Contains(errOut.String(), tt.says) {
			t.Errorf("%q: exit code %d, %q, %q", tt.args, code, out.String(), errOut.String())
		}
	}
	answers := talk(t, surroundingsOf(t, t.TempDir()), hello+callLine(1, "create", `{"title":"x"}`)+callLine(2, "ready", "{}"),
		"--db", filepath.Join(dir, ".beads", "beads.db"), "--actor", "grace", "--readonly", "--lock-timeout", "1s")
	if !strings.Contains(answers["1"], "unknown tool") || !strings.Contains(answers["2"], `"more":false`) {
		t.Errorf("with all flags: %v", answers)
	}
}

// The end of the context interrupts what is under way: here a call that waits
// for another writer.
func TestContextEnds(t *testing.T) {
	dir := workspace(t)
	release := holdLock(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	inReader, in := io.Pipe()
	outReader, out := io.Pipe()
	p := surroundingsOf(t, dir)
	p.Args, p.Stdin, p.Stdout = []string{"--lock-timeout=10h"}, inReader, out
	var ended sync.WaitGroup
	ended.Go(func() {
		if code := Main(ctx, p); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		_ = out.Close()
	})
	answers := bufio.NewScanner(outReader)
	say := func(text string) {
		if _, err := io.WriteString(in, text); err != nil {
			t.Error(err)
		}
	}
	say(hello)
	if !answers.Scan() || !strings.Contains(answers.Text(), "serverInfo") {
		t.Fatalf("hello: %q, %v", answers.Text(), answers.Err())
	}
	say(callLine(1, "create", `{"title":"x"}`))
	say(callLine(2, "stats", "{}"))
	if !answers.Scan() || !strings.Contains(answers.Text(), `"id":2,`) {
		t.Errorf("a call meanwhile: %q", answers.Text())
	}
	cancel()
	for answers.Scan() { // perhaps the answer that it was interrupted
		if strings.Contains(answers.Text(), "structuredContent") {
			t.Errorf("it was done: %s", answers.Text())
		}
	}
	ended.Wait()
	_ = in.Close()
	release()
	if n := bd(t, dir, "count"); n != "0" {
		t.Errorf("%s issues", n)
	}
}

// holdLock writes in dir until the function that it returns is called.
func holdLock(t *testing.T, dir string) (release func()) {
	t.Helper()
	p := surroundingsOf(t, dir)
	place, err := ws.Find(dir, "", p.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ws.Open(t.Context(), place, ws.Options{
		Now: p.Now, Rand: p.Rand, Actor: func() string { return "holder" }, LockTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	held, done := make(chan struct{}), make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		_, err := w.Commit(context.Background(), func(*ws.Tx) ([]ws.Draft, error) {
			close(held)
			<-done
			return nil, nil
		})
		if err = errors.Join(err, w.Close()); err != nil {
			t.Error(err)
		}
	})
	<-held
	return func() { close(done); ended.Wait() }
}

// A client that reads nothing more ends the session with an error.
func TestOutputBreaks(t *testing.T) {
	inReader, in := io.Pipe()
	p := surroundingsOf(t, workspace(t))
	var errOut bytes.Buffer
	p.Stdin, p.Stdout, p.Stderr = inReader, brokenWriter{}, &errOut
	var ended sync.WaitGroup
	ended.Go(func() {
		if code := Main(t.Context(), p); code != exitFail {
			t.Errorf("exit code %d", code)
		}
	})
	if _, err := io.WriteString(in, hello); err != nil {
		t.Error(err)
	}
	ended.Wait()
	_ = in.Close()
	if !strings.Contains(errOut.String(), "broken") {
		t.Errorf("standard error: %q", errOut.String())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }
