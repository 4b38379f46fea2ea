package oplog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
)

func TestAppend(t *testing.T) {
	tests := []struct {
		name    string
		content string
		appends [][]int
		want    string
		ahead   bool // the cursor comes along, so that Check says Fresh
	}{
		{"to an empty file", "", [][]int{{1}, {2, 3}}, text(1, 2, 3), true},
		{"to lines", text(1), [][]int{{2}}, text(1, 2), true},
		{"nothing", text(1), [][]int{{}}, text(1), true},
		{"no final newline", string(line(1)), [][]int{{2}, {3}}, text(1, 2, 3), true},
		{"to a torn line", text(1) + `{"op":"01`, [][]int{{2}}, text(1) + `{"op":"01` + "\n" + text(2), false},
		{"to NULs", text(1) + "\x00\x00", [][]int{{2}}, text(1) + "\x00\x00\n" + text(2), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := logFile(t, tt.content)
			ffs := faultfs.New(oplog.OS{})
			l := open(t, ffs, path)
			_, cursor := scan(t, l, oplog.Cursor{})
			calls := 0
			for _, numbers := range tt.appends {
				var err error
				cursor, err = l.Append(lines(numbers...), cursor)
				must(t, err)
				if len(numbers) > 0 {
					calls++
				}
				want := oplog.Fresh
				if !tt.ahead {
					want = oplog.Grown
				}
				check(t, l, cursor, want)
			}
			if got := read(t, path); got != tt.want {
				t.Fatalf("file is\n%q, want\n%q", got, tt.want)
			}
			if w, s := ffs.Count(faultfs.Write, ""), ffs.Count(faultfs.Sync, ""); w != calls || s != calls {
				t.Errorf("%d writes and %d syncs for %d appends", w, s, calls)
			}
			// The cursor is the one that a scan would have given.
			if tt.ahead {
				if _, whole := scan(t, l, oplog.Cursor{}); whole != cursor {
					t.Errorf("cursor %+v, want %+v", cursor, whole)
				}
			}
		})
	}
}

