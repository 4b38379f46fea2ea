package daemon

import (
	"os"
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
			if rest, found := strings.CutPrefix(line, "RssFile:"); found {
				for _, c := range rest {
					if c >= '0' && c <= '9' {
						kilobytes = kilobytes*10 + int(c-'0')
					}
				}
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
