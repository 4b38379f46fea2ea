package acceptance

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// trouble is one way for a remote to fail, and its end.
type trouble struct {
	name  string
	code  string // of bd sync --json
	begin func(p *place, a, b *clone)
	end   func(p *place, a, b *clone)

	quarantined bool // nothing fails, and a line is quarantined
	united      bool // nothing fails, and what was lost is put back
}

const ref = "refs/beads/ops"

// writeRef puts a commit with one file on the remote's ref, as another program
// would, and returns what was there before.
func (p *place) writeRef(path, text string) (before string) {
	p.t.Helper()
	before = p.tip(p.bare)
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env = p.bare, p.env
	cmd.Stdin = strings.NewReader(fmt.Sprintf("commit %s\ncommitter x <x@invalid> 1 +0000\ndata 1\nx\nfrom %s\nM 100644 inline %s\ndata %d\n%s\n",
		ref, before, path, len(text), text))
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	return before
}

func troubles() []trouble {
	var before string
	return []trouble{
		{name: "unreachable", code: "unreachable",
			begin: func(p *place, a, b *clone) { must(p.t, os.Rename(p.bare, p.bare+".away")) },
			end:   func(p *place, a, b *clone) { must(p.t, os.Rename(p.bare+".away", p.bare)) }},
		{name: "refused by a hook", code: "rejected",
			begin: func(p *place, a, b *clone) {
				hook := filepath.Join(p.bare, "hooks", "pre-receive")
				must(p.t, os.MkdirAll(filepath.Dir(hook), 0o755))
				write(p.t, hook, "#!/bin/sh\necho not on my watch\nexit 1\n")
				must(p.t, os.Chmod(hook, 0o755))
			},
			end: func(p *place, a, b *clone) { must(p.t, os.Remove(filepath.Join(p.bare, "hooks", "pre-receive"))) }},
		{name: "deleted ref", code: "ref_deleted",
			begin: func(p *place, a, b *clone) { p.git(p.bare, "update-ref", "-d", ref) },
			end:   func(p *place, a, b *clone) { b.must("sync", "--publish") }},
		{name: "a foreign tree", code: "foreign_ref",
			begin: func(p *place, a, b *clone) { p.git(p.bare, "update-ref", ref, "refs/heads/main") },
			end:   func(p *place, a, b *clone) { p.git(p.bare, "update-ref", ref, p.tip(b.dir)) }},
		{name: "a newer layout", code: "newer_ref",
			begin: func(p *place, a, b *clone) { before = p.writeRef("format.json", `{"version":2}`) },
			end:   func(p *place, a, b *clone) { p.git(p.bare, "update-ref", ref, before) }},
		{name: "another URL", code: "remote_moved",
			begin: func(p *place, a, b *clone) { p.git(a.dir, "remote", "set-url", "origin", p.bare+".other") },
			end:   func(p *place, a, b *clone) { p.git(a.dir, "remote", "set-url", "origin", p.bare) }},
		{name: "rewound", united: true,
			begin: func(p *place, a, b *clone) { p.git(p.bare, "update-ref", ref, ref+"~1") }},
		{name: "force-pushed", united: true,
			begin: func(p *place, a, b *clone) { p.git(b.dir, "push", "-qf", "origin", ref+"~1:"+ref) }},
		{name: "garbage", quarantined: true,
			begin: func(p *place, a, b *clone) { p.writeRef("ops/2026-11/23/03/02/x.jsonl", "rubbish\n") }},
	}
}

// remoteStatus is what bd daemon status --json says of the remote.
func (c *clone) remoteStatus() (answer struct {
	Remote *struct {
		Error    string
		Unshared int64
	}
	ExchangingSince *string `json:"exchanging_since"`
}) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.must("daemon", "status", "--json")), &answer); err != nil {
		c.t.Fatal(err)
	}
	return answer
}

