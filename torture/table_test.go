package main

import (
	"strings"
	"testing"
)

// The table says of which commit it is, and where rows are of several, of which
// each is.
func TestTableNamesCommits(t *testing.T) {
	rows := []result{{What: "a", Verdict: well, Commit: "1111111"}, {What: "b", Verdict: failed, Why: "x", Commit: "1111111"}}
	var one, several strings.Builder
	printTable(&one, "machine", rows)
	rows[1].Commit = "2222222"
	printTable(&several, "machine", rows)
	for text, wants := range map[string][]string{
		one.String():     {"machine, commit 1111111:", "| ok |", "| FAILED: x |"},
		several.String(): {"machine:", "| ok at 1111111 |", "| FAILED at 2222222: x |"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
}
