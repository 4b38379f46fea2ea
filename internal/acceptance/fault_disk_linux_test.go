package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// attempt runs commands that write, under a fault. What one of them
// acknowledges is added to the titles that must be there; one that does not says
// why in one line, and no more than a hint.
func (c *clone) attempt(run func(args ...string) result, titles map[string]bool, title string) {
	c.t.Helper()
	r := run("create", title, "--silent")
	lines := strings.Split(strings.TrimRight(r.stderr, "\n"), "\n")
	errors := 0
	for _, line := range lines {
		if strings.HasPrefix(line, "bd: error: ") {
			errors++
		}
		if line != "" && !strings.HasPrefix(line, "bd: ") {
			c.t.Errorf("%s: not a line of bd's: %q", title, r.stderr)
			break
		}
	}
	switch {
	case r.code == 0:
		titles[title] = true
	case r.code != 1 || errors != 1:
		c.t.Errorf("%s: exit code %d, %d errors:\n%s", title, r.code, errors, r.stderr)
	}
}

// healed demands that with the fault gone everything acknowledged is there, and
// can be added to.
func (c *clone) healed(titles map[string]bool) {
	c.t.Helper()
	c.must("q", "when it was over")
	list := c.must("list", "--all", "-n", "0")
	for title := range titles {
		if !strings.Contains(list, title) {
			c.t.Errorf("%s was acknowledged and is gone:\n%s", title, list)
		}
	}
	if r := c.try("doctor"); r.code != 0 {
		c.t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// mounted mounts a file system of some bytes over an empty directory, which
// only root can.
func mounted(t *testing.T, dir string, bytes int) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting needs root")
	}
	must(t, os.MkdirAll(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", bytes)); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
}

// fill leaves some bytes free on the file system of a directory.
func fill(t *testing.T, dir string, free int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	must(t, err)
	defer f.Close()
	err = syscall.ENOSPC
	for err == syscall.ENOSPC { // again, if a daemon has written since the question
		var stat syscall.Statfs_t
		must(t, syscall.Fstatfs(int(f.Fd()), &stat))
		if err = nil; int64(stat.Bavail)*stat.Bsize > free {
			err = syscall.Fallocate(int(f.Fd()), 0, 0, int64(stat.Bavail)*stat.Bsize-free)
		}
	}
	must(t, err)
}

// A full disk under the workspace, under the guard copy, and under both: from no
// free page to enough for one command, so that log, database and WAL each are
// what finds it full.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, where := range []string{".beads", ".git/beads"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			c := &clone{place: p, name: "a", dir: filepath.Join(p.dir, "a"), env: []string{"BD_ACTOR=a"}}
			p.git(p.dir, "clone", "-q", p.bare, c.dir)
			dir := c.at(filepath.FromSlash(where))
			mounted(t, dir, 2<<20)
			c.must("init", "-q")
			titles := map[string]bool{}
			c.attempt(c.try, titles, "before")
			long := strings.Repeat("x", 3000)
			pages := []int64{0, 1, 2, 3, 5, 9, 17, 40}
			if !*wholeRun {
				pages = []int64{0, 1, 3, 9}
			}
			for _, free := range pages {
				fill(t, dir, free*4096)
				for n := range 3 {
					c.attempt(func(args ...string) result { return c.try(append(args, "-d", long)...) }, titles, fmt.Sprintf("free-%d-%d", free, n))
					if r := c.try("list", "--all"); r.code != 0 || !strings.Contains(r.stdout, "before") {
						t.Errorf("%d pages free: a read: exit code %d\n%s", free, r.code, r.stderr)
					}
				}
				must(t, os.Remove(filepath.Join(dir, "filler")))
				c.healed(titles)
			}
		})
	}
}

