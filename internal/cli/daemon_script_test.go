package cli_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// waitLimit bounds every wait of a script for something another process does.
const waitLimit = 20 * time.Second

// stopDaemons ends what a script has started, also when it failed.
func stopDaemons(env *testscript.Env) {
	bd, err := exec.LookPath("bd")
	if err != nil {
		return
	}
	_ = filepath.WalkDir(env.WorkDir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == ".lock" && filepath.Base(filepath.Dir(path)) != ".git" {
			stop := exec.Command(bd, "--db", filepath.Join(filepath.Dir(path), "beads.db"), "daemon", "stop", "--force")
			stop.Dir, stop.Env = env.WorkDir, env.Vars
			_ = stop.Run() // none running is as good
		}
		return nil
	})
}

// scriptEventually runs a command again until it succeeds (or, with "!",
// fails), which another process brings about.
func scriptEventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: eventually COMMAND…")
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(waitLimit)
	for {
		if err := ts.Exec(args[0], args[1:]...); (err == nil) != neg {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			ts.Fatalf("never came true: %q", args)
		}
	}
}

// scriptSignal sends KILL, STOP, CONT, TERM, INT, HUP or USR1 to a process that the script
// has started, and after KILL, TERM and INT waits until it is gone.
func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal NAME PID")
	}
	signal, ok := map[string]syscall.Signal{
		"KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT,
		"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1,
	}[args[0]]
	pid, err := strconv.Atoi(args[1])
	if !ok || err != nil || pid <= 1 || pid == os.Getpid() {
		ts.Fatalf("signal %s %s: not a signal or not a PID", args[0], args[1])
	}
	ts.Check(syscall.Kill(pid, signal))
	switch args[0] {
	case "KILL", "TERM", "INT":
	default:
		return
	}
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.After(waitLimit)
	for !gone(pid) {
		select {
		case <-again.C:
		case <-limit:
			ts.Fatalf("process %d is still there", pid)
		}
	}
}

// gone reports whether a process has ended; one that nobody has waited for yet
// counts as ended too.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	for i := len(stat) - 1; i > 1; i-- {
		if stat[i] == ')' { // the state follows the command's name
			return i+2 < len(stat) && stat[i+2] == 'Z'
		}
	}
	return false
}

// scriptTogether runs a command N times at once and demands that it succeeds
// exactly M times.
func scriptTogether(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: together N M COMMAND…")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	path, err := exec.LookPath(args[2])
	ts.Check(err)
	results := make(chan error, n)
	for range n {
		cmd := exec.Command(path, args[3:]...)
		cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
		go func() { results <- cmd.Run() }()
	}
	succeeded := 0
	for range n {
		if err := <-results; err == nil {
			succeeded++
		}
	}
	if succeeded != want {
		ts.Fatalf("%d of %d succeeded, want %d", succeeded, n, want)
	}
}

// environment is what a script's commands see.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, key := range []string{
		"HOME", "PATH", "TMPDIR", "TZ", "LC_ALL", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
		"GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CEILING_DIRECTORIES",
		recordVariable,
	} {
		if value := ts.Getenv(key); value != "" {
			env = append(env, key+"="+value)
		}
	}
	return env
}
