package oplog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
)

// pair opens a log and a guard with one line each in directories of their own.
func pair(t *testing.T, fsys oplog.FS) (p *oplog.Pair, log, guard string) {
	t.Helper()
	dir := t.TempDir()
	log = filepath.Join(dir, ".beads", "issues.jsonl")
	guard = filepath.Join(dir, "common", "guard.jsonl")
	for _, path := range []string{log, guard} {
		must(t, os.Mkdir(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text(1)), 0o600))
	}
	return &oplog.Pair{Log: open(t, fsys, log), Guard: open(t, fsys, guard)}, log, guard
}

func cursors(t *testing.T, p *oplog.Pair) (c oplog.PairCursors) {
	t.Helper()
	_, c.Log = scan(t, p.Log, oplog.Cursor{})
	_, c.Guard = scan(t, p.Guard, oplog.Cursor{})
	return c
}

func TestPairAppend(t *testing.T) {
	p, log, guard := pair(t, oplog.OS{})
	to, err := p.Append(lines(2, 3), cursors(t, p))
	must(t, err)
	if to.Replaced {
		t.Error("Replaced though nothing was")
	}
	check(t, p.Log, to.Log, oplog.Fresh)
	check(t, p.Guard, to.Guard, oplog.Fresh)
	if want := text(1, 2, 3); read(t, log) != want || read(t, guard) != want {
		t.Fatalf("log %q, guard %q", read(t, log), read(t, guard))
	}
	same, err := p.Append(nil, to)
	if must(t, err); same != to {
		t.Error("no lines moved a cursor")
	}
}

func TestPairWithoutGuard(t *testing.T) {
	p, log, _ := pair(t, oplog.OS{})
	p.Guard = nil
	_, err := p.Append(lines(2), oplog.PairCursors{})
	if must(t, err); read(t, log) != text(1, 2) {
		t.Fatalf("log %q", read(t, log))
	}
}

