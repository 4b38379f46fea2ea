package acceptance

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is the bd that TestMain has built.
var program string

// waitLimit bounds every wait for what another process does.
const waitLimit = time.Minute

// strangerEnv makes the test binary a program of another user's: "ask" tells the
// daemon at the socket to stop, "listen" poses as one.
const strangerEnv = "BD_TEST_STRANGER"

func TestMain(m *testing.M) {
	if what := os.Getenv(strangerEnv); what != "" {
		if err := stranger(what, os.Args[1]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	os.Exit(func() int {
		if testing.Short() {
			return m.Run() // every test skips
		}
		dir, err := os.MkdirTemp("", "acc")
		if err == nil {
			defer os.RemoveAll(dir)
			program = filepath.Join(dir, "bd")
			err = build(program)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func stranger(what, socket string) error {
	if what == "ask" {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /v1/stop HTTP/1.1\r\nHost: bd\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return err
		}
		answer, err := io.ReadAll(conn)
		fmt.Printf("answer: %s\n", answer)
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		request := make([]byte, 1000)
		if n, _ := conn.Read(request); n > 0 { // who hangs up has said nothing
			fmt.Printf("got %q\n", request[:n])
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"pid\":1234567}") // perhaps to nobody
		_ = conn.Close()
	}
}

func build(to string) error {
	cmd := exec.Command("go", "build", "-o", to, "./cmd/bd")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// A place is a directory with a home and a bare remote of its own.
type place struct {
	t    testing.TB
	dir  string
	bare string
	env  []string
}

// newPlace makes a place whose remote has one commit. Not in t.TempDir: that
// has the test's name in its path, and the path of a socket is short.
func newPlace(t testing.TB) *place {
	t.Helper()
	if testing.Short() {
		t.Skip("builds bd")
	}
	dir, err := os.MkdirTemp("", "acc")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	dir, err = filepath.EvalSymlinks(dir)
	must(t, err)
	for _, sub := range []string{"home", "run"} {
		must(t, os.Mkdir(filepath.Join(dir, sub), 0o700))
	}
	write(t, filepath.Join(dir, "home", "gitconfig"), "[user]\n\tname = ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n")
	p := &place{t: t, dir: dir, bare: filepath.Join(dir, "hub.git")}
	p.env = []string{
		"PATH=" + filepath.Dir(program) + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + filepath.Join(dir, "home"),
		"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"),
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + filepath.Join(dir, "home", "gitconfig"),
		"GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir),
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
	}
	p.git(dir, "init", "-q", "--bare", p.bare)
	seed := filepath.Join(dir, "seed")
	p.git(dir, "init", "-q", seed)
	write(t, filepath.Join(seed, "a.txt"), "a\n")
	p.git(seed, "add", "a.txt")
	p.git(seed, "commit", "-qm", "one")
	p.git(seed, "push", "-q", p.bare, "HEAD:refs/heads/main")
	return p
}

// git runs git as the user would, and returns what it prints.
func (p *place) git(dir string, args ...string) string {
	p.t.Helper()
	out, err := p.tryGit(dir, args...)
	must(p.t, err)
	return out
}

func (p *place) tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, p.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimRight(string(out), "\n"), nil
}

// A clone is one of a place's remote, with a workspace.
type clone struct {
	*place
	name, dir string
	env       []string // more than the place's
	daemon    *child   // nil: none was started
}

// newClone clones the remote and runs bd init there.
func (p *place) newClone(name string, initArgs ...string) *clone {
	p.t.Helper()
	c := &clone{place: p, name: name, dir: filepath.Join(p.dir, name), env: []string{"BD_ACTOR=" + name}}
	p.git(p.dir, "clone", "-q", p.bare, c.dir)
	c.must(append([]string{"init", "-q"}, initArgs...)...)
	return c
}

// result is what a command came to.
type result struct {
	stdout, stderr string
	code           int
}

// run runs bd in the clone, with more environment.
func (c *clone) run(env []string, args ...string) result {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := c.command(env, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("bd %s: %v", strings.Join(args, " "), err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func (c *clone) command(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = c.dir
	cmd.Env = append(append(append([]string{}, c.place.env...), c.env...), env...)
	return cmd
}

// try runs bd.
func (c *clone) try(args ...string) result { c.t.Helper(); return c.run(nil, args...) }

// must runs bd, which must succeed, and returns what it prints.
func (c *clone) must(args ...string) string {
	c.t.Helper()
	r := c.try(args...)
	if r.code != 0 {
		c.t.Fatalf("%s: bd %s: exit code %d\n%s%s", c.name, strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return strings.TrimRight(r.stdout, "\n")
}

// replication is what bd sync --json says of the exchange.
type replication struct {
	Published, Fetched, Restored, Pushed, Quarantined int
	Unshared                                          int64
}

func (r replication) quiet() bool { return r == replication{} }

// sync syncs once, which must succeed.
func (c *clone) sync() replication {
	c.t.Helper()
	var answer struct{ Replication replication }
	if err := json.Unmarshal([]byte(c.must("sync", "--json")), &answer); err != nil {
		c.t.Fatal(err)
	}
	return answer.Replication
}

// tip is where the operations' ref is in a repository.
func (p *place) tip(dir string) string {
	p.t.Helper()
	return p.git(dir, "rev-parse", "refs/beads/ops")
}

// settle syncs all clones until nothing moves, and they and the remote agree on
// where the ref is.
func (p *place) settle(all ...*clone) {
	p.t.Helper()
	for round := 0; ; round++ {
		rest := true
		for _, c := range all {
			rest = c.sync().quiet() && rest
		}
		for _, c := range all {
			rest = rest && p.tip(c.dir) == p.tip(p.bare)
		}
		if rest {
			return
		}
		if round > 50 {
			p.t.Fatalf("still moving after %d rounds", round)
		}
	}
}

// equal demands that all clones export the same bytes, and returns them.
func (p *place) equal(all ...*clone) string {
	p.t.Helper()
	want := all[0].must("export")
	for _, c := range all[1:] {
		if got := c.must("export"); got != want {
			p.t.Errorf("%s and %s export other bytes:\n%s", all[0].name, c.name, firstDifference(want, got))
		}
	}
	return want
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return as[i] + "\n" + bs[i]
		}
	}
	return fmt.Sprintf("%d and %d lines", len(as), len(bs))
}

// eventually waits until true comes true, which another process brings about.
func eventually(t testing.TB, what string, true func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	for !true() {
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// A child is a daemon in the foreground, a child of the test: what is signalled
// is this process and no other.
type child struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	ended  chan struct{}
}

// quick are settings of a daemon that does not wait.
var quick = []string{"BEADS_DAEMON_DEBOUNCE_INTERVAL=20ms", "BEADS_DAEMON_MAX_SYNC_FREQUENCY=100ms", "BD_GIT_REMOTE_INTERVAL=100ms"}

// startDaemon starts a daemon; it does not wait until that serves.
func (c *clone) startDaemon(env ...string) {
	c.t.Helper()
	d := &child{cmd: c.command(append(append([]string{}, quick...), env...), "daemon", "start", "--foreground"), ended: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = &d.output, &d.output
	must(c.t, d.cmd.Start())
	go func() {
		_ = d.cmd.Wait() // how it ended is asked of its state
		close(d.ended)
	}()
	c.daemon = d
	c.t.Cleanup(func() { c.kill() })
}

// serving waits until the daemon answers.
func (c *clone) serving() {
	c.t.Helper()
	eventually(c.t, "the daemon of "+c.name+" serves", func() bool { return c.try("daemon", "status").code == 0 })
}

// kill ends the daemon as kill -9 does.
func (c *clone) kill() { c.end(syscall.SIGKILL) }

// stop ends the daemon with bd daemon stop, and as a service manager does when
// it does not serve yet.
func (c *clone) stop() {
	if c.daemon != nil && c.try("daemon", "stop").code != 0 {
		c.end(syscall.SIGTERM)
	}
	c.wait()
}

func (c *clone) end(signal os.Signal) {
	if c.daemon != nil {
		_ = c.daemon.cmd.Process.Signal(signal) // it may have ended already
	}
	c.wait()
}

func (c *clone) wait() {
	if c.daemon == nil {
		return
	}
	select {
	case <-c.daemon.ended:
	case <-time.After(waitLimit):
		_ = c.daemon.cmd.Process.Kill()
		<-c.daemon.ended
		c.t.Errorf("%s: the daemon did not end:\n%s", c.name, c.daemon.output.String())
	}
	c.daemon = nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}
