package faultfs_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "-"
	}
	must(t, err)
	return string(b)
}

func TestNthCallFails(t *testing.T) {
	tests := []struct {
		name  string
		fault faultfs.Fault
		want  string // of five one-byte writes, S for success
		file  string
	}{
		{"the first", faultfs.Fault{Call: faultfs.Write, Err: syscall.EIO}, "FSSSS", "bcde"},
		{"the third", faultfs.Fault{Call: faultfs.Write, N: 3, Err: syscall.EIO}, "SSFSS", "abde"},
		{"the third and on", faultfs.Fault{Call: faultfs.Write, N: 3, Keep: true, Err: syscall.EIO}, "SSFFF", "ab"},
		{"of any kind", faultfs.Fault{N: 2, Err: syscall.EIO}, "SFSSS", "acde"},
		{"short", faultfs.Fault{Call: faultfs.Write, N: 2, Short: 9, Err: syscall.ENOSPC}, "SFSSS", "abcde"},
		{"of this file", faultfs.Fault{Path: "file", Err: syscall.EIO}, "FSSSS", "bcde"},
		{"of another file", faultfs.Fault{Path: "other", Err: syscall.EIO}, "SSSSS", "abcde"},
		{"of another kind", faultfs.Fault{Call: faultfs.Sync, Err: syscall.EIO}, "SSSSS", "abcde"},
		{"none, but something happens", faultfs.Fault{Call: faultfs.Write, N: 2, Do: func() {}}, "SSSSS", "abcde"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ffs := faultfs.New(oplog.OS{})
			path := filepath.Join(t.TempDir(), "file")
			file, err := ffs.Open(path, true)
			must(t, err)
			defer file.Close()
			ffs.Fail(tt.fault)
			var got strings.Builder
			for _, b := range "abcde" {
				_, err := file.Write([]byte{byte(b)})
				if err == nil {
					got.WriteByte('S')
				} else if errors.Is(err, tt.fault.Err) {
					got.WriteByte('F')
				}
			}
			if got.String() != tt.want || content(t, path) != tt.file {
				t.Fatalf("%s and %q, want %s and %q", got.String(), content(t, path), tt.want, tt.file)
			}
			if n := strings.Count(tt.want, "F"); ffs.Failed() != n || ffs.Count(faultfs.Write, "file") != 5 {
				t.Errorf("%d failed, want %d; %d counted", ffs.Failed(), n, ffs.Count(faultfs.Write, "file"))
			}
			ffs.Clear()
			if _, err := file.Write([]byte("x")); err != nil {
				t.Errorf("after Clear: %v", err)
			}
		})
	}
}

func TestEveryCallCanFail(t *testing.T) {
	ffs := faultfs.New(oplog.OS{})
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	file, err := ffs.Open(path, true)
	must(t, err)
	defer file.Close()
	ffs.Fail(faultfs.Fault{Keep: true, Err: syscall.EMFILE})
	first := len(ffs.Calls())
	calls := []func() error{
		func() error { _, err := ffs.Open(path, false); return err },
		func() error { _, err := ffs.Stat(path); return err },
		func() error { return ffs.SyncDir(dir) },
		func() error { _, err := file.ReadAt(make([]byte, 1), 0); return err },
		func() error { _, err := file.Write([]byte("x")); return err },
		func() error { return file.Sync() },
		func() error { _, err := file.Stat(); return err },
	}
	for i, call := range calls {
		if err := call(); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	var kinds []faultfs.Call
	for _, c := range ffs.Calls()[first:] {
		kinds = append(kinds, c.Call)
	}
	want := []faultfs.Call{faultfs.Open, faultfs.Lstat, faultfs.SyncDir, faultfs.Read, faultfs.Write, faultfs.Sync, faultfs.Fstat}
	if !slices.Equal(kinds, want) {
		t.Errorf("calls %v, want %v", kinds, want)
	}
}

func TestPowerLoss(t *testing.T) {
	for _, tt := range []struct {
		name  string
		there string // content before; "-": made by us
		do    func(t *testing.T, ffs *faultfs.FS, file oplog.File, dir string)
		nuls  bool
		want  string
	}{
		{name: "nothing written", there: "ab", want: "ab"},
		{name: "written, not synced", there: "ab", want: "ab",
			do: func(t *testing.T, _ *faultfs.FS, f oplog.File, _ string) { write(t, f, "cd") }},
		{name: "written, not synced, NULs", there: "ab", nuls: true, want: "ab\x00\x00",
			do: func(t *testing.T, _ *faultfs.FS, f oplog.File, _ string) { write(t, f, "cd") }},
		{name: "one synced, one not", there: "ab", want: "abc",
			do: func(t *testing.T, _ *faultfs.FS, f oplog.File, _ string) {
				write(t, f, "c")
				must(t, f.Sync())
				write(t, f, "d")
			}},
		{name: "sync failed", there: "ab", want: "ab",
			do: func(t *testing.T, ffs *faultfs.FS, f oplog.File, _ string) {
				write(t, f, "c")
				ffs.Fail(faultfs.Fault{Call: faultfs.Sync, Err: syscall.EIO})
				if f.Sync() == nil {
					t.Error("Sync did not fail")
				}
			}},
		{name: "made and synced, but not its directory", there: "-", want: "-",
			do: func(t *testing.T, _ *faultfs.FS, f oplog.File, _ string) { write(t, f, "c"); must(t, f.Sync()) }},
		{name: "made, both synced", there: "-", want: "c",
			do: func(t *testing.T, ffs *faultfs.FS, f oplog.File, dir string) {
				write(t, f, "c")
				must(t, f.Sync())
				must(t, ffs.SyncDir(dir))
			}},
		{name: "removed by others", there: "ab", want: "-",
			do: func(t *testing.T, _ *faultfs.FS, _ oplog.File, dir string) {
				must(t, os.Remove(filepath.Join(dir, "file")))
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if tt.there != "-" {
				must(t, os.WriteFile(path, []byte(tt.there), 0o600))
			}
			ffs := faultfs.New(oplog.OS{})
			file, err := ffs.Open(path, true)
			must(t, err)
			if tt.do != nil {
				tt.do(t, ffs, file, dir)
			}
			must(t, file.Close())
			must(t, ffs.PowerLoss(tt.nuls))
			if got := content(t, path); got != tt.want {
				t.Fatalf("left %q, want %q", got, tt.want)
			}
		})
	}
}

func write(t *testing.T, f oplog.File, s string) {
	t.Helper()
	_, err := f.Write([]byte(s))
	must(t, err)
}
