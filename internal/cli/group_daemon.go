package cli

import "github.com/spf13/cobra"

func daemonCommands(a *app) []*cobra.Command {
	return []*cobra.Command{newDaemon(a), newDaemons(a)}
}