// gets syncs until an issue of this title has come, which another's daemon sends.
func (c *clone) gets(title string) {
	c.t.Helper()
	eventually(c.t, c.name+" gets "+title, func() bool {
		c.sync()
		return strings.Contains(c.must("list", "--all"), title)
	})
}

// atRest waits until the daemon knows of no trouble, and of nothing to do.
func (c *clone) atRest() {
	c.t.Helper()
	eventually(c.t, "the daemon of "+c.name+" is at rest", func() bool {
		r := c.remoteStatus().Remote
		return r != nil && r.Error == "" && r.Unshared == 0
	})
}

// fails runs bd sync, which must fail with a code, in one line and a next step.
func (c *clone) fails(code string) {
	c.t.Helper()
	r := c.try("sync")
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	c.t.Logf("bd sync: %s", strings.TrimSpace(r.stderr))
	next := len(lines) == 2 && strings.HasPrefix(lines[1], "bd: hint: ") ||
		len(lines) == 1 && (strings.Contains(lines[0], "bd sync --publish origin") || strings.HasSuffix(lines[0], "; update bd"))
	if r.code != 1 || !strings.HasPrefix(lines[0], "bd: error: ") || !next || len(lines[0]) > 400 {
		c.t.Errorf("bd sync: exit code %d, not one line and what to do:\n%s", r.code, r.stderr)
	}
	if r := c.try("sync", "--json"); !strings.Contains(r.stderr, `"code":"`+code+`"`) {
		c.t.Errorf("bd sync --json says %s, want code %s", r.stderr, code)
	}
}

// toldInStatus waits until the daemon's status says in one line what is wrong.
func (c *clone) toldInStatus() {
	c.t.Helper()
	eventually(c.t, "the status tells of the trouble", func() bool {
		r := c.remoteStatus().Remote
		return r != nil && r.Error != "" && !strings.Contains(r.Error, "\n")
	})
	status := c.must("daemon", "status")
	if !strings.Contains(status, "Remote Error") || !strings.Contains(status, "Local work goes on. To try now: bd sync") {
		c.t.Errorf("status says nothing of it:\n%s", status)
	}
	if out := c.must("sync", "--status"); strings.Count(out, "Failed ") != 1 {
		c.t.Errorf("bd sync --status:\n%s", out)
	}
}

// Whatever happens to the remote, local commands answer, the state is told in
// one line, and with the cause the trouble goes, without a word from anyone.
func TestTroubledRemote(t *testing.T) {
	t.Parallel()
	for _, trouble := range troubles() {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			a, b := p.newClone("a", "--publish"), p.newClone("b")
			b.must("q", "of b")
			p.settle(b, a)
			a.startDaemon()
			a.serving()
			a.atRest()
			trouble.begin(p, a, b)
			local := a.must("q", "in trouble")
			a.must("update", local, "--claim")
			if trouble.code != "" {
				a.toldInStatus()
				a.fails(trouble.code)
				a.must("close", local)
				trouble.end(p, a, b)
			}
			b.gets("in trouble")
			a.atRest()
			if trouble.quarantined {
				if r := a.try("doctor"); !strings.Contains(r.stdout+r.stderr, "quarantine") {
					t.Errorf("doctor does not tell of the garbage:\n%s%s", r.stdout, r.stderr)
				}
			}
			a.stop()
			p.settle(a, b)
			p.equal(a, b)
		})
	}
}

