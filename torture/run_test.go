package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The end of what a part printed need not have what failed first.
func TestWhatFailedIsKept(t *testing.T) {
	log := filepath.Join(t.TempDir(), "torture", "failing", "calls.log")
	var stderr strings.Builder
	r := part{name: "failing/calls", test: "TestNothing", dir: "nowhere"}.run(t.Context(), 1, log, &stderr)
	if r.Verdict != failed || !strings.Contains(stderr.String(), log) {
		t.Errorf("verdict %q, and the log is not named: %s", r.Verdict, &stderr)
	}
	if kept, err := os.ReadFile(log); err != nil || !strings.Contains(string(kept), "nowhere") {
		t.Errorf("%v: %s", err, kept)
	}
}

func TestCutByDeadline(t *testing.T) {
	const end = "--- FAIL: FuzzScan (600.72s)\n    context deadline exceeded\nFAIL\nexit status 1"
	for name, test := range map[string]struct {
		said string
		want bool
	}{
		"the time was over":  {"fuzz: elapsed: 10m1s, execs: 7 (0/sec)\n" + end, true},
		"an input fails":     {"--- FAIL: FuzzScan (3s)\n    context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzScan/0\nFAIL", false},
		"a test says it":     {"--- FAIL: TestScan (3s)\n    context deadline exceeded\nFAIL", false},
		"it fails otherwise": {"--- FAIL: FuzzScan (3s)\n    panic: no\nFAIL", false},
		"it did not end":     {"--- FAIL: FuzzScan (3s)\n    context deadline exceeded", false},
		"all is well":        {"PASS", false},
	} {
		if got := cutByDeadline(strings.Split(test.said, "\n")); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
