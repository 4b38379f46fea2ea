package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

func newStale(a *app) *cobra.Command {
	var days int
	var status string
	var form listing
	order := sortFlags{by: string(issue.SortUpdated), reverse: true}
	cmd := &cobra.Command{
		Use:   "stale",
		Short: "List issues that nobody changed for long",
		Long:  "List the issues that are not closed and were not changed for --days, the longest first.",
		Example: `  bd stale
  bd stale --days 7 -s in_progress --json`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 0 {
				return usagef("--days must not be negative")
			}
			form.empty = fmt.Sprintf("Nothing is older than %s.", plural(days, "day", "days"))
			return a.view(cmd, func(q *projection.Query) error {
				filter := issue.Filter{NotStatuses: []string{issue.StatusClosed}, UpdatedBefore: a.Now().AddDate(0, 0, -days)}
				if status != "" {
					if err := checkStatus(q, status); err != nil {
						return err
					}
					filter.Statuses = []string{status}
				}
				return a.list(q, filter, order, form)
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&days, "days", "d", 30, "not changed for this many days")
	flags.StringVarP(&status, "status", "s", "", "with this status")
	flags.IntVarP(&order.limit, "limit", "n", 50, "at most this many (0: all)")
	form.define(cmd)
	return cmd
}
