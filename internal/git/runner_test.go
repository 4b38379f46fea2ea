package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newRunner makes a repository and a runner for it that sees no configuration of
// the machine's.
func newRunner(t *testing.T) *Runner {
	t.Helper()
	dir := filepath.Join(sandbox(t), "repo")
	commitFile(t, dir)
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GIT_") })
	return &Runner{GitDir: filepath.Join(dir, ".git"), Dir: dir, Env: append(env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")}
}

// script makes a program that stands in for git.
func script(t *testing.T, r *Runner, text string) {
	t.Helper()
	r.Program = filepath.Join(sandbox(t), "git")
	executable(t, r.Program, "#!/bin/sh\n"+text)
}

// executable writes a program, and lets nothing be started meanwhile: it would
// inherit our open file for a moment, and a file that is open for writing cannot be
// run (golang.org/issue/22315).
func executable(t *testing.T, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestEnvironment(t *testing.T) {
	got := environment([]string{
		"PATH=/bin", "HOME=/h", "GIT_DIR=/x", "GIT_INDEX_FILE=/x", "GIT_WORK_TREE=/x", "GIT_OBJECT_DIRECTORY=/x", "GIT_COMMON_DIR=/x",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES=/x", "GIT_NAMESPACE=x", "GIT_PREFIX=x", "GIT_AUTHOR_NAME=x", "GIT_COMMITTER_DATE=1", "GIT_TRACE=1",
		"GIT_CONFIG=/x", "GIT_ASKPASS=/x", "SSH_ASKPASS=/x", "GIT_EXTERNAL_DIFF=x", "GIT_REPLACE_REF_BASE=x", "LANG=de_DE", "LC_MESSAGES=de_DE",
		"GIT_SSL_CAINFO=/ca", "GIT_CONFIG_COUNT=0", "https_proxy=p", "GIT_PROXY_COMMAND=p", "GIT_EXEC_PATH=/e",
	}, false)
	want := []string{
		"PATH=/bin", "HOME=/h", "GIT_SSL_CAINFO=/ca", "GIT_CONFIG_COUNT=0", "https_proxy=p", "GIT_PROXY_COMMAND=p", "GIT_EXEC_PATH=/e",
		"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS_REQUIRE=never", "GCM_INTERACTIVE=never", "GIT_OPTIONAL_LOCKS=0",
		"GIT_NO_REPLACE_OBJECTS=1", "GIT_LITERAL_PATHSPECS=1", "GIT_NO_LAZY_FETCH=1", "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment is\n%q\nwant\n%q", got, want)
	}
	for name, c := range map[string]struct {
		env        []string
		configured bool
	}{
		"GIT_SSH_COMMAND": {[]string{"GIT_SSH_COMMAND=mine"}, false},
		"GIT_SSH":         {[]string{"GIT_SSH=mine"}, false},
		"core.sshCommand": {nil, true},
	} {
		if got := environment(c.env, c.configured); slices.Contains(got, "GIT_SSH_COMMAND=ssh -oBatchMode=yes") {
			t.Errorf("%s: the user's ssh is overruled", name)
		}
	}
}

// At the deadline git goes, and with it what it started, also when it does not
// want to.
func TestDeadline(t *testing.T) {
	for name, text := range map[string]string{
		"ends when told":   `sleep 1000 & echo $! >"$PIDS"; wait`,
		"ignores the word": `trap '' TERM; (trap '' TERM; sleep 1000) & echo $! >"$PIDS"; wait; wait; sleep 1000`,
		"leaves a child":   `(trap '' TERM; exec sleep 1000) & echo $! >"$PIDS"; trap 'exit 1' TERM; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			pids := filepath.Join(sandbox(t), "pids")
			r.Env = append(r.Env, "PIDS="+pids)
			r.Remote, r.Grace = 500*time.Millisecond, 100*time.Millisecond
			script(t, r, text+"\n")
			pid := 0
			for ; pid == 0; r.Remote *= 2 { // again, if it had not even begun to hang by then
				_, err := r.LsRemote(t.Context(), "origin", "refs/x/y")
				if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "no answer within "+r.Remote.String()) {
					t.Fatalf("error %v", err)
				}
				data, _ := os.ReadFile(pids) // not there, or not whole
				pid, _ = strconv.Atoi(strings.TrimSpace(string(data)))
			}
			// Its parent is gone, so it may still wait for init to reap it.
			waitFor(t, func() bool {
				state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
				return err != nil || strings.Contains(string(state), ") Z ")
			})
		})
	}
}

// What is received may take longer than the deadline, as long as something comes.
func TestDeadlineOfWhatComes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after string // what the script does when it has received for three deadlines
		want  error
	}{
		"to the end":   {"exit 0", nil},
		"then no more": {"exec sleep 1000", ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			pack := filepath.Join(r.GitDir, "objects", "pack", "tmp_pack_test")
			whole := filepath.Join(sandbox(t), "whole")
			r.Env = append(r.Env, "PACK="+pack, "WHOLE="+whole)
			r.Grace = 100 * time.Millisecond
			for tenths := 5; ; tenths *= 2 { // again, if the machine was too slow for a byte in time
				script(t, r, fmt.Sprintf(`: >"$PACK"
for n in $(seq %d); do printf x >>"$PACK"; sleep 0.1; done
: >"$WHOLE"
%s
`, 3*tenths, c.after))
				r.Remote = time.Duration(tenths) * 100 * time.Millisecond
				err := r.Fetch(t.Context(), "origin", "refs/x/y", "refs/x/z")
				if _, unfinished := os.Lstat(whole); unfinished != nil && errors.Is(err, ErrUnreachable) && tenths < 100 {
					continue
				}
				if !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
				return
			}
		})
	}
}

// What git has started, such as the receiving side of a push to a directory, may
// hold a lock that everybody else waits for: when we break off it gets the time
// to remove it, also if git itself ends at once.
func TestBreakingOffLeavesNoLock(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	lock := filepath.Join(sandbox(t), "ops.lock")
	r.Env = append(r.Env, "LOCK="+lock)
	script(t, r, `(trap 'sleep 0.2; rm "$LOCK"; exit 1' TERM; : >"$LOCK"; while :; do sleep 0.05; done) &
trap 'exit 1' TERM
while :; do sleep 0.05; done
`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pushed := make(chan error, 1)
	go func() { pushed <- r.Push(ctx, "origin", "main", "refs/x/y") }()
	waitFor(t, func() bool { _, err := os.Lstat(lock); return err == nil })
	cancel()
	if err := <-pushed; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(lock); err == nil {
		t.Error("the lock is still there")
	}
}

// waitFor polls, for what nothing tells.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it did not happen")
		}
	}
}

// A process that left the group and keeps the pipes open holds nobody up.
func TestLingeringChild(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	done := filepath.Join(sandbox(t), "done")
	r.Env = append(r.Env, "DONE="+done)
	script(t, r, "(setsid sh -c 'sleep 20; touch \"$DONE\"') & echo "+strings.Repeat("a", 40)+" refs/x/y\n")
	refs, err := r.Refs(t.Context(), "refs/x/")
	if err != nil || len(refs) != 1 {
		t.Errorf("%v, %v", refs, err)
	}
	if _, err := os.Lstat(done); err == nil {
		t.Error("it was waited for")
	}
}

// Who reads slowly gets all that git wrote, also long after git has ended.
func TestSlowReader(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	exited := make(chan struct{})
	close(exited)
	r := &outputReader{file: out, woken: make(chan struct{})}
	r.wake(exited)
	if _, err := in.WriteString("late"); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range "late" {
		if err := out.SetReadDeadline(time.Unix(1, 0)); err != nil { // as if drainTime had passed
			t.Fatal(err)
		}
		got := make([]byte, 1)
		if n, err := r.Read(got); n != 1 || err != nil || rune(got[0]) != want {
			t.Errorf("read %q, %v, want %q", got, err, want)
		}
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

func TestCancelled(t *testing.T) {
	r := newRunner(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	script(t, r, "sleep 1000\n")
	time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
	if _, err := r.Refs(ctx, "refs/x/"); !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
	if _, err := r.Refs(ctx, "refs/x/"); !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
}

func TestNoGitAndOldGit(t *testing.T) {
	r := newRunner(t)
	r.Program = "no-such-git"
	if _, err := r.Refs(t.Context(), "refs/x/"); !errors.Is(err, ErrNoGit) {
		t.Errorf("error %v, want ErrNoGit", err)
	}
	script(t, r, `if [ "$1" = version ]; then echo git version 2.20.1; exit; fi; echo "error: unknown option" >&2; exit 129`+"\n")
	if _, err := r.Refs(t.Context(), "refs/x/"); !errors.Is(err, ErrTooOld) {
		t.Errorf("error %v, want ErrTooOld", err)
	}
	for version, want := range map[string]bool{
		"git version 2.33.8": true, "git version 1.9.1": true, "git version 2.34.0": false, "git version 2.39.5 (Apple Git-154)": false,
		"git version 3.0": false, "nonsense": false,
	} {
		if got := olderThan(version, 2, 34); got != want {
			t.Errorf("olderThan(%q) is %v", version, got)
		}
	}
	r = newRunner(t)
	r.GitDir, r.Dir = sandbox(t), ""
	if _, err := r.Refs(t.Context(), "refs/x/"); !errors.Is(err, ErrNotRepository) {
		t.Errorf("error %v, want ErrNotRepository", err)
	}
}

func TestClassify(t *testing.T) {
	for stderr, want := range map[string]error{
		"fatal: could not read Username for 'https://x': terminal prompts disabled":                                      ErrAuthentication,
		"git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.":                           ErrAuthentication,
		"Host key verification failed.\nfatal: Could not read from remote repository.":                                   ErrAuthentication,
		"remote: Permission to o/r.git denied to u.\nfatal: unable to access 'x': The requested URL returned error: 403": ErrRejected,
		"ssh: Could not resolve hostname x\nfatal: Could not read from remote repository.":                               ErrUnreachable,
		"fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.":              ErrUnreachable,
		"fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused":                      ErrUnreachable,
		"fatal: transport 'ext' not allowed":                                                                             ErrUnreachable,
		"error: loose object 12 is corrupt\nfatal: the remote end hung up unexpectedly":                                  ErrMissing,
		"error: cannot lock ref 'r': Unable to create '/g/r.lock': File exists.":                                         ErrLocked,
		"error: cannot lock ref 'r': is at 12 but expected 34":                                                           ErrStale,
		"fatal: No such remote 'x'": ErrNoRemote,
		"fatal: out of memory":      nil,
	} {
		if got := classify(stderr, true); got != want {
			t.Errorf("%q is %v, want %v", stderr, got, want)
		}
	}
	for summary, want := range map[string]error{
		"[rejected] (fetch first)":                                ErrNonFastForward,
		"[rejected] (non-fast-forward)":                           ErrNonFastForward,
		"[remote rejected] (cannot lock ref 'refs/beads/ops': x)": ErrNonFastForward,
		"[remote rejected] (failed to update ref)":                ErrNonFastForward,
		"[remote rejected] (pre-receive hook declined)":           ErrRejected,
		"[remote rejected] (protected branch)":                    ErrRejected,
		"[remote rejected] (deny updating a hidden ref)":          ErrRejected,
	} {
		if got := pushFailure(summary); got != want {
			t.Errorf("%q is %v, want %v", summary, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for stderr, want := range map[string]string{
		"fatal: a\nhint: b\nerror: c\n":              "a; c",
		"remote: \nremote: no\r\nfatal: a\nfatal: a": "no; a",
		"just words\nmore":                           "just words; more",
		"remote: error: a\nremote: \nremote: Another git process seems to be running in this repository, e.g.\nremote: an editor\n" +
			"remote: remove the file manually to continue.\nerror: b": "error: a; b",
		"": "",
		"fatal: x https://u:p@h/r and ssh://git@h:22/r, me@h":          "x https://***@h/r and ssh://***@h:22/r, me@h",
		"fatal: 'https://h/r?private_token=t&x=1/': no, https://u@h?t": "'https://h/r?***': no, https://***@h?***",
		"fatal: https://tok@en:p/w@h/r":                                "https://***@en:p/w@h/r",
		"fatal: could not read Password for 'https://u@github.com'":    "could not read Password for 'https://***@github.com'",
		"fatal: " + strings.Repeat("é", 1000):                          strings.Repeat("é", 300) + "…",
	} {
		if got := oneLine(stderr); got != want {
			t.Errorf("%.60q becomes %q, want %q", stderr, got, want)
		}
	}
	if !SameURL("https://a:b@h/r", "https://c@h/r/") || !SameURL("https://h/r?token=a", Redact("https://h/r?token=b")) || SameURL("https://h/r", "https://h/s") {
		t.Error("SameURL is wrong")
	}
}

func TestBoundedOutput(t *testing.T) {
	data, err := io.ReadAll(&limitedReader{r: strings.NewReader("12345678"), left: 8})
	if err != nil || len(data) != 8 {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := io.ReadAll(&limitedReader{r: strings.NewReader("123456789"), left: 8}); !errors.Is(err, errOutput) {
		t.Errorf("error %v, want errOutput", err)
	}
	var kept headAndTail
	for n := range 100_000 {
		fmt.Fprintf(&kept, "%d\n", n)
	}
	if text := kept.String(); len(text) != 2*keptOfStderr || !strings.HasPrefix(text, "0\n1\n") || !strings.HasSuffix(text, "99999\n") {
		t.Errorf("kept %d bytes", len(text))
	}
}

// git's own judgement is the measure.
func TestCheckRef(t *testing.T) {
	r := newRunner(t)
	for _, name := range []string{
		"refs/beads/ops", "refs/heads/beads-ops", "refs/heads/a/b.c", "refs/heads/é", "beads", "refs/beads", "refs/x/-y", "HEAD",
		"refs/heads/", "refs//x", "refs/heads/a..b", "refs/heads/a.lock", "refs/heads/.a", "refs/heads/a.", "refs/heads/a b", "refs/heads/a~1",
		"refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[", `refs/heads/a\b`, "refs/heads/a@{b", "refs/heads/@",
		"refs/heads/a\x7f", "refs/heads/a\n", "-refs/heads/a", "refs/heads/a.lock/b",
	} {
		_, err := r.run(t.Context(), call{args: []string{"check-ref-format", name}})
		full := strings.HasPrefix(name, "refs/") && strings.Count(name, "/") > 1
		if want := err == nil && full; (CheckRef(name) == nil) != want {
			t.Errorf("CheckRef(%q) is %v, git says %v", name, CheckRef(name), err)
		}
	}
	if CheckRef("refs/tags/beads") == nil {
		t.Error("a tag, which git moves by force only, passes for a ref to push to")
	}
	for name, good := range map[string]bool{"origin": true, "a/b": true, "": false, "-o": false, "--upload-pack=x": false, "a b": false, "..": false} {
		if (CheckRemote(name) == nil) != good {
			t.Errorf("CheckRemote(%q) is %v", name, CheckRemote(name))
		}
	}
}

func TestRemoteURL(t *testing.T) {
	r := newRunner(t)
	write(t, filepath.Join(r.GitDir, "config"), `[core]
	bare = false
[remote "origin"]
	url = https://u:secret@host/r
	fetch = +refs/heads/*:refs/remotes/origin/*
[remote "two"]
	url = /fetch
	pushurl = /push/a
	pushurl = /push/b
[remote "evil"]
	url = ext::sh -c touch% /tmp/x
[remote "option"]
	url = --upload-pack=touch
[remote "none"]
	fetch = x
`)
	for name, want := range map[string]string{"origin": "https://u:secret@host/r", "two": "/push/a /push/b"} {
		if push, _, err := r.RemoteURL(name); push != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, push, err, want)
		}
	}
	for _, name := range []string{"evil", "option", "none", "missing", "-x"} {
		if push, _, err := r.RemoteURL(name); err == nil {
			t.Errorf("%s: %q is accepted", name, push)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, want := r.Remotes(), []string{"evil", "option", "origin", "two"}; !slices.Equal(got, want) {
		t.Errorf("remotes %q, want %q", got, want)
	}
	if _, err := r.LsRemote(t.Context(), "evil", "refs/x/y"); err == nil {
		t.Error("ext:: was run")
	}
}

func TestIdentityIsOneLine(t *testing.T) {
	r := newRunner(t)
	write(t, filepath.Join(r.GitDir, "config"), "[user]\n\tname = \"A <B>\\n C\"\n\temail = a@b\n")
	if name, email := r.Identity(); name != "A B C" || email != "a@b" {
		t.Errorf("identity %q %q", name, email)
	}
}
