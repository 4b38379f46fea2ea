package acceptance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// as runs a program as another user, which only root can.
func as(t *testing.T, uid uint32, dir string, env []string, name string, args ...string) (string, int) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("another user takes root")
	}
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	err := cmd.Run()
	if cmd.ProcessState == nil { // else its end is asked of that
		t.Fatalf("%s did not start: %v", name, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func give(t *testing.T, top string, uid int) {
	t.Helper()
	must(t, filepath.WalkDir(top, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, uid, uid)
		}
		return err
	}))
}

// A repository of another user's is refused by everything that would open it,
// as Git refuses it, and with the word that Git has for it.
func TestRepositoryOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("another user takes root")
	}
	c, _ := solo(t)
	give(t, c.dir, nobody)
	for _, args := range everyday() {
		r := c.bounded(args...)
		if r.code == 0 && args[0] != "daemons" || !strings.Contains(r.stderr+r.stdout, "owned by") && !strings.Contains(r.stderr+r.stdout, "another user") && !strings.Contains(r.stderr+r.stdout, "safe.directory") {
			t.Errorf("bd %q in another user's repository: exit code %d\n%s%s", args, r.code, r.stdout, r.stderr)
		}
	}
	// Our own, said to be safe, is opened.
	p := c.place
	p.git(p.dir, "config", "--file", filepath.Join(p.dir, "home", "gitconfig"), "safe.directory", c.dir)
	if got := c.must("count"); got != "3" {
		t.Errorf("%s issues", got)
	}
}

// stranger copies the test binary to where everybody may run it, and opens the
// way to the place.
func (p *place) stranger(t *testing.T) string {
	t.Helper()
	own, err := os.Executable()
	must(t, err)
	path := filepath.Join(p.dir, "stranger")
	// By a child: what another test starts meanwhile would inherit our open file,
	// and a file that is open for writing cannot be run (golang.org/issue/22315).
	out, err := exec.Command("cp", own, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	must(t, os.Chmod(path, 0o755))
	for _, dir := range []string{p.dir, filepath.Join(p.dir, "run")} {
		must(t, os.Chmod(dir, 0o711))
	}
	return path
}

// A stranger who may go to the socket is turned away by its mode, and where the
// mode was opened by mistake, by the daemon; one who has made the directory first
// does not get our requests.
func TestSocketAndStrangers(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("another user takes root")
	}
	c, _ := solo(t)
	run := filepath.Join(c.place.dir, "run")
	c.startDaemon()
	c.serving()
	sockets, err := filepath.Glob(filepath.Join(run, "beads", "*"))
	must(t, err)
	var socket string
	for _, path := range sockets {
		if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			socket = path
		}
	}
	if socket == "" {
		t.Fatalf("no socket in %q", sockets)
	}
	stranger := c.place.stranger(t)
	if out, code := as(t, nobody, "/", append(c.place.env, strangerEnv+"=ask"), stranger, socket); code == 0 || !strings.Contains(out, "permission denied") {
		t.Errorf("a stranger got through: exit code %d\n%s", code, out)
	}
	for dir := filepath.Dir(socket); len(dir) >= len(c.place.dir); dir = filepath.Dir(dir) {
		must(t, os.Chmod(dir, 0o755))
	}
	must(t, os.Chmod(socket, 0o666))
	if out, _ := as(t, nobody, "/", append(c.place.env, strangerEnv+"=ask"), stranger, socket); strings.Contains(out, "200") {
		t.Errorf("the daemon obeyed a stranger:\n%s", out)
	}
	must(t, os.Chmod(filepath.Join(run, "beads"), 0o700))
	if r := c.try("daemon", "status"); r.code != 0 {
		t.Errorf("status: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	c.stop()

	// The directory belongs to a stranger, who listens there.
	must(t, os.RemoveAll(filepath.Join(run, "beads")))
	must(t, os.Mkdir(filepath.Join(run, "beads"), 0o777))
	give(t, filepath.Join(run, "beads"), nobody)
	listen := exec.Command(stranger, socket)
	listen.Env = append(c.place.env, strangerEnv+"=listen")
	listen.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	var got bytes.Buffer
	listen.Stdout = &got
	must(t, listen.Start())
	defer func() { _ = listen.Process.Kill(); _ = listen.Wait() }() // it never ends by itself
	eventually(t, "the stranger listens", func() bool { _, err := os.Lstat(socket); return err == nil })
	for _, args := range [][]string{{"daemon", "status"}, {"daemon", "stop"}, {"daemon", "health"}, {"sync"}, {"q", "x"}} {
		r := c.bounded(args...)
		if strings.Contains(r.stdout+r.stderr, "1234567") {
			t.Errorf("bd %q believed the stranger:\n%s%s", args, r.stdout, r.stderr)
		}
	}
	c.startDaemon()
	c.serving()
	if status := c.must("daemon", "status"); strings.Contains(status, "1234567") {
		t.Errorf("status believes the stranger:\n%s", status)
	}
	c.stop()
	_ = listen.Process.Kill() // so that what it printed is whole
	_ = listen.Wait()
	if strings.Contains(got.String(), "got") {
		t.Errorf("a stranger's socket was told something:\n%s", got.String())
	}
}
