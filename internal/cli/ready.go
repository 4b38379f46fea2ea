package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

func newReady(a *app) *cobra.Command {
	var filters filterFlags
	var form listing
	var limit int
	var order string
	var claim bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "ready",
		Short: "List what can be worked on now",
		Long: `List issues that are open, not deferred, and not blocked by an open issue, neither
directly nor through a blocked parent: the most urgent first, then the oldest.

--claim takes the first of them that nobody has, as bd update --claim does. With --wait
it sleeps until there is one; any number of agents may wait, and each gets another.`,
		Example: `  bd ready
  bd ready -n 1 --json
  bd ready --claim --wait 10m --json
  bd ready -u -l backend`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			sorting := sortFlags{limit: limit}
			switch order {
			case "", "priority", "hybrid":
			case "oldest":
				sorting.by, sorting.reverse = string(issue.SortCreated), true
			default:
				return usagef("cannot sort ready issues by %q; choose priority or oldest", order)
			}
			form.empty = "Nothing is ready to be worked on."
			filters.ready = true
			switch {
			case wait < 0 || wait > 0 && !claim:
				return usagef("--wait takes a duration and needs --claim")
			case claim:
				return a.claimReady(cmd, &filters, sorting, wait)
			}
			return a.view(cmd, func(q *projection.Query) error {
				filter, err := filters.filter(a, q)
				if err != nil {
					return err
				}
				return a.list(q, filter, sorting, form)
			})
		},
	}
	filters.define(cmd)
	flags := cmd.Flags()
	flags.IntVarP(&limit, "limit", "n", 10, "at most this many (0: all)")
	flags.StringVarP(&order, "sort", "s", "", "order: priority (then the oldest first) or oldest")
	flags.BoolVar(&claim, "claim", false, "take the first of them that nobody has")
	flags.DurationVar(&wait, "wait", 0, "with --claim: sleep until there is one, at most so `LONG`")
	form.define(cmd)
	accepted(cmd, "pretty", "plain")
	return cmd
}

func newBlocked(a *app) *cobra.Command {
	var filters filterFlags
	var order sortFlags
	cmd := &cobra.Command{
		Use:   "blocked",
		Short: "List issues that wait for others",
		Long: `List issues that are not closed and wait for open ones, with those: what blocks them
directly, else what blocks their parents. Dependency cycles are named, since nothing
in one ever becomes ready.`,
		Example: `  bd blocked
  bd blocked --parent bd-x7k2 --json`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				filter, err := filters.filter(a, q)
				if err != nil {
					return err
				}
				if err := order.apply(&filter); err != nil {
					return err
				}
				rows, cut, err := limited(filter, q.Blocked)
				if err != nil {
					return err
				}
				if err := a.printBlocked(q, rows); err != nil {
					return err
				}
				if cut {
					a.tellCut(listing{})
				}
				return a.tellCycles(q, rows)
			})
		},
	}
	filters.define(cmd)
	order.define(cmd, 0)
	return cmd
}

func (a *app) printBlocked(q *projection.Query, rows []projection.BlockedRow) error {
	if a.json {
		objects := make([]any, 0, len(rows))
		for _, row := range rows {
			object, err := rowJSON(row.Row, member{"blocked_by_count", len(row.BlockedBy)}, member{"blocked_by", list(row.BlockedBy)})
			if err != nil {
				return err
			}
			objects = append(objects, object)
		}
		return a.printJSON(objects)
	}
	if len(rows) == 0 {
		a.say("Nothing is blocked.")
	}
	t := table{columns: []column{{"ID", firm}, {"P", firm}, {"STATUS", optional}, {"BLOCKED BY", cuttable}, {"TITLE", cuttable}}}
	for _, row := range rows {
		var by string
		for n, id := range row.BlockedBy {
			if n > 0 {
				by += ", "
			}
			by += visible(a.shortID(q, id))
		}
		cells := a.issueTable(q, []projection.Row{row.Row}).rows[0]
		t.rows = append(t.rows, []cell{cells[0], cells[1], {visible(row.Status), plain}, {by, red}, {titleText(row.Issue), plain}})
	}
	a.printTable(t)
	return nil
}

// tellCycles names the cycles that the blocked issues are in: two clones can
// make one together that neither could make alone.
func (a *app) tellCycles(q *projection.Query, rows []projection.BlockedRow) error {
	cycles, err := q.Cycles()
	if err != nil || len(cycles) == 0 {
		return err
	}
	shown := make(map[string]bool, len(rows))
	for _, row := range rows {
		shown[row.ID] = true
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	for _, cycle := range cycles {
		if slices.ContainsFunc(cycle, func(id string) bool { return shown[id] }) {
			a.notice("dependency cycle: " + strings.Join(append(cycle, cycle[0]), " -> "))
		}
	}
	return nil
}
