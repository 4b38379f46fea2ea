package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCut(t *testing.T) {
	for _, test := range []struct {
		name, in string
		width    int
		want     string
	}{
		{"fits", "abc", 3, "abc"},
		{"one too many", "abcd", 3, "ab…"},
		{"wide characters count two", "日本語", 6, "日本語"},
		{"and are not cut in half", "日本語", 4, "日…"},
		{"combining marks stay with their letter", "e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"a family is one character", "👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…"},
		{"no room", "abc", 1, "…"},
	} {
		if got := cut(test.in, test.width); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCutKeepsToTheWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		width := rapid.IntRange(1, 30).Draw(t, "width")
		got := cut(s, width)
		if w := displayWidth(got); w > width && !(got == "…" && w == 1) {
			t.Fatalf("%q is %d columns wide, more than %d", got, w, width)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("%q was cut inside a character", s)
		}
		if got != s && !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Fatalf("%q is no start of %q", got, s)
		}
	})
}

func TestFit(t *testing.T) {
	columns := []column{{"ID", firm}, {"STATUS", optional}, {"WHO", optional}, {"TITLE", cuttable}}
	for _, test := range []struct {
		name  string
		total int
		want  [4]int
	}{
		{"room for all", 100, [4]int{8, 6, 5, 60}},
		{"the title gives first", 60, [4]int{8, 6, 5, 35}},
		{"then the rightmost optional column goes", 43, [4]int{8, 6, -1, 25}},
		{"then the next", 34, [4]int{8, -1, -1, 24}},
		{"the title gives the rest", 20, [4]int{8, -1, -1, 10}},
		{"down to one column, and no further", 5, [4]int{8, -1, -1, 1}},
	} {
		widths := []int{8, 6, 5, 60}
		fit(columns, widths, test.total)
		if [4]int(widths) != test.want {
			t.Errorf("%s: got %v, want %v", test.name, widths, test.want)
		}
	}
}