// The disk is full under a running daemon, its log and state file included: it
// answers, stops no command, and goes on with what it does when there is room.
func TestDaemonOnFullDisk(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := &clone{place: p, name: "a", dir: filepath.Join(p.dir, "a"), env: append([]string{"BD_ACTOR=a", "BEADS_DAEMON_LOG_LEVEL=debug"}, quick...)}
	p.git(p.dir, "clone", "-q", p.bare, c.dir)
	dir := c.at(".beads")
	mounted(t, dir, 2<<20)
	c.must("init", "-q")
	c.must("daemon", "start")
	t.Cleanup(func() { c.try("daemon", "stop", "--force") })
	titles := map[string]bool{}
	c.attempt(c.try, titles, "before")
	fill(t, dir, 0)
	for n := range 4 {
		c.attempt(c.try, titles, fmt.Sprintf("full-%d", n))
		c.try("sync")
		if r := c.try("daemon", "status"); r.code != 0 && r.code != 4 {
			t.Errorf("status on a full disk: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		if r := c.try("list"); r.code != 0 || !strings.Contains(r.stdout, "before") {
			t.Errorf("list: exit code %d\n%s", r.code, r.stderr)
		}
	}
	must(t, os.Remove(filepath.Join(dir, "filler")))
	c.healed(titles)
	write(t, c.at(".beads", "new"), "")
	eventually(t, "the daemon is well again", func() bool { c.must("q", "more"); return c.try("daemon", "status").code == 0 })
	eventually(t, "its log goes on", func() bool {
		c.must("q", "yet more")
		return strings.Contains(c.must("daemon", "logs", "--tail", "20"), "issues.jsonl")
	})
	c.must("daemon", "stop")
}

// Where the kernel gives no notification of files, a daemon polls, says so, and
// sees what other tools write all the same.
func TestNoNotification(t *testing.T) {
	t.Parallel()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("no unshare here")
	}
	c, _ := solo(t)
	d := &child{cmd: c.command(quick), ended: make(chan struct{})}
	d.cmd.Path = unshare
	d.cmd.Args = []string{unshare, "--user", "--map-root-user", "--kill-child", "sh", "-c",
		"echo 0 >/proc/sys/user/max_inotify_instances && echo limited >limited && exec bd daemon start --foreground"}
	d.cmd.Stdout, d.cmd.Stderr = &d.output, &d.output
	must(t, d.cmd.Start())
	go func() {
		_ = d.cmd.Wait() // how it ended is asked of its state
		close(d.ended)
	}()
	c.daemon = d
	t.Cleanup(func() { c.kill() })
	limited := func() bool { _, err := os.Lstat(c.at("limited")); return err == nil }
	ended := func() bool {
		select {
		case <-d.ended:
			return true
		default:
			return false
		}
	}
	eventually(t, "the limit is set, or cannot be", func() bool { return ended() || limited() })
	if !limited() {
		c.daemon = nil
		t.Skipf("no user namespace here: %s", d.output.String())
	}
	c.serving()
	if status := c.must("daemon", "status"); !strings.Contains(status, "olling") {
		t.Errorf("status does not tell of polling:\n%s", status)
	}
	// A line that another tool appends; no command of ours looks at the log.
	log := c.at(".beads", "issues.jsonl")
	data, err := os.ReadFile(log)
	must(t, err)
	write(t, log, string(data)+`{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"do":"create","issue":"bd-other","at":"2026-01-01T00:00:00.000Z","by":"x","set":{"title":"of another tool"}}`+"\n")
	eventually(t, "the daemon has read it", func() bool { return strings.Contains(c.must("--readonly", "list"), "of another tool") })
	c.stop()
}

// limited runs bd under a limit of the kernel's, set by prlimit.
func (c *clone) limited(limit string) func(args ...string) result {
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		c.t.Skip("no prlimit here")
	}
	return func(args ...string) result {
		c.t.Helper()
		var stdout, stderr strings.Builder
		cmd := c.command(nil, args...)
		cmd.Args = append([]string{prlimit, limit, program}, args...)
		cmd.Path = prlimit
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState == nil {
			c.t.Fatal(err)
		}
		return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
}

// A limit on the size of files tears the line in the log wherever it likes
// (EFBIG): nothing of it is acknowledged, and the torn line is closed off.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	c, _ := solo(t)
	titles := map[string]bool{"one": true, "two": true, "three": true}
	steps := []int{0, 1, 60, 200}
	if *wholeRun {
		steps = nil
		for n := range 80 {
			steps = append(steps, 4*n)
		}
	}
	for _, n := range steps {
		info, err := os.Stat(c.at(".beads", "issues.jsonl"))
		must(t, err)
		c.attempt(c.limited(fmt.Sprintf("--fsize=%d", info.Size()+int64(n))), titles, fmt.Sprintf("limit-%d", n))
	}
	c.healed(titles)
}

