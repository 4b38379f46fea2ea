package cli

import "github.com/spf13/cobra"

func readCommands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newShow(a), newList(a), newReady(a), newBlocked(a), newChildren(a), newEpic(a), newStale(a), newSearch(a), newQuery(a), newCount(a), newStatus(a), newHistory(a),
	}
}
