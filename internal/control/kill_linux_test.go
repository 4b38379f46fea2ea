package control

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// listenForever is a hung daemon in a process of its own.
func listenForever(path string) {
	if _, err := Listen([]string{path}, os.Getuid()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listening")
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR2)
	<-never
	os.Exit(1)
}

func TestKill(t *testing.T) {
	path := socketPath(t)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "CONTROL_TEST_LISTEN="+path)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "listening\n" {
		t.Fatalf("%q %v", line, err)
	}
	c, err := Connect(t.Context(), []string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	if c.PID() != child.Process.Pid {
		t.Fatalf("PID %d, want the child's, %d", c.PID(), child.Process.Pid)
	}
	stranger := *c
	stranger.pid = os.Getpid()
	if err := stranger.Kill(t.Context()); err == nil {
		t.Fatal("a process was signalled that does not hold the socket now")
	}
	if err := c.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = child.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("the child ended with %v", err)
	}
	if err := c.Kill(t.Context()); err == nil {
		t.Error("a dead daemon was killed again")
	}
}

func TestKillNeedsAnOpenConnection(t *testing.T) {
	path := socketPath(t)
	l, err := Listen([]string{path}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{path: path, uid: os.Getuid()}
	conn, _, err := c.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := l.Close(); err != nil { // takes the waiting connection with it
		t.Fatal(err)
	}
	if err := kill(conn, os.Getpid()); err == nil {
		t.Fatal("unreachable: this process would be dead")
	}
}
