package mcpserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"beads/internal/cli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// surroundingsOf are those of a server in dir; env is NAME=VALUE.
func surroundingsOf(t *testing.T, dir string, env ...string) cli.Process {
	t.Helper()
	home := t.TempDir()
	env = append([]string{"HOME=" + home, "BD_ACTOR=ada", "XDG_STATE_HOME=" + home, "XDG_RUNTIME_DIR=" + home,
		"GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir)}, env...)
	values := map[string]string{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	return cli.Process{
		Dir: dir, Environ: env, Getenv: func(name string) string { return values[name] },
		Set:   func(name string) bool { _, found := values[name]; return found },
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Executable: filepath.Join(home, "bd-mcp"), Login: func() string { return "login" }, Home: home,
		Now: time.Now, Rand: rand.Reader, Location: time.UTC,
	}
}

// bd runs a command line in dir beside the server and returns what it printed.
func bd(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	p := surroundingsOf(t, dir)
	p.Args, p.Stdout, p.Stderr = args, &out, &errOut
	if code := cli.Run(t.Context(), p); code != 0 {
		t.Fatalf("bd %q: exit code %d\n%s%s", args, code, out.String(), errOut.String())
	}
	return strings.TrimSpace(out.String())
}

// workspace makes a directory with one.
func workspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	bd(t, dir, "init")
	return dir
}

// A client talks to a server of its own, in memory.
type client struct {
	t *testing.T
	*mcp.ClientSession
}

// connect starts a server in dir.
func connect(t *testing.T, dir string, o Options, env ...string) client {
	t.Helper()
	o.LockTimeout = cmp.Or(o.LockTimeout, time.Minute) // none would fail at once where others write
	ctx, cancel := context.WithCancel(context.Background())
	server, err := New(ctx, surroundingsOf(t, dir, env...), o)
	if err != nil {
		t.Fatal(err)
	}
	near, far := mcp.NewInMemoryTransports()
	served, err := server.Connect(ctx, far, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(ctx, near, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = session.Close() // the server may have closed it already
		_ = served.Wait()
		cancel()
	})
	return client{t, session}
}

type args = map[string]any

// answer calls a tool and decodes what it answered; failed says that it is an
// error.
func (c client) answer(tool string, in args) (out map[string]any, failed bool) {
	c.t.Helper()
	result, err := c.CallTool(context.Background(), &mcp.CallToolParams{Name: tool, Arguments: in})
	if err != nil {
		c.t.Fatalf("%s %v: %v", tool, in, err)
	}
	text := result.Content[0].(*mcp.TextContent).Text
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		c.t.Fatalf("%s %v: %q is no JSON object", tool, in, text)
	}
	if !result.IsError {
		structured, err := json.Marshal(result.StructuredContent)
		if again, _ := json.Marshal(out); err != nil || !bytes.Equal(structured, again) {
			c.t.Errorf("%s %v: the text is %s, the structured content %s", tool, in, again, structured)
		}
	}
	return out, result.IsError
}

// do is answer for calls that succeed.
func (c client) do(tool string, in args) map[string]any {
	c.t.Helper()
	out, failed := c.answer(tool, in)
	if failed {
		c.t.Fatalf("%s %v: %v", tool, in, out)
	}
	return out
}

// issues does a call that answers with issues.
func (c client) issues(tool string, in args) []map[string]any {
	c.t.Helper()
	var found []map[string]any
	for _, i := range c.do(tool, in)["issues"].([]any) {
		found = append(found, i.(map[string]any))
	}
	return found
}

// create makes an issue and returns its id.
func (c client) create(title string, more ...args) string {
	c.t.Helper()
	in := args{"title": title}
	for _, m := range more {
		for name, value := range m {
			in[name] = value
		}
	}
	return c.issues("create", in)[0]["id"].(string)
}

// ids are the ids of issues, in order, with a blank between.
func ids(issues []map[string]any) string {
	var all []string
	for _, i := range issues {
		all = append(all, i["id"].(string))
	}
	return strings.Join(all, " ")
}

func wantIDs(t *testing.T, about string, got []map[string]any, want ...string) {
	t.Helper()
	if ids(got) != strings.Join(want, " ") {
		t.Errorf("%s: %q, want %q", about, ids(got), want)
	}
}
