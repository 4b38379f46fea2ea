package cli

import "github.com/spf13/cobra"

func structureCommands(a *app) []*cobra.Command {
	return []*cobra.Command{newDep(a), newLabel(a), newComments(a), newDuplicate(a), newSupersede(a), newGraph(a), newRenamePrefix(a)}
}