// With hardly a file descriptor, a command does what it should or fails in one
// line: no half of it.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	c, _ := solo(t)
	titles := map[string]bool{"one": true, "two": true, "three": true}
	// At 6 and 7 the Go runtime itself gives up, for want of its poller.
	for n := 8; n <= 24; n += 1 + 2*btoi(!*wholeRun) {
		c.attempt(c.limited(fmt.Sprintf("--nofile=%d", n)), titles, fmt.Sprintf("descriptors-%d", n))
		if r := c.limited(fmt.Sprintf("--nofile=%d", n))("list"); r.code != 0 && !strings.HasPrefix(r.stderr, "bd: ") {
			t.Errorf("%d descriptors: list: exit code %d\n%s", n, r.code, r.stderr)
		}
	}
	if len(titles) == 3 {
		t.Error("24 descriptors are not enough for one command")
	}
	c.healed(titles)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A file system that has become read-only is read from, and says so to whoever
// writes.
func TestReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	dir := filepath.Join(p.dir, "a")
	mounted(t, dir, 8<<20)
	c := &clone{place: p, name: "a", dir: dir, env: []string{"BD_ACTOR=a"}}
	p.git(p.dir, "clone", "-q", p.bare, c.dir)
	c.must("init", "-q")
	titles := map[string]bool{}
	c.attempt(c.try, titles, "before")
	for range 2 {
		must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
		c.attempt(c.try, titles, "while read-only")
		if titles["while read-only"] {
			t.Error("a change was acknowledged on a read-only file system")
		}
		if r := c.try("list"); r.code != 0 || !strings.Contains(r.stdout, "before") {
			t.Errorf("list: exit code %d\n%s", r.code, r.stderr)
		}
		if r := c.try("sync"); r.code != 1 || strings.Count(r.stderr, "\n") > 2 {
			t.Errorf("sync: exit code %d\n%s", r.code, r.stderr)
		}
		must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
		c.healed(titles)
		// And once more without the database, which cannot be built there.
		files, err := filepath.Glob(c.at(".beads", "beads.db*"))
		must(t, err)
		for _, file := range files {
			must(t, os.Remove(file))
		}
		must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
		if r := c.try("list"); r.code != 1 || !strings.HasPrefix(r.stderr, "bd: error: ") {
			t.Errorf("list without a database: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
		c.healed(titles)
	}
}

// nobody is a user who owns nothing else.
const nobody = 65534

// asNobody gives a place to another user, when we are root, who could do
// everything, and returns how that user runs bd.
func (c *clone) asNobody() func(args ...string) result {
	c.t.Helper()
	if os.Getuid() != 0 {
		return c.try
	}
	must(c.t, filepath.WalkDir(c.place.dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, nobody, nobody)
		}
		return err
	}))
	must(c.t, os.Chmod(filepath.Dir(program), 0o755))
	return func(args ...string) result {
		c.t.Helper()
		var stdout, stderr strings.Builder
		cmd := c.command(nil, args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState == nil {
			c.t.Fatal(err)
		}
		return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
}

// Without permission for one file or directory of the workspace, nothing is
// acknowledged that is not kept, and with the permission all is well.
func TestNoPermission(t *testing.T) {
	t.Parallel()
	c, _ := solo(t)
	run := c.asNobody()
	titles := map[string]bool{"one": true, "two": true, "three": true}
	for _, name := range []string{
		".beads/issues.jsonl", ".git/beads/issues.jsonl", ".beads/beads.db", ".beads/db.lock", ".git/beads/local.json", ".beads", ".git/beads", ".git/refs/beads",
	} {
		for _, mode := range []os.FileMode{0, 0o400} {
			path := c.at(filepath.FromSlash(name))
			info, err := os.Lstat(path)
			must(t, err)
			if info.IsDir() && mode != 0 {
				mode = 0o500
			}
			must(t, os.Chmod(path, mode))
			c.attempt(run, titles, fmt.Sprintf("%s-%04o", name, mode))
			if r := run("list"); r.code != 0 && (r.code != 1 || !strings.Contains(r.stderr, "bd: error: ")) {
				t.Errorf("%s %04o: list: exit code %d\n%s", name, mode, r.code, r.stderr)
			}
			if r := run("sync"); r.code != 0 && (r.code != 1 || strings.Count(r.stderr, "bd: error: ") != 1) {
				t.Errorf("%s %04o: sync: exit code %d\n%s", name, mode, r.code, r.stderr)
			}
			must(t, os.Chmod(path, info.Mode().Perm()))
		}
	}
	c.try("version")
	if list := run("list", "--all", "-n", "0"); list.code != 0 {
		t.Errorf("list: exit code %d\n%s", list.code, list.stderr)
	} else {
		for title := range titles {
			if !strings.Contains(list.stdout, title) {
				t.Errorf("%s was acknowledged and is gone:\n%s", title, list.stdout)
			}
		}
	}
	if r := run("doctor"); r.code != 0 {
		t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
