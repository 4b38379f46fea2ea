package cli

import "github.com/spf13/cobra"

func exchangeCommands(a *app) []*cobra.Command {
	return []*cobra.Command{newImport(a), newExport(a), newSync(a), newRecover(a)}
}
