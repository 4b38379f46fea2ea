package acceptance

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var tinyFiles = flag.Int("files", 2000, "how many files TestManyTinyFiles puts on the ref (a million in the whole run)")

// Nothing leaves the clone before somebody has said so: whatever else is done,
// and with a daemon, the remote stays as it was; what says it shows the URL and
// means that one only.
func TestNothingIsSharedByAccident(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.newClone("a")
	refs := func(dir string) string { return p.git(dir, "for-each-ref") }
	before := refs(p.bare)
	c.startDaemon()
	c.serving()
	id := c.must("q", "private")
	for _, args := range append(everyday(), []string{"update", id, "--claim"}, []string{"close", id}, []string{"sync", "--no-fetch"}, []string{"sync", "--status"}, []string{"config", "set", "git.auto_push", "true"}) {
		if args[0] != "daemon" {
			c.bounded(args...)
		}
	}
	c.must("sync")
	c.stop()
	if got := refs(p.bare); got != before {
		t.Fatalf("the remote has\n%s\nand had\n%s", got, before)
	}
	// The user's own pushes take nothing along.
	p.git(c.dir, "commit", "-q", "--allow-empty", "-m", "work")
	p.git(c.dir, "push", "-q", "--all", "origin")
	p.git(c.dir, "push", "-q", "--tags", "origin")
	if got := refs(p.bare); strings.Contains(got, "beads") {
		t.Errorf("git push took along\n%s", got)
	}
	if out := c.must("sync", "--publish"); !strings.Contains(out, p.bare) {
		t.Errorf("bd sync --publish does not show the URL:\n%s", out)
	}
	// Another place under the same name is not what was agreed to.
	fork := filepath.Join(p.dir, "fork.git")
	p.git(p.dir, "clone", "-q", "--bare", p.bare, fork)
	p.git(fork, "update-ref", "-d", "refs/beads/ops")
	p.git(c.dir, "remote", "set-url", "origin", fork)
	c.must("q", "for the first one only")
	if r := c.try("sync"); r.code != 1 || !strings.Contains(r.stderr, "--publish") {
		t.Errorf("sync to another URL: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if got := refs(fork); strings.Contains(got, "beads") {
		t.Errorf("the fork has\n%s", got)
	}
}

// A password in a remote's URL shows in no output, no log and no file of ours.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.newClone("a")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close()) // nobody answers there
	const secret = "s3cr3t-t0ken"
	p.git(c.dir, "remote", "set-url", "origin", "https://user:"+secret+"@"+address+"/hub.git?token="+secret)
	c.env = append(c.env, append(quick, "BEADS_DAEMON_LOG_LEVEL=debug")...)
	c.must("daemon", "start")
	t.Cleanup(func() { c.try("daemon", "stop") })
	for _, args := range append(everyday(), []string{"sync", "--publish"}, []string{"sync", "--publish", "origin", "--json"}, []string{"sync", "--status", "--json"},
		[]string{"init", "--publish"}, []string{"info", "--json"}, []string{"doctor", "-v", "--json"}, []string{"daemon", "status", "--json"}, []string{"daemon", "health"},
		[]string{"daemon", "metrics"}, []string{"config", "list"}, []string{"-v", "sync"}) {
		if len(args) > 1 && (args[1] == "start" || args[1] == "stop") {
			continue
		}
		if r := c.bounded(args...); strings.Contains(r.stdout+r.stderr, secret) {
			t.Errorf("bd %q tells the secret:\n%s%s", args, r.stdout, r.stderr)
		}
	}
	// Agreed to once, and then moved: a daemon tries it by itself, and says so.
	p.git(c.dir, "remote", "set-url", "origin", p.bare)
	c.must("sync", "--publish")
	p.git(c.dir, "remote", "set-url", "origin", "https://user:"+secret+"@"+address+"/hub.git")
	c.must("q", "unshared")
	c.try("sync", "--publish")
	eventually(t, "the status tells of the trouble", func() bool {
		r := c.remoteStatus().Remote
		return r != nil && r.Error != ""
	})
	told := c.must("daemon", "status") + c.must("daemon", "logs") + c.must("daemon", "logs", "--json")
	c.must("daemon", "stop")
	if strings.Contains(told, secret) {
		t.Errorf("the daemon tells the secret:\n%s", told)
	}
	must(t, filepath.WalkDir(c.at(".beads"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), secret) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	}))
}

// plant adds files to the operations' ref of the remote, as a hostile
// collaborator can.
func (p *place) plant(stream func(write func(path, text string))) {
	p.t.Helper()
	cmd := exec.Command("git", "-C", p.bare, "fast-import", "--quiet", "--force")
	cmd.Env = p.env
	in, err := cmd.StdinPipe()
	must(p.t, err)
	must(p.t, cmd.Start())
	fmt.Fprintf(in, "commit refs/beads/ops\ncommitter x <x@x> 0 +0000\ndata 1\nx\nfrom refs/beads/ops^0\n")
	stream(func(path, text string) {
		fmt.Fprintf(in, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text)
	})
	must(p.t, in.Close())
	must(p.t, cmd.Wait())
}

