package cli

import "github.com/spf13/cobra"

func agentCommands(a *app) []*cobra.Command {
	return []*cobra.Command{newPrime(a), newOnboard(a)}
}
