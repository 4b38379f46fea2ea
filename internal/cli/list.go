package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

func newList(a *app) *cobra.Command {
	var filters filterFlags
	var order sortFlags
	var form listing
	var all, pretty, flat bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List issues",
		Long: `List issues: those that are not closed, by priority and then the oldest first,
unless the flags say otherwise. What is cut off by --limit is said on standard error.`,
		Example: `  bd list
  bd list -s in_progress,blocked -l auth
  bd list --all --sort updated -n 20
  bd list --created-after 2026-11-01 --tree`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			form.tree = (form.tree || pretty) && !flat
			form.empty = "No issues found."
			if all && !given(cmd, "limit") {
				order.limit = 0
			}
			return a.view(cmd, func(q *projection.Query) error {
				filter, err := filters.filter(a, q)
				if err != nil {
					return err
				}
				if !all && !filters.allStatuses() && len(filter.Statuses) == 0 && len(filter.IDs) == 0 &&
					filter.ClosedAfter.IsZero() && filter.ClosedBefore.IsZero() {
					filter.NotStatuses = append(filter.NotStatuses, issue.StatusClosed)
					form.empty = "No open issues found; --all also shows what is closed."
				}
				return a.list(q, filter, order, form)
			})
		},
	}
	filters.define(cmd)
	filters.defineMore(cmd)
	order.define(cmd, 50)
	flags := cmd.Flags()
	flags.BoolVar(&all, "all", false, "every issue, also closed ones, without a limit")
	flags.BoolVar(&filters.ready, "ready", false, "only what can be worked on now")
	form.define(cmd)
	flags.BoolVar(&form.tree, "tree", false, "show children below their parents")
	flags.BoolVar(&pretty, "pretty", false, "same as --tree")
	flags.BoolVar(&flat, "flat", false, "no tree")
	hide(cmd, "pretty", "flat")
	accepted(cmd, "include-templates", "include-gates", "include-infra")
	return cmd
}

// hide keeps flags out of the help.
func hide(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		cmd.Flags().Lookup(name).Hidden = true
	}
}

// list prints what filter selects, and says what the limit cut off.
func (a *app) list(q *projection.Query, filter issue.Filter, order sortFlags, form listing) error {
	if err := form.check(); err != nil {
		return err
	}
	if err := order.apply(&filter); err != nil {
		return err
	}
	rows, cut, err := limited(filter, form.rows(a, q))
	if err != nil {
		return err
	}
	if cut {
		a.tellCut(form)
	}
	return form.print(a, q, rows)
}

// limited asks for one issue more than the limit, which tells whether there are
// more; to count them all would cost what the limit saves.
func limited[T any](filter issue.Filter, query func(issue.Filter) ([]T, error)) (rows []T, cut bool, err error) {
	limit := filter.Limit
	if limit > 0 {
		filter.Limit++
	}
	rows, err = query(filter)
	if cut = limit > 0 && len(rows) > limit; cut {
		rows = rows[:limit]
	}
	return rows, cut, err
}

// tellCut says, below the list, that the limit cut something off. Programs that
// read JSON or ids asked for the limit and are not told.
func (a *app) tellCut(form listing) {
	if !a.json && slices.Contains([]string{"", "table", "compact"}, form.format) {
		a.below = "there are more issues (use -n 0 for all)"
	}
}