// A remote that takes our call and never answers holds up nobody but the
// exchange itself, and when it hangs up all goes on.
func TestHangingRemote(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.newClone("a"), p.newClone("b")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	calls := make(chan net.Conn)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			calls <- conn
		}
	}()
	answer := func(conn net.Conn) { // as git daemon does for inetd
		file, err := conn.(*net.TCPConn).File()
		must(t, err)
		must(t, conn.Close())
		cmd := exec.Command("git", "daemon", "--inetd", "--export-all", "--enable=receive-pack", "--base-path="+p.dir, p.bare)
		cmd.Env, cmd.Stdin, cmd.Stdout = p.env, file, file
		_ = cmd.Run() // it fails when the client is stopped meanwhile
		must(t, file.Close())
	}
	p.git(a.dir, "remote", "set-url", "origin", "git://"+listener.Addr().String()+"/hub.git")
	published := make(chan result, 1)
	go func() { published <- a.try("sync", "--publish") }()
	for done := false; !done; {
		select {
		case conn := <-calls:
			answer(conn)
		case r := <-published:
			if r.code != 0 {
				t.Fatalf("over the network: %s", r.stderr)
			}
			done = true
		}
	}
	b.must("sync", "--publish")

	// A sync that hangs, and everything else meanwhile.
	hanging := make(chan result, 1)
	go func() { hanging <- a.try("sync") }()
	conn := <-calls
	id := a.must("q", "while it hangs")
	a.must("update", id, "--claim")
	a.must("show", id)
	a.must("list")
	a.must("export")
	if r := a.try("sync", "--lock-timeout", "10ms"); r.code != 1 || strings.Count(r.stderr, "\n") != 2 ||
		!strings.Contains(r.stderr, "another sync is under way") {
		t.Errorf("a second sync: exit code %d\n%s", r.code, r.stderr)
	}
	select {
	case r := <-hanging:
		t.Fatalf("bd sync did not wait: %+v", r)
	default:
	}
	must(t, conn.Close())
	if r := <-hanging; r.code != 1 || strings.Count(r.stderr, "\n") != 2 || !strings.Contains(r.stderr, "cannot be reached") {
		t.Errorf("after it hung up: exit code %d\n%s", r.code, r.stderr)
	}

	// A daemon whose exchange hangs.
	a.startDaemon()
	conn = <-calls
	a.serving()
	a.must("close", id)
	if a.remoteStatus().ExchangingSince == nil || !strings.Contains(a.must("daemon", "status"), "Exchanging") {
		t.Error("status does not tell of the exchange that hangs")
	}
	must(t, conn.Close())
	stop := make(chan struct{})
	var answering sync.WaitGroup
	answering.Go(func() {
		for {
			select {
			case conn := <-calls:
				answer(conn)
			case <-stop:
				return
			}
		}
	})
	b.gets("while it hangs")
	a.atRest()
	a.stop()
	close(stop)
	answering.Wait()
}

// A remote that asks for a password is not asked for ever; one bd sync that gets
// in and the daemon goes on.
func TestPasswordRemote(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.git(p.bare, "config", "http.receivepack", "true")
	a, b := p.newClone("a"), p.newClone("b")
	var closed atomic.Bool
	var refused atomic.Int64
	backend := &cgi.Handler{
		Path: filepath.Join(p.git(p.dir, "--exec-path"), "git-http-backend"), Stderr: io.Discard,
		Env: append([]string{"GIT_PROJECT_ROOT=" + p.dir, "GIT_HTTP_EXPORT_ALL=1"}, p.env...),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if closed.Load() {
			refused.Add(1)
			w.Header().Set("WWW-Authenticate", `Basic realm="hub"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	defer server.Close()
	p.git(a.dir, "remote", "set-url", "origin", server.URL+"/hub.git")
	a.must("sync", "--publish")
	b.must("sync", "--publish")
	closed.Store(true)
	a.startDaemon()
	a.serving()
	id := a.must("q", "behind closed doors")
	a.toldInStatus()
	a.fails("authentication")
	eventually(t, "the daemon leaves the remote alone", func() bool {
		return strings.Contains(a.remoteStatus().Remote.Error, "not asked again until a bd sync gets through")
	})
	asked := refused.Load()
	a.must("close", id)
	a.toldInStatus()
	if n := refused.Load(); n != asked {
		t.Errorf("asked %d times more", n-asked)
	}
	closed.Store(false)
	a.sync()
	a.must("q", "and open ones")
	b.gets("and open ones")
	a.atRest()
	a.stop()
}