// Files change under the append; the lines are at each path afterwards.
func TestPairReplaced(t *testing.T) {
	refuse := func(string) error { return errors.New("tracked by Git") }
	tests := []struct {
		name       string
		do         func(t *testing.T, log, guard string)
		allow      func(string) error
		noGuard    bool
		log, guard string // contents afterwards; "-": not there
		fails      bool
	}{
		{name: "log replaced by an older one", log: text(9, 2), guard: text(1, 2),
			do: func(t *testing.T, log, guard string) { replace(t, log, text(9)) }},
		{name: "log replaced by one without newline", log: text(9, 2), guard: text(1, 2),
			do: func(t *testing.T, log, guard string) { replace(t, log, string(line(9))) }},
		{name: "guard replaced", log: text(1, 2), guard: text(8, 2),
			do: func(t *testing.T, log, guard string) { replace(t, guard, text(8)) }},
		{name: "both replaced", log: text(9, 2), guard: text(8, 2),
			do: func(t *testing.T, log, guard string) { replace(t, log, text(9)); replace(t, guard, text(8)) }},
		{name: "log removed", log: text(2), guard: text(1, 2),
			do: func(t *testing.T, log, guard string) { must(t, os.Remove(log)) }},
		{name: "both removed", log: text(2), guard: text(2),
			do: func(t *testing.T, log, guard string) { must(t, os.Remove(log)); must(t, os.Remove(guard)) }},
		{name: "log's directory removed", log: "-", guard: text(1, 2),
			do: func(t *testing.T, log, guard string) { must(t, os.RemoveAll(filepath.Dir(log))) }},
		{name: "both directories removed", log: "-", guard: "-", fails: true,
			do: func(t *testing.T, log, guard string) {
				must(t, errors.Join(os.RemoveAll(filepath.Dir(log)), os.RemoveAll(filepath.Dir(guard))))
			}},
		{name: "log's directory removed, no guard", log: "-", guard: text(1), noGuard: true, fails: true,
			do: func(t *testing.T, log, guard string) { must(t, os.RemoveAll(filepath.Dir(log))) }},
		{name: "log replaced by the user's own", allow: refuse, log: text(9), guard: text(1, 2),
			do: func(t *testing.T, log, guard string) { replace(t, log, text(9)) }},
		{name: "log replaced by the user's own, no guard", allow: refuse, log: text(9), guard: text(1), noGuard: true, fails: true,
			do: func(t *testing.T, log, guard string) { replace(t, log, text(9)) }},
		{name: "log replaced by a link", log: "-", guard: text(1, 2), fails: true,
			do: func(t *testing.T, log, guard string) { must(t, os.Remove(log)); must(t, os.Symlink("nowhere", log)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ffs := faultfs.New(oplog.OS{})
			p, log, guard := pair(t, ffs)
			p.Allow = tt.allow
			if tt.noGuard {
				p.Guard = nil
			}
			once := faultfs.Fault{Call: faultfs.Lstat, Path: "issues.jsonl", Do: func() { tt.do(t, log, guard) }}
			ffs.Fail(once)
			to, err := p.Append(lines(2), oplog.PairCursors{})
			if (err != nil) != tt.fails {
				t.Fatalf("Append = %v, want failure: %v", err, tt.fails)
			}
			if !to.Replaced {
				t.Error("Replaced is not set")
			}
			for path, want := range map[string]string{log: tt.log, guard: tt.guard} {
				content, err := os.ReadFile(path)
				if want == "-" && errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if string(content) != want || err != nil {
					t.Errorf("%s is %q (%v), want %q", filepath.Base(path), content, err, want)
				}
			}
		})
	}
}

// A path that is replaced each time it is looked at does not hold us for ever.
func TestPairReplacedForever(t *testing.T) {
	ffs := faultfs.New(oplog.OS{})
	p, log, guard := pair(t, ffs)
	ffs.Fail(faultfs.Fault{Call: faultfs.Lstat, Path: "issues.jsonl", Keep: true, Do: func() { replace(t, log, text(9)) }})
	to, err := p.Append(lines(2), oplog.PairCursors{})
	if must(t, err); !to.Replaced || read(t, guard) != text(1, 2) {
		t.Fatalf("Replaced %v, guard %q", to.Replaced, read(t, guard))
	}
	p.Guard = nil
	if _, err = p.Append(lines(3), oplog.PairCursors{}); err == nil || !strings.Contains(err.Error(), "was replaced") {
		t.Fatalf("Append = %v with no copy in place", err)
	}
}

// Whichever call fails, an append that returns nil is in both files, durably.
func TestPairFaults(t *testing.T) {
	failed := map[string]bool{}
	for _, path := range []string{"issues.jsonl", "guard.jsonl"} {
		for n := 1; ; n++ {
			ffs := faultfs.New(oplog.OS{})
			p, log, guard := pair(t, ffs)
			from := cursors(t, p)
			before := ffs.Count(faultfs.Any, path)
			ffs.Fail(faultfs.Fault{Path: path, N: n, Err: syscall.EIO, Short: 5})
			to, err := p.Append(lines(2), from)
			if ffs.Failed() == 0 {
				if ffs.Count(faultfs.Any, path)-before != n-1 {
					t.Fatalf("call %d of %s was made and did not fail", n, path)
				}
				break // there is no n-th call
			}
			if err != nil {
				for _, c := range ffs.Calls() {
					if c.Failed {
						failed[c.Path+" "+string(c.Call)] = true
					}
				}
				if !errors.Is(err, syscall.EIO) || to.Log != from.Log || to.Guard != from.Guard {
					t.Fatalf("call %d of %s fails: %+v, %v", n, path, to, err)
				}
				continue
			}
			must(t, errors.Join(p.Log.Close(), p.Guard.Close(), ffs.PowerLoss(false)))
			if want := text(1, 2); read(t, log) != want || read(t, guard) != want {
				t.Fatalf("call %d of %s: acknowledged, but log %q and guard %q", n, path, read(t, log), read(t, guard))
			}
		}
	}
	for _, path := range []string{"issues.jsonl", "guard.jsonl"} {
		for _, call := range []faultfs.Call{faultfs.Fstat, faultfs.Read, faultfs.Write, faultfs.Sync, faultfs.Lstat} {
			if !failed[path+" "+string(call)] {
				t.Errorf("no failing %s of %s failed the append", call, path)
			}
		}
	}
}
