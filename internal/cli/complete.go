package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

// completionLimit is how many issues are looked through for a completion.
const completionLimit = 500

// completeIDs offers the ids of issues that are not closed, with their titles.
// It never fails: a shell has no use for an error.
func (a *app) completeIDs(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	a.quiet, a.readonly = true, true
	var found []cobra.Completion
	err := a.view(cmd, func(q *projection.Query) error {
		rows, err := q.List(issue.Filter{
			NotStatuses: []string{issue.StatusClosed}, Sort: issue.SortUpdated, Limit: completionLimit,
		})
		if err != nil {
			return err
		}
		for _, row := range rows {
			short, err := q.Short(row.ID)
			if err != nil {
				return err
			}
			switch {
			case strings.HasPrefix(short, typed):
				found = append(found, cobra.CompletionWithDesc(short, visible(row.Title)))
			case strings.HasPrefix(row.ID, typed):
				found = append(found, cobra.CompletionWithDesc(row.ID, visible(row.Title)))
			}
		}
		return nil
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
