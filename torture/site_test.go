package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	scratch string // the directory that TestMain removes when all is over
	program string // the bd that it has built
)

// waitLimit bounds every wait for what another process does, under a tracer on a
// machine that has other work.
const waitLimit = 2 * time.Minute

// cleanups are what is to be undone also when the test is interrupted: go test
// then runs none of its own.
type cleanups struct {
	mu  sync.Mutex
	all []func()
}

var undo cleanups

func (c *cleanups) add(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, do)
}

// onSignal undoes everything, the last thing first, and ends the process.
func (c *cleanups) onSignal(signals <-chan os.Signal) {
	<-signals
	c.mu.Lock() // for good
	for n := range c.all {
		c.all[len(c.all)-1-n]()
	}
	os.Exit(1)
}

func TestMain(m *testing.M) {
	flag.Parse()
	prepareTracers()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go undo.onSignal(signals)
	os.Exit(func() int {
		if testing.Short() {
			return m.Run() // what needs the program skips
		}
		var err error
		if scratch, err = os.MkdirTemp("", "torture"); err == nil {
			scratch, err = filepath.EvalSymlinks(scratch)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		undo.add(func() { _ = os.RemoveAll(scratch) })
		if program = os.Getenv("TORTURE_BD"); program != "" {
			return m.Run() // in a mount namespace of its own
		}
		program = filepath.Join(scratch, "bd")
		build := exec.Command("go", "build", "-o", program, "./cmd/bd")
		build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// A site is a clone with a workspace, a remote, a home and a runtime directory of
// its own.
type site struct {
	testing.TB
	top, dir, bare string
	env            []string
	troubles       int                              // that it had
	issues         []string                         // that stay
	made           map[string][]string              // and others, by what they were made for
	calls          map[string]map[syscall.Errno]int // see callsOf

	mu     sync.Mutex // guards what follows
	serial int        // of tokens
	acked  []string   // tokens of acknowledged commands
}

// newSite makes a site whose remote has one commit and some operations. Not in
// TempDir: that has the test's name in its path, and the path of a socket is
// short.
func newSite(t testing.TB) *site {
	t.Helper()
	return newSiteIn(t, "")
}

// newSiteIn makes a site whose clone is in a directory; "": with the rest.
func newSiteIn(t testing.TB, clone string) *site {
	t.Helper()
	s := makeSite(t, clone)
	t.Cleanup(func() { must(t, os.RemoveAll(s.top)) })
	return s
}

// makeSite is newSiteIn; the caller removes the site, or TestMain does.
func makeSite(t testing.TB, clone string) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("builds bd")
	}
	top, err := os.MkdirTemp(scratch, "s")
	must(t, err)
	if clone == "" {
		clone = top
	}
	s := &site{TB: t, top: top, dir: filepath.Join(clone, "clone"), bare: filepath.Join(top, "hub.git"), made: map[string][]string{}, calls: map[string]map[syscall.Errno]int{}}
	for _, sub := range []string{"home", "run"} {
		must(t, os.Mkdir(filepath.Join(top, sub), 0o700))
	}
	gitconfig := filepath.Join(top, "home", "gitconfig")
	must(t, os.WriteFile(gitconfig, []byte("[user]\n\tname = ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"), 0o644))
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(top, "home"), "XDG_RUNTIME_DIR=" + filepath.Join(top, "run"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + gitconfig, "LC_ALL=C.UTF-8", "TZ=UTC", "BD_ACTOR=ada",
	}
	s.git(top, "init", "-q", "--bare", s.bare)
	s.git(clone, "clone", "-q", s.bare, s.dir)
	s.git(s.dir, "commit", "-q", "--allow-empty", "-m", "one")
	s.git(s.dir, "push", "-q", "origin", "HEAD:refs/heads/main")
	s.must("init", "-q", "--publish")
	for _, title := range []string{"one", "two", "three"} {
		s.issues = append(s.issues, s.must("q", title))
	}
	s.must("sync", "-q")
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// git runs git as a person would.
func (s *site) git(dir string, args ...string) string {
	s.Helper()
	out, err := s.tryGit(dir, args...)
	if err != nil {
		s.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *site) tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, s.env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// command is bd with its arguments.
func (s *site) command(args ...string) command {
	return command{args: append([]string{program}, args...), dir: s.dir, env: s.env}
}

// token is a word that no other command of the site has.
func (s *site) token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return fmt.Sprintf("t%06dx", s.serial)
}

// as gives a command a session of its own, by which its operations are found in
// the log.
func (c command) as(token string) command {
	c.env = append(append([]string{}, c.env...), "BD_SESSION="+token)
	return c
}

func (c command) cmd() *exec.Cmd {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// run runs a command to its end.
func (s *site) run(c command) traced {
	s.Helper()
	var stdout, stderr bytes.Buffer
	cmd := c.cmd()
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatalf("%q: %v", c.args, err)
	}
	return traced{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// must runs bd, which must succeed, and returns what it prints.
func (s *site) must(args ...string) string {
	s.Helper()
	r := s.run(s.command(args...))
	if r.code != 0 {
		s.Fatalf("bd %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return strings.TrimSpace(r.stdout)
}

// trace runs a command under the tracer. What serves the remote would be another
// machine's, and is left alone.
func (s *site) trace(c command, decide func(call) verdict) traced {
	s.Helper()
	r, err := trace(c, s.top, s.bare, decide)
	if err != nil {
		s.Fatalf("%q: %v", c.args, err)
	}
	if r.hung != "" {
		s.Errorf("%q did not end within %s; %s", c.args, waitLimit, r.hung)
	}
	return r
}

// acknowledge notes that a command that exited with 0 has written.
func (s *site) acknowledge(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = append(s.acked, token)
}

// read is a file's content; a file that is not there is empty.
func (s *site) read(path string) string {
	s.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Fatal(err)
	}
	return string(data)
}

func (s *site) log() string   { return filepath.Join(s.dir, ".beads", "issues.jsonl") }
func (s *site) guard() string { return filepath.Join(s.dir, ".git", "beads", "issues.jsonl") }
func (s *site) db() string    { return filepath.Join(s.dir, ".beads", "beads.db") }

// held demands that every acknowledged operation is in the log and in the guard
// copy, and returns how many are not.
func (s *site) held() (lost int) {
	s.Helper()
	return s.heldOf(s.acked)
}

func (s *site) heldOf(tokens []string) (lost int) {
	s.Helper()
	log, guard := s.read(s.log()), s.read(s.guard())
	interactions := func(log string) string { return s.read(filepath.Join(filepath.Dir(log), "interactions.jsonl")) }
	judged, guarded := interactions(s.log()), interactions(s.guard())
	for _, token := range tokens {
		mark := `"session":"` + token + `"`
		inLog := strings.Contains(log, mark) || strings.Contains(judged, token)
		inGuard := strings.Contains(guard, mark) || strings.Contains(guarded, token)
		if !inLog || !inGuard {
			lost++
			s.Errorf("acknowledged operation %s: in the log %v, in the guard copy %v", token, inLog, inGuard)
		}
	}
	return lost
}

// check demands that all is well when the trouble is over: nothing acknowledged
// is missing, the database is what the log makes, doctor and git are content, and
// nothing is left lying about.
func (s *site) check() (lost int) {
	s.Helper()
	before := s.must("export")
	s.must("interactions", "list") // no other command looks at their log
	lost = s.held()
	if r := s.run(s.command("doctor")); r.code != 0 {
		s.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(s.db() + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.Fatal(err)
		}
	}
	if after := s.must("export"); after != before {
		s.Errorf("a fresh database exports other bytes: %d, not %d", len(after), len(before))
	}
	s.must("sync", "-q")
	if out, err := s.tryGit(s.dir, "fsck", "--strict", "--no-progress", "--no-dangling"); err != nil {
		s.Errorf("git fsck: %v\n%s", err, out)
	}
	if out := s.git(s.dir, "status", "--porcelain"); out != "" {
		s.Errorf("git status shows %q", out)
	}
	must(s, filepath.WalkDir(filepath.Join(s.dir, ".git"), func(path string, entry fs.DirEntry, err error) error {
		ours := filepath.Dir(path) == filepath.Join(s.dir, ".git", "beads")
		if err == nil && strings.HasSuffix(path, ".lock") && !ours {
			s.Errorf("left behind: %s", path)
		}
		return err
	}))
	return lost
}

// counts prints what the command that runs the parts reads.
func counts(t testing.TB, done, faults, acknowledged, lost int) {
	t.Helper()
	t.Logf("counts: done=%d faults=%d acknowledged=%d lost=%d", done, faults, acknowledged, lost)
}
