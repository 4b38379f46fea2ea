package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// maxIDs bounds the ids that one command takes from standard input.
const maxIDs = 100_000

// manyIDs is for commands whose arguments are ids: a single - stands for those
// on standard input, separated by blanks or lines, so that commands can be put
// behind one another: bd list --format ids | bd close -
func (a *app) manyIDs(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if at := slices.Index(args, "-"); at >= 0 {
			text, err := a.readText("-")
			if err != nil {
				return err
			}
			ids := strings.Fields(text)
			if len(ids) > maxIDs {
				return usagef("standard input has %d ids, more than %d", len(ids), maxIDs)
			}
			args = slices.Concat(args[:at], ids, args[at+1:])
			if len(args) == 0 {
				return usagef("no ids on standard input").withHint("%s --help", cmd.CommandPath())
			}
		}
		return run(cmd, args)
	}
}
