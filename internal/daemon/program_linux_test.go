package daemon

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// What is mapped of the program's file gets less, and the program goes on.
func TestForgetProgram(t *testing.T) {
	mapped := func() (kilobytes int) {
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			switch f := strings.Fields(line); f[0] {
			case "RssFile:", "RssShmem:": // the test binary may lie in a tmpfs
				n, err := strconv.Atoi(f[1])
				if err != nil {
					t.Fatal(err)
				}
				kilobytes += n
			}
		}
		return kilobytes
	}
	before := mapped()
	if err := forgetProgram(); err != nil {
		t.Fatal(err)
	}
	if after := mapped(); before > 0 && after >= before {
		t.Errorf("%d kB of files are mapped, before %d", after, before)
	}
}
