package mcpserver

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The built programs, as clients start them: bd mcp becomes bd-mcp.
func TestBuiltPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds bd and bd-mcp")
	}
	bin, dir := t.TempDir(), workspace(t)
	build := exec.Command("go", "build", "-o", bin, "./cmd/bd", "./cmd/bd-mcp")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	program := filepath.Join(bin, "bd")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	start := func(args ...string) (client, *exec.Cmd) {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		cmd.Env = append(os.Environ(), surroundingsOf(t, dir).Environ...)
		session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).
			Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return client{t, session}, cmd
	}

	c, _ := start("mcp")
	id := c.create("Over stdio")
	c.do("comment", args{"issue_id": id, "text": "heard"})
	if text, err := c.resource("beads://issue/" + id); err != nil || !strings.Contains(text, "heard") {
		t.Errorf("resource: %s, %v", text, err)
	}

	// Agents of one name claim at once, each with a server of its own.
	const agents = 4
	var mu sync.Mutex
	var all sync.WaitGroup
	won := 0
	for range agents {
		other, _ := start("mcp", "--lock-timeout", "20s")
		all.Go(func() {
			if _, failed := other.answer("claim", args{"issue_id": id}); !failed {
				mu.Lock()
				defer mu.Unlock()
				won++
			}
			if err := other.Close(); err != nil { // the input ends, and the program with it
				t.Errorf("an agent's server: %v", err)
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Errorf("%d of %d agents got it", won, agents)
	}
	c.do("close", args{"issue_id": id, "reason": "heard"})
	if err := c.Close(); err != nil {
		t.Errorf("end of the input: %v", err)
	}
	if status := bd(t, dir, "show", id, "--short"); !strings.Contains(status, "closed") {
		t.Errorf("afterwards: %s", status)
	}
	if runtime.GOOS != "windows" {
		terminated(t, start)
	}
}

// terminated sends SIGTERM, which ends the server without an error.
func terminated(t *testing.T, start func(...string) (client, *exec.Cmd)) {
	t.Helper()
	c, cmd := start("mcp")
	c.do("ready", nil)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // the connection is gone
	_ = c.Close()
	if !cmd.ProcessState.Success() {
		t.Errorf("after SIGTERM: %v", cmd.ProcessState)
	}
	if _, err := c.CallTool(context.Background(), &mcp.CallToolParams{Name: "ready"}); err == nil {
		t.Error("it answers still")
	}
}
