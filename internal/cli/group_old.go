package cli

import "github.com/spf13/cobra"

func oldCommands(a *app) []*cobra.Command {
	return []*cobra.Command{newHook(a), newHooks(a), newMerge(a)}
}
