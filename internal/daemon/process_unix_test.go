//go:build unix

package daemon

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFileLimit(t *testing.T) {
	limit := func() (l unix.Rlimit) {
		t.Helper()
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	before := limit()
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	}()
	for _, n := range []int{100, 1 << 30, 64} {
		if err := setFileLimit(n); err != nil {
			t.Fatal(err)
		}
		if after := limit(); after.Cur != min(uint64(n), before.Max) || after.Max != before.Max {
			t.Errorf("asked for %d, got %+v, was %+v", n, after, before)
		}
	}
	open := openDescriptors()
	f, err := os.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if more := openDescriptors(); open < 3 || more != open+1 {
		t.Errorf("%d files open, with one more %d", open, more)
	}
}
