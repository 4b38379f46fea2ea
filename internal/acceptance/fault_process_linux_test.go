package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Twenty writers and a daemon, while a stranger removes the lock files and
// replaces the log by an older copy: no issue is claimed twice, nothing that was
// acknowledged is lost, and the old daemon yields.
func TestLocksRemovedUnderWriters(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.newClone("a")
	const writers, each = 20, 2
	for n := range writers * each {
		c.must("q", fmt.Sprintf("work %d", n))
	}
	c.startDaemon()
	c.serving()
	old, err := os.ReadFile(c.at(".beads", "issues.jsonl"))
	must(t, err)
	stop := make(chan struct{})
	var stranger, busy sync.WaitGroup
	removed := 0
	stranger.Go(func() {
		again := time.NewTicker(5 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-stop:
				return
			case <-again.C:
			}
			for _, name := range []string{"db.lock", ".lock"} {
				if os.Remove(c.at(".beads", name)) == nil {
					removed++
				}
			}
			if removed%7 == 0 { // as an editor or git does: a new file under the old name
				write(t, c.at("old"), string(old))
				must(t, os.Rename(c.at("old"), c.at(".beads", "issues.jsonl")))
			}
		}
	})
	var mu sync.Mutex
	claimed := map[string]string{}
	for n := range writers {
		busy.Go(func() {
			who := fmt.Sprintf("w%02d", n)
			for k := range each {
				r := c.run([]string{"BD_ACTOR=" + who, "BD_SESSION=" + who}, "ready", "--claim", "--json")
				var got []struct{ ID string }
				if err := json.Unmarshal([]byte(r.stdout), &got); r.code != 0 || err != nil || len(got) != 1 {
					t.Errorf("%s: exit code %d, %v\n%s%s", who, r.code, err, r.stdout, r.stderr)
					return
				}
				mu.Lock()
				if other := claimed[got[0].ID]; other != "" {
					t.Errorf("%s was given to %s and to %s", got[0].ID, other, who)
				}
				claimed[got[0].ID] = who
				mu.Unlock()
				if r := c.run([]string{"BD_ACTOR=" + who}, "create", fmt.Sprintf("%s-%d", who, k)); r.code != 0 {
					t.Errorf("%s: exit code %d\n%s", who, r.code, r.stderr)
				}
			}
		})
	}
	busy.Wait()
	close(stop)
	stranger.Wait()
	t.Logf("%d lock files removed", removed)
	select {
	case <-c.daemon.ended:
	case <-time.After(waitLimit):
		t.Error("a daemon whose lock file was removed stays")
	}
	c.wait()
	if n := len(claimed); n != writers*each {
		t.Errorf("%d issues were claimed, want %d", n, writers*each)
	}
	list := c.must("list", "--all", "-n", "0")
	for n := range writers {
		for k := range each {
			if !strings.Contains(list, fmt.Sprintf("w%02d-%d", n, k)) {
				t.Errorf("w%02d-%d was acknowledged and is gone", n, k)
			}
		}
	}
	if r := c.try("doctor"); r.code != 0 {
		t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// holdsLock reports whether a process holds an exclusive lock on a file.
func holdsLock(t *testing.T, pid int, path string) bool {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	locks, err := os.ReadFile("/proc/locks")
	must(t, err)
	for line := range strings.Lines(string(locks)) {
		f := strings.Fields(line)
		if len(f) >= 6 && f[1] == "FLOCK" && f[3] == "WRITE" && f[4] == fmt.Sprint(pid) &&
			strings.HasSuffix(f[5], fmt.Sprintf(":%d", info.Sys().(*syscall.Stat_t).Ino)) {
			return true
		}
	}
	return false
}

// A writer that hangs while it holds the lock: whoever reads is answered,
// whoever writes is told after --lock-timeout who holds it, and when it goes on
// so does everything else.
func TestHungWriter(t *testing.T) {
	t.Parallel()
	c, _ := solo(t)
	var records strings.Builder
	for n := range 3000 {
		fmt.Fprintf(&records, `{"id":"bd-i%06d","title":"imported %d","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}`+"\n", n, n)
	}
	file := filepath.Join(c.place.dir, "many.jsonl")
	write(t, file, records.String())
	writer := c.command(nil, "import", file)
	must(t, writer.Start())
	ended := make(chan error, 1)
	go func() { ended <- writer.Wait() }()
	defer func() { _ = writer.Process.Kill() }() // it has ended, unless the test failed
	lock := c.at(".beads", "db.lock")
	for {
		select {
		case err := <-ended:
			t.Skipf("the import was over before it could be stopped (%v)", err)
		default:
		}
		if !holdsLock(t, writer.Process.Pid, lock) {
			continue
		}
		must(t, writer.Process.Signal(syscall.SIGSTOP))
		eventually(t, "the import has stopped", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", writer.Process.Pid))
			must(t, err)
			_, state, _ := strings.Cut(string(stat), ") ")
			return strings.HasPrefix(state, "T")
		})
		// It may have let go, or not yet have written who it is.
		content, err := os.ReadFile(lock)
		must(t, err)
		if holdsLock(t, writer.Process.Pid, lock) && strings.Contains(string(content), fmt.Sprintf(`"pid":%d,`, writer.Process.Pid)) {
			break
		}
		must(t, writer.Process.Signal(syscall.SIGCONT))
	}
	for _, args := range [][]string{{"list"}, {"ready"}, {"show", "--json", "bd-nosuch"}, {"count"}, {"export"}} {
		if r := c.try(args...); r.code != 0 && args[0] != "show" {
			t.Errorf("bd %q while a writer hangs: exit code %d\n%s", args, r.code, r.stderr)
		}
	}
	r := c.try("--lock-timeout", "50ms", "q", "in vain")
	if want := fmt.Sprintf("database locked by another process (PID %d, bd import)", writer.Process.Pid); r.code != 1 || !strings.Contains(r.stderr, want) {
		t.Errorf("a write: exit code %d\n%swant %s", r.code, r.stderr, want)
	}
	must(t, writer.Process.Signal(syscall.SIGCONT))
	if err := <-ended; err != nil {
		t.Errorf("the import: %v", err)
	}
	if n := c.must("count"); n != "3003" {
		t.Errorf("%s issues, want 3003", n)
	}
}

