package cli

import "github.com/spf13/cobra"

func setupCommands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newInit(a), newInfo(a), newWhere(a), newVersion(a), newConfig(a), newCompletion(a), newDoctor(a), newReset(a),
	}
}
