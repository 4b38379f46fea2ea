package cli

import (
	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

func newChildren(a *app) *cobra.Command {
	var order sortFlags
	var form listing
	cmd := &cobra.Command{
		Use:   "children ID",
		Short: "List the children of an issue, closed ones too",
		Long: `List the issues whose parent is this one, closed ones too. Children of children are
not in the list; bd list --tree shows those.`,
		Example:           "  bd children bd-x7k2\n  bd children bd-x7k2 --json",
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			form.empty = "No children."
			return a.view(cmd, func(q *projection.Query) error {
				parent, err := a.resolve(q, args[0], false)
				if err != nil {
					return err
				}
				return a.list(q, issue.Filter{Parent: parent}, order, form)
			})
		},
	}
	order.define(cmd, 0)
	form.define(cmd)
	return cmd
}
