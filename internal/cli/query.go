package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
	"beads/internal/query"
)

func newQuery(a *app) *cobra.Command {
	var order sortFlags
	var form listing
	var all bool
	cmd := &cobra.Command{
		Use:   "query EXPRESSION",
		Short: "List issues that an expression selects",
		Long: `List the issues for which an expression holds: tests joined by AND, OR, NOT and
parentheses. AND may be left out. Closed issues are left out unless the expression
tests status or closed, or with --all.

A value with blanks stands in quotes; none is an empty field. Dates are written as for
bd list (2026-11-23, today, friday); 7d and 2w lie in the past: updated>7d is what was
changed within a week. ~ means contains, in any case.

Fields and how they compare:
` + strings.TrimSuffix(query.Help(), "\n"),
		Example: `  bd query 'priority<=1 AND (label=auth OR title~login)'
  bd query 'status=in_progress updated<14d NOT assignee=none' --sort updated
  bd query 'metadata.team=core ready' --json`,
		Args: arguments(1, -1, "an EXPRESSION (quote it)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			where, err := query.Parse(strings.Join(args, " "), a.parseDate)
			var wrong *query.Error
			if errors.As(err, &wrong) {
				return usagef("the expression is wrong %w", wrong).withHint("bd query --help shows the fields")
			}
			if err != nil {
				return err
			}
			form.empty = "No issues found."
			filter := issue.Filter{Where: where, Now: a.Now()}
			if !all && !where.Mentions("status") && !where.Mentions("closed") {
				filter.NotStatuses = []string{issue.StatusClosed}
			}
			return a.view(cmd, func(q *projection.Query) error {
				if err := a.known(q, where); err != nil {
					return err
				}
				return a.list(q, filter, order, form)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "closed issues too")
	order.define(cmd, 50)
	form.define(cmd)
	return cmd
}

// known checks the names and ids that where compares with, as filterFlags does, and makes
// ids whole in it.
func (a *app) known(q *projection.Query, where issue.Condition) (err error) {
	for _, part := range slices.Concat(where.All, where.Any) {
		if err := a.known(q, part); err != nil {
			return err
		}
	}
	if where.Not != nil {
		return a.known(q, *where.Not)
	}
	test := where.Test
	if test == nil || test.None || test.Relation != issue.Equal && test.Relation != issue.Unequal {
		return nil
	}
	switch test.Field {
	case "status":
		return checkStatus(q, test.Text)
	case "type":
		return checkType(q, test.Text)
	case "id", "parent":
		test.Text, err = a.resolve(q, test.Text, false)
	}
	return err
}
