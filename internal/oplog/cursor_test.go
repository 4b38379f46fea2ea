package oplog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
)

func TestCheck(t *testing.T) {
	var numbers []int
	for n := range 30 {
		numbers = append(numbers, n+1)
	}
	base := strings.Repeat(" \n", 1000) + text(numbers...)
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
		want   oplog.State
	}{
		{"nothing", func(*testing.T, string) {}, oplog.Fresh},
		{"read by others", func(t *testing.T, path string) { read(t, path) }, oplog.Fresh},
		{"appended", func(t *testing.T, path string) { foreign(t, path, text(31)) }, oplog.Grown},
		{"appended half a line", func(t *testing.T, path string) { foreign(t, path, "{") }, oplog.Grown},
		{"emptied", func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) }, oplog.Changed},
		{"cut by one line", func(t *testing.T, path string) {
			must(t, os.Truncate(path, int64(len(base)-len(text(30)))))
		}, oplog.Changed},
		{"rewritten longer", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, []byte(text(40)+base), 0o600))
		}, oplog.Changed},
		{"emptied and grown beyond", func(t *testing.T, path string) {
			must(t, os.Truncate(path, 0))
			foreign(t, path, base[:len(base)-1]+" "+text(31))
		}, oplog.Changed},
		{"edited in place near the end", func(t *testing.T, path string) { edit(t, path, int64(len(base)-50), "X") }, oplog.Changed},
		{"edited in place near the start", func(t *testing.T, path string) { edit(t, path, 50, "X") }, oplog.Changed},
		{"touched", func(t *testing.T, path string) { must(t, os.Chtimes(path, time.Time{}, time.Unix(1, 0))) }, oplog.Changed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := logFile(t, base)
			l := open(t, oplog.OS{}, path)
			_, cursor := scan(t, l, oplog.Cursor{})
			tt.change(t, path)
			check(t, l, cursor, tt.want)
		})
	}
}

func TestCheckReplaced(t *testing.T) {
	path := logFile(t, text(1))
	l := open(t, oplog.OS{}, path)
	_, cursor := scan(t, l, oplog.Cursor{})
	replace(t, path, text(1, 2))
	if current, err := l.Current(); current || err != nil {
		t.Fatalf("Current = %v, %v after a replacement", current, err)
	}
	check(t, open(t, oplog.OS{}, path), cursor, oplog.Changed)

	must(t, os.Remove(path))
	if current, err := l.Current(); current || err != nil {
		t.Fatalf("Current = %v, %v after a removal", current, err)
	}
}

func TestCheckZero(t *testing.T) {
	for _, content := range []string{"", text(1)} {
		check(t, open(t, oplog.OS{}, logFile(t, content)), oplog.Cursor{}, oplog.Changed)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(path("target"), nil, 0o600))
	must(t, os.Symlink(path("target"), path("link")))
	must(t, os.Symlink(path("nothing"), path("dangling")))
	must(t, os.Mkdir(path("directory"), 0o700))
	must(t, syscall.Mkfifo(path("fifo"), 0o600))
	for _, name := range []string{"link", "dangling", "directory", "fifo"} {
		for _, create := range []bool{false, true} {
			if l, err := oplog.Open(oplog.OS{}, path(name), create); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("Open %s: %v, %v; want it refused as no regular file", name, l, err)
			}
		}
		if _, err := oplog.OpenLock(path(name)); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("OpenLock %s: %v; want it refused as no regular file", name, err)
		}
	}
	if _, err := os.Lstat(path("nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("made a file through a link")
	}
	if _, err := oplog.Open(oplog.OS{}, path("new"), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing: %v", err)
	}
	if _, err := oplog.Open(oplog.OS{}, path("no/new"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open in no directory: %v", err)
	}
}

func TestOpenModes(t *testing.T) {
	for mode, want := range map[fs.FileMode]fs.FileMode{0: 0o600, 0o660: 0o660, 0o666: 0o666} {
		l := open(t, oplog.OS{Mode: mode}, filepath.Join(t.TempDir(), "issues.jsonl"))
		info, err := os.Stat(l.Path())
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode %v made %v, want %v", mode, got, want)
		}
		must(t, os.Chmod(l.Path(), 0o640))
		open(t, oplog.OS{Mode: mode}, l.Path())
		if info, err = os.Stat(l.Path()); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("the mode of a file that was there is %v (%v), want it left alone", info.Mode(), err)
		}
	}
}

func TestOpenSyncsTheDirectory(t *testing.T) {
	ffs := faultfs.New(oplog.OS{})
	path := filepath.Join(t.TempDir(), "issues.jsonl")
	must(t, open(t, ffs, path).Close())
	if n := ffs.Count(faultfs.SyncDir, ""); n != 1 {
		t.Fatalf("%d directory syncs after making a file", n)
	}
	open(t, ffs, path)
	if n := ffs.Count(faultfs.SyncDir, ""); n != 1 {
		t.Fatalf("%d directory syncs after opening it again", n)
	}
	ffs.Fail(faultfs.Fault{Call: faultfs.SyncDir, Err: syscall.EIO})
	if _, err := oplog.Open(ffs, path+"2", true); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Open = %v, want the failure of the directory's sync", err)
	}
}

// Reads are served where a file cannot be written.
func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("permissions mean nothing to root")
	}
	path := logFile(t, text(1))
	must(t, os.Chmod(path, 0o400))
	l := open(t, oplog.OS{}, path)
	got, cursor := scan(t, l, oplog.Cursor{})
	if !slices.Equal(got, []string{"bd-1"}) {
		t.Fatalf("found %q", got)
	}
	if _, err := l.Append(lines(2), cursor); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("Append = %v, want permission denied", err)
	}
}