// Bombs on the remote's ref: JSON of great depth, with keys twice, in lines
// without end, in a file larger than any of ours. Each is put aside by name, and
// the rest arrives.
func TestBombsOnTheRef(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.newClone("a", "--publish"), p.newClone("b")
	const day = "ops/2026-11/23/03/02/"
	p.plant(func(add func(path, text string)) {
		add(day+"depth.jsonl", `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","x":`+strings.Repeat("[", 300000)+strings.Repeat("]", 300000)+"}\n")
		add(day+"twice.jsonl", `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"v":1,"do":"delete","issue":"bd-1"}`+"\n")
		add(day+"line.jsonl", strings.Repeat("x", 9<<20))
		add(day+"numbers.jsonl", `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1e999999999,"do":"create","issue":"bd-1","at":"2026-01-01T00:00:00.000Z","by":"x"}`+"\n")
		add(day+"names.jsonl", `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,`+strings.Repeat(`"k":{`, 100)+strings.Repeat("}", 100)+"}\n")
		add(day+"utf8.jsonl", "{\"op\":\"01KAQ0T6V3R8M0X2E9F1C4H7JK\",\"v\":1,\"do\":\"\xff\xfe\"}\n")
		add("ops/\xff\xfe/\x1b[31m.jsonl", "rubbish\n")
		add(day+strings.Repeat("n", 200)+".jsonl", "rubbish\n")
	})
	b.must("q", "of b")
	b.must("sync")
	a.must("sync")
	if list := a.must("list"); !strings.Contains(list, "of b") {
		t.Errorf("what is good did not arrive:\n%s", list)
	}
	r := a.try("doctor")
	if !strings.Contains(r.stdout+r.stderr, "quarantine") || strings.Contains(r.stdout+r.stderr, "\x1b") {
		t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if out := a.must("recover", "--quarantine"); strings.Contains(out, "\x1b") || len(out) > 16<<10 {
		t.Errorf("%d bytes of quarantine:\n%.2000s", len(out), out)
	}
	p.settle(a, b)
	p.equal(a, b)
}

// Many operations of a megabyte that all add to one issue: none of its fields
// outgrows what the database can hold, everybody agrees on what is left out and is
// told, and no command acknowledges what would be.
func TestIssueThatOutgrows(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.newClone("a", "--publish"), p.newClone("b")
	id := a.must("q", "of a")
	p.plant(func(add func(path, text string)) {
		for n := range 12 {
			value := strings.Repeat(string(rune('a'+n)), 900<<10)
			members := fmt.Sprintf(`"set":{"extra-%d":%q}`, n, value)
			if n%2 == 0 {
				members = fmt.Sprintf(`"append":{"notes":%q}`, value)
			}
			add(fmt.Sprintf("ops/2026-11/23/03/02/flood-%d.jsonl", n),
				fmt.Sprintf(`{"op":"01KAQ0T6V3R8M0X2E9F1C4H%03d","v":1,"do":"update","issue":%q,"at":"2026-11-23T03:02:47.857Z","by":"x",%s}`+"\n", n, id, members))
		}
	})
	p.settle(a, b)
	p.equal(a, b)
	if export := a.must("export"); len(export) > 3<<20 {
		t.Errorf("the issue has grown to %d bytes", len(export))
	}
	for _, c := range []*clone{a, b} {
		if r := c.try("doctor"); !strings.Contains(r.stdout, "10 of kind bad_value: "+id+" notes would be longer") {
			t.Errorf("doctor of %s: exit code %d\n%s%s", c.name, r.code, r.stdout, r.stderr)
		}
	}
	text := strings.Repeat("x", 120_000) // an argument can be so long
	appended := func() result { return a.try("update", id, "--append-notes", text) }
	if r := appended(); r.code != 0 {
		t.Errorf("notes that have room: exit code %d\n%s", r.code, r.stderr)
	}
	if r := appended(); r.code != 1 || !strings.Contains(r.stderr, "longer than 1048576 bytes") {
		t.Errorf("notes that have none: exit code %d\n%s", r.code, r.stderr)
	}
	a.must("update", id, "--notes", "short again")
	if r := appended(); r.code != 0 {
		t.Errorf("notes that have room again: exit code %d\n%s", r.code, r.stderr)
	}
	p.settle(a, b)
	p.equal(a, b)
}

// More tiny files on the ref than anybody would publish: taken in, in bounds, or
// refused in one line, and local work goes on either way.
func TestManyTinyFiles(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.newClone("a", "--publish"), p.newClone("b")
	b.must("q", "of b")
	b.must("sync")
	p.plant(func(add func(path, text string)) {
		for n := range *tinyFiles {
			add(fmt.Sprintf("ops/2026-11/%02d/%02d/%02d/%07d.jsonl", 1+n%30, n%24, n%60, n), "x\n")
		}
	})
	r := a.bounded("sync")
	if r.code != 0 && (r.code != 1 || strings.Count(r.stderr, "bd: error: ") != 1) {
		t.Errorf("sync: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	t.Logf("%d files: exit code %d, %s", *tinyFiles, r.code, strings.TrimSpace(r.stdout+r.stderr))
	a.must("q", "of a")
	if list := a.must("list"); !strings.Contains(list, "of a") || r.code == 0 && !strings.Contains(list, "of b") {
		t.Errorf("after it:\n%s", list)
	}
	if r := a.try("doctor"); strings.Contains(r.stdout, "failed ") {
		t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
