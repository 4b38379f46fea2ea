package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"beads/internal/cli"
)

// Every command has a page with the usual headings, and roff has nothing to say
// against it.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	root := cli.Documented()
	if err := writePages(dir, root); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "man1", "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	wanted := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" {
			return
		}
		wanted++
		data, err := os.ReadFile(filepath.Join(dir, "man1", pageName(cmd)+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		text := string(data)
		for _, heading := range []string{".TH ", ".SH NAME\n", ".SH SYNOPSIS\n", ".SH DESCRIPTION\n", ".SH OPTIONS\n", ".SH EXIT STATUS\n"} {
			if strings.Count(text, heading) != 1 {
				t.Errorf("%s: %q is there %d times", pageName(cmd), heading, strings.Count(text, heading))
			}
		}
		if cmd.Example != "" && !strings.Contains(text, ".SH EXAMPLES\n") {
			t.Errorf("%s has no examples", pageName(cmd))
		}
		for line := range strings.SplitSeq(text, "\n") {
			for _, r := range line {
				if r > 0x7e || r < ' ' {
					t.Errorf("%s: a character that not every roff reads: %q", pageName(cmd), line)
				}
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
	if len(found) != wanted || wanted < 50 {
		t.Errorf("%d pages for %d commands", len(found), wanted)
	}
	for _, checker := range [][]string{{"groff", "-man", "-ww", "-Tutf8", "-z"}, {"mandoc", "-Tlint", "-Wwarning"}} {
		if _, err := exec.LookPath(checker[0]); err != nil {
			t.Logf("%s is not here to check them", checker[0])
			continue
		}
		for _, path := range found {
			out, err := exec.Command(checker[0], append(checker[1:], path)...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%s %s: %v\n%.500s", checker[0], filepath.Base(path), err, out)
			}
		}
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		`.dot`: `\&.dot`, `'quote'`: `\(aqquote\(aq`, `a\b -x`: `a\eb \-x`, "bd … é": `bd \[u2026] \[u00E9]`, "": "",
	} {
		if got := strings.TrimSuffix(text(in), "\n"); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
