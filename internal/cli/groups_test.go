package cli

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestGroupsNameTheirCommands: the table is what a run looks at before anything
// is built.
func TestGroupsNameTheirCommands(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range groups() {
		for _, c := range g.commands {
			cmd := c.build(&app{})
			if cmd.Name() != c.name || !slices.Equal(cmd.Aliases, c.aliases) {
				t.Errorf("the table says %s %q, the command %s %q", c.name, c.aliases, cmd.Name(), cmd.Aliases)
			}
			for _, name := range append(cmd.Aliases, cmd.Name()) {
				if seen[name] {
					t.Errorf("two commands are called %s", name)
				}
				seen[name] = true
			}
		}
	}
}

func TestOneCommandIsBuilt(t *testing.T) {
	for _, test := range []struct {
		about, args, name string
	}{
		{"the first word", "show list", "show"},
		{"an alias", "new --json x", "create"},
		{"after global flags", "--json --sandbox -q list", "list"},
		{"after a flag with a value", "--actor list show", "show"},
		{"after a flag with its value", "--actor=list show", "show"},
		{"a value that looks like a flag", "--actor --json show", "show"},
		{"nothing", "", ""},
		{"flags alone", "--json", ""},
		{"a flag without its value", "--actor", ""},
		{"a slip", "shwo", ""},
		{"help", "help show", ""},
		{"completion", "__complete show", ""},
		{"a command's own flag first", "--status open list", ""},
		{"several letters", "-qv list", ""},
		{"a lone hyphen", "- show", ""},
		{"two hyphens", "-- show", ""},
	} {
		a := &app{Process: Process{Args: strings.Fields(test.args)}, out: bufio.NewWriter(io.Discard)}
		built := newRoot(a).Commands()
		switch {
		case test.name == "" && len(built) < 20:
			t.Errorf("%s (%s): only %d commands were built", test.about, test.args, len(built))
		case test.name != "" && (len(built) != 1 || built[0].Name() != test.name):
			t.Errorf("%s (%s): %d commands were built, the first is %s", test.about, test.args, len(built), built[0].Name())
		}
	}
}
