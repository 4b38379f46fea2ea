package cli

import "github.com/spf13/cobra"

func writeCommands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newCreate(a), newQuick(a), newUpdate(a), newEdit(a), newUnclaim(a), newClose(a), newReopen(a), newDefer(a), newUndefer(a), newDelete(a), newRestore(a),
	}
}