func TestAppendRefusesLines(t *testing.T) {
	path := logFile(t, "")
	l := open(t, oplog.OS{}, path)
	for name, bad := range map[string][]byte{
		"empty": {}, "line break": []byte("{}\n{}"), "too long": bytes.Repeat([]byte("x"), op.MaxLine+1),
	} {
		if _, err := l.Append([][]byte{line(1), bad}, oplog.Cursor{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := read(t, path); got != "" {
		t.Fatalf("wrote %q", got)
	}
	_, err := l.Append(lines(1), oplog.Cursor{})
	must(t, err) // a refused line breaks nothing
}

// A foreign append at any moment is found by the next Check.
func TestAppendBesideForeign(t *testing.T) {
	for _, tt := range []struct {
		name string
		call faultfs.Call
		n    int
		want []string
	}{
		{"before the fstat", faultfs.Fstat, 1, []string{"bd-9", "bd-2"}},
		{"before the write", faultfs.Write, 1, []string{"bd-9", "bd-2"}},
		{"before the sync", faultfs.Sync, 1, []string{"bd-2", "bd-9"}},
		{"after it", faultfs.Fstat, 2, []string{"bd-2", "bd-9"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := logFile(t, text(1))
			ffs := faultfs.New(oplog.OS{})
			l := open(t, ffs, path)
			_, cursor := scan(t, l, oplog.Cursor{})
			ffs.Fail(faultfs.Fault{Call: tt.call, N: tt.n, Do: func() { foreign(t, path, text(9)) }})
			after, err := l.Append(lines(2), cursor)
			must(t, err)
			if after != cursor {
				t.Error("the cursor moved over bytes that nobody read")
			}
			check(t, l, after, oplog.Grown)
			if got, _ := scan(t, l, after); !slices.Equal(got, tt.want) {
				t.Fatalf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// An edit that the cursor does not know of stays to be found.
func TestAppendAfterEdit(t *testing.T) {
	path := logFile(t, text(1, 2))
	l := open(t, oplog.OS{}, path)
	_, cursor := scan(t, l, oplog.Cursor{})
	edit(t, path, 100, "X")
	after, err := l.Append(lines(3), cursor)
	must(t, err)
	if check(t, l, after, oplog.Changed); after != cursor {
		t.Fatal("the cursor moved")
	}
}

// Every call of an append fails in turn: never a false acknowledgement, never
// a retry on that descriptor, and what was acknowledged survives a power loss.
func TestAppendFaults(t *testing.T) {
	faults := []struct {
		call  faultfs.Call
		err   error
		short int
	}{
		{faultfs.Write, syscall.ENOSPC, 0},
		{faultfs.Write, syscall.ENOSPC, 7},
		{faultfs.Write, syscall.EFBIG, 1},
		{faultfs.Write, syscall.EIO, 1 << 20}, // all of it went out
		{faultfs.Sync, syscall.EIO, 0},
		{faultfs.SyncDir, syscall.EIO, 0},
	}
	for _, nuls := range []bool{false, true} {
		for _, f := range faults {
			t.Run(fmt.Sprintf("%s %v after %d bytes, nuls %v", f.call, f.err, f.short, nuls), func(t *testing.T) {
				path := logFile(t, "")
				ffs := faultfs.New(oplog.OS{})
				l := open(t, ffs, path)
				var acked []int
				if f.call != faultfs.SyncDir { // only the first append syncs it
					_, err := l.Append(lines(1), oplog.Cursor{})
					must(t, err)
					acked = append(acked, 1)
				}
				ffs.Fail(faultfs.Fault{Call: f.call, Err: f.err, Short: f.short})
				if _, err := l.Append(lines(2), oplog.Cursor{}); !errors.Is(err, f.err) {
					t.Fatalf("Append = %v, want %v", err, f.err)
				}
				size := len(read(t, path))
				if _, err := l.Append(lines(3), oplog.Cursor{}); !errors.Is(err, f.err) {
					t.Fatalf("the next Append = %v, want it refused because of %v", err, f.err)
				}
				if len(read(t, path)) != size {
					t.Fatal("wrote to a descriptor that failed")
				}
				must(t, l.Close())

				l = open(t, ffs, path)
				_, err := l.Append(lines(4), oplog.Cursor{})
				must(t, err)
				acked = append(acked, 4)
				must(t, l.Close())
				must(t, ffs.PowerLoss(nuls))

				got, _ := scan(t, open(t, oplog.OS{}, path), oplog.Cursor{})
				for _, n := range acked {
					if !slices.Contains(got, fmt.Sprintf("bd-%d", n)) {
						t.Errorf("acknowledged bd-%d is lost; found %q", n, got)
					}
				}
			})
		}
	}
}

// Failing reads and stats acknowledge nothing falsely and break nothing.
func TestReadFaults(t *testing.T) {
	for _, call := range []faultfs.Call{faultfs.Read, faultfs.Fstat} {
		path := logFile(t, text(1, 2))
		ffs := faultfs.New(oplog.OS{})
		l := open(t, ffs, path)
		_, whole := scan(t, l, oplog.Cursor{})
		for n := 1; ; n++ {
			ffs.Clear()
			ffs.Fail(faultfs.Fault{Call: call, N: n, Err: syscall.EIO})
			before := ffs.Failed()
			to, err := l.Scan(t.Context(), oplog.Cursor{}, nil, func(oplog.Entry) error { return nil })
			if ffs.Failed() == before {
				if n == 1 {
					t.Fatalf("a scan makes no %s", call)
				}
				break
			}
			if !errors.Is(err, syscall.EIO) || to != (oplog.Cursor{}) {
				t.Fatalf("%s %d fails: Scan = %+v, %v", call, n, to, err)
			}
		}
		ffs.Clear()
		foreign(t, path, text(3))
		ffs.Fail(faultfs.Fault{Call: call, Err: syscall.EIO})
		if state, err := l.Check(whole); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: Check = %v, %v", call, state, err)
		}
		ffs.Clear()
		if _, err := l.Append(lines(4), whole); err != nil {
			t.Errorf("Append after failed reads: %v", err)
		}
	}
}

// After the lines are durable, nothing can fail the append any more.
func TestAppendFaultAfterSync(t *testing.T) {
	path := logFile(t, text(1))
	ffs := faultfs.New(oplog.OS{})
	l := open(t, ffs, path)
	for _, f := range []faultfs.Fault{
		{Call: faultfs.Fstat, N: 2, Err: syscall.EIO},
		{Call: faultfs.Read, N: 2, Err: syscall.EIO},
	} {
		_, cursor := scan(t, l, oplog.Cursor{})
		ffs.Clear()
		ffs.Fail(f)
		after, err := l.Append(lines(2), cursor)
		must(t, err)
		if after != cursor {
			t.Errorf("%s fails: the cursor moved", f.Call)
		}
		check(t, l, after, oplog.Grown)
	}
}

func TestAppendToEmptySyncsTheDirectory(t *testing.T) {
	dir := t.TempDir()
	ffs := faultfs.New(oplog.OS{})
	path := filepath.Join(dir, "issues.jsonl")
	must(t, os.WriteFile(path, nil, 0o600)) // by a process that died then
	l := open(t, ffs, path)
	for range 2 {
		_, err := l.Append(lines(1), oplog.Cursor{})
		must(t, err)
		if n := ffs.Count(faultfs.SyncDir, filepath.Base(dir)); n != 1 {
			t.Fatalf("%d directory syncs", n)
		}
	}
}
