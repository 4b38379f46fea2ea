package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every command of the program is in the list of those that are troubled, or
// among the others, with the reason.
func TestEveryCommandIsTroubled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds bd")
	}
	all := commandsOf(t)
	listed := map[string]bool{}
	for _, m := range mutations() {
		words := strings.Fields(m.name)
		for len(words) > 0 && !slices.Contains(all, strings.TrimSuffix(strings.Join(words, " "), ",")) {
			words = words[:len(words)-1]
		}
		listed[strings.TrimSuffix(strings.Join(words, " "), ",")] = true
	}
	for _, names := range untroubled() {
		for _, name := range names {
			if listed[name] && name != "list" {
				t.Errorf("bd %s is troubled, and said not to be", name)
			}
			listed[name] = true
		}
	}
	for _, name := range all {
		if !listed[name] {
			t.Errorf("bd %s is not in the list of mutations: enter how it is troubled, or why it is not", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !slices.Contains(all, name) {
			t.Errorf("there is no command %q", name)
		}
	}
}

// commandsOf are the commands below one that have a usage of their own, as help
// lists them.
func commandsOf(t *testing.T, parents ...string) (all []string) {
	t.Helper()
	r := (&site{TB: t, dir: t.TempDir()}).run(command{args: append(append([]string{program}, parents...), "--help"), dir: t.TempDir()})
	if r.code != 0 {
		t.Fatalf("bd %q --help: exit code %d\n%s", parents, r.code, r.stderr)
	}
	section, own := "", false
	for line := range strings.Lines(r.stdout) {
		rest, indented := strings.CutPrefix(line, "  ")
		switch {
		case !indented:
			section = strings.TrimSpace(line)
		case section == "Usage:":
			own = own || !strings.HasSuffix(line, "[command]\n")
		case section == "Available Commands:", len(parents) == 0 && strings.HasSuffix(section, ":") && !strings.Contains(section, "lags"):
			all = append(all, commandsOf(t, append(slices.Clone(parents), strings.Fields(rest)[0])...)...)
		}
	}
	if own && len(parents) > 0 {
		all = append(all, strings.Join(parents, " "))
	}
	return all
}