// A daemon was killed and its PID now belongs to a stranger: it counts as
// stopped, and nothing that bd can be told to stop is that stranger.
func TestReusedPID(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("a PID can be chosen by root only")
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("no unshare here")
	}
	c, exported := solo(t)
	script := `set -e
bd daemon start --foreground & daemon=$!
until bd daemon status >/dev/null; do :; done
kill -9 $daemon; wait $daemon || true
echo $((daemon - 1)) >/proc/sys/kernel/ns_last_pid
tail -f /dev/null & stranger=$!
echo "reused: $((daemon == stranger))"
bd daemon status >/dev/null && echo status: running || echo "status: $?"
bd daemon stop 2>&1 || true
bd daemon stop --force 2>&1 || true
bd daemons killall --force 2>&1 || true
bd daemons stop . 2>&1 || true
kill -0 $stranger && echo stranger lives
bd daemon start >/dev/null; bd daemon stop
kill -0 $stranger && echo stranger lives on
kill -9 $stranger
`
	cmd := c.command(nil)
	cmd.Path, cmd.Args = unshare, []string{unshare, "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script}
	out, err := cmd.CombinedOutput()
	text := string(out)
	if err != nil && !strings.Contains(text, "reused") {
		t.Skipf("a PID namespace: %v\n%s", err, text)
	}
	for _, want := range []string{"reused: 1", "status: 3", "daemon not running", "stranger lives\n", "stranger lives on\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%v, no %q in\n%s", err, want, text)
		}
	}
	c.whole(exported)
}
