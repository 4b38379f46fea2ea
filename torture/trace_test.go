package main

import (
	"strings"
	"syscall"
	"testing"
)

// command is a program to run.
type command struct {
	args []string // the program's path first
	dir  string
	env  []string
}

// A call is a system call on a file, before it runs.
type call struct {
	n       int // from 1, over all threads and child processes
	own     int // of the program itself, so many so far
	name    string
	path    string
	child   bool            // by a child process
	returns []syscall.Errno // what it may fail with
}

// A verdict on a call; the zero one lets it run.
type verdict struct {
	kill     bool          // kill -9 the program: the call does not run
	children bool          // and all that it started
	errno    syscall.Errno // the call does not run and returns this
}

// traced is how a program ended.
type traced struct {
	code           int
	killed         bool
	hung           string // not "": it did not end, and where it was
	calls, own     int    // on files: all, and those of the program itself
	struck         int    // calls that were made to fail
	unsynced       bool   // an fsync of a log among them
	stdout, stderr string
}

// acknowledged: it ended by itself and said that all is well.
func (t traced) acknowledged() bool { return !t.killed && t.code == 0 }

// The tracer counts the same calls each time, kills before a call, and makes one
// fail that then has no effect.
func TestTrace(t *testing.T) {
	if !canTrace {
		t.Skip("no tracer for this system")
	}
	s := newSite(t)
	bd := s.command("q", "one")
	var names []string
	whole := s.trace(bd, func(c call) verdict { names = append(names, c.name); return verdict{} })
	if whole.code != 0 || whole.calls < 50 || whole.own != whole.calls || !strings.HasPrefix(whole.stdout, "bd-") {
		t.Fatalf("untroubled: %+v", whole)
	}
	killed := s.trace(bd, func(c call) verdict { return verdict{kill: c.n == 20} })
	if !killed.killed || killed.calls != 20 {
		t.Errorf("killed: %+v", killed)
	}
	failed := s.trace(bd, func(c call) verdict {
		if c.name == "fsync" {
			return verdict{errno: syscall.EIO}
		}
		return verdict{}
	})
	if failed.code == 0 || failed.struck == 0 || !strings.Contains(failed.stderr, "input/output error") {
		t.Errorf("fsync failed: %+v", failed)
	}
}
