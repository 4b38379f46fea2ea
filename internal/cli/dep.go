package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// depResult is what dep add and dep remove print with --json.
type depResult struct {
	Status string `json:"status"` // added, exists, removed, absent
	From   string `json:"issue_id"`
	To     string `json:"depends_on_id"`
	Type   string `json:"type,omitempty"`
}

func newDep(a *app) *cobra.Command {
	var blocks string
	cmd := &cobra.Command{
		Use:     "dep",
		Aliases: []string{"deps"},
		Short:   "Dependencies between issues",
		Long: `A dependency says that one issue depends on another. Types that order work are blocks
and parent-child; related, discovered-from, duplicates, supersedes and any other name
only inform.`,
		Example: `  bd dep add bd-x7k2 bd-a9c1
  bd dep bd-a9c1 --blocks bd-x7k2
  bd dep tree bd-x7k2`,
		Args: cobra.ArbitraryArgs, // unknownCommand names the first
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && blocks != "":
				return a.addDependency(cmd, blocks, args[0], issue.DepBlocks)
			case len(args) > 0 && blocks == "":
				return unknownCommand(cmd, args[0])
			case len(args) > 0:
				return usagef("%s takes one ID with --blocks ID", cmd.CommandPath()).withHint("bd dep --help")
			}
			return cmd.Help()
		},
	}
	cmd.Flags().StringVarP(&blocks, "blocks", "b", "", "the issue `ID` that waits for the one named first")
	cmd.AddCommand(newDepAdd(a), newDepRemove(a), newDepList(a), newDepTree(a), newDepCycles(a))
	return cmd
}

func newDepAdd(a *app) *cobra.Command {
	var kind, dependsOn, blockedBy string
	cmd := &cobra.Command{
		Use:   "add ID DEPENDS-ON",
		Short: "Make an issue depend on another",
		Long: `Make the first issue depend on the second. A dependency that would close a cycle of
blocks and parent-child dependencies is refused. A parent-child dependency is held by
the child and names the parent.`,
		Example: `  bd dep add bd-x7k2 bd-a9c1
  bd dep add bd-x7k2 bd-a9c1 -t discovered-from`,
		Args:              arguments(1, 2, "ID and DEPENDS-ON"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			targets := slices.DeleteFunc(append(slices.Clone(args[1:]), dependsOn, blockedBy), func(s string) bool { return s == "" })
			if len(targets) != 1 {
				return usagef("bd dep add takes an ID and one issue it depends on").withHint("bd dep add --help")
			}
			return a.addDependency(cmd, args[0], targets[0], kind)
		},
	}
	cmd.Flags().StringVarP(&kind, "type", "t", issue.DepBlocks, "blocks, parent-child, related, discovered-from, … any `NAME`")
	cmd.Flags().StringVar(&dependsOn, "depends-on", "", "the issue `ID` it depends on")
	cmd.Flags().StringVar(&blockedBy, "blocked-by", "", "the issue `ID` it depends on")
	return cmd
}

// addDependency makes from depend on to.
func (a *app) addDependency(cmd *cobra.Command, from, to, kind string) error {
	if err := issue.ValidateName("dependency type", kind); err != nil {
		return invalid(err)
	}
	var result depResult
	_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		ids := make([]string, 2)
		for i, input := range []string{from, to} {
			var err error
			if ids[i], err = a.resolve(tx.Query, input, false); err != nil {
				return nil, err
			}
		}
		result = depResult{"added", ids[0], ids[1], kind}
		state, err := tx.State(ids[0])
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(state.Issue.Dependencies, func(d issue.Dependency) bool { return d.To == ids[1] && d.Type == kind }) {
			result.Status = "exists"
			return nil, nil
		}
		if err := a.checkCycle(tx.Query, ids[0], ids[1], kind); err != nil {
			return nil, err
		}
		o := &op.Operation{Do: op.DoDep, Issue: ids[0], Add: &op.Elements{Deps: []op.Dep{{To: ids[1], Type: kind}}}}
		return []workspace.Draft{draft(o)}, nil
	})
	if err != nil {
		return err
	}
	return a.tellDependency(cmd, result)
}

// tellDependency prints the result of dep add and dep remove.
func (a *app) tellDependency(cmd *cobra.Command, r depResult) error {
	if a.json {
		return a.printJSON(r)
	}
	if a.quiet {
		return nil
	}
	return a.view(cmd, func(q *projection.Query) error {
		from, to := a.shortID(q, r.From), a.shortID(q, r.To)
		switch r.Status {
		case "added":
			a.say("%s now depends on %s (%s)", from, to, visible(r.Type))
		case "exists":
			a.say("%s already depends on %s (%s)", from, to, visible(r.Type))
		case "removed":
			a.say("%s no longer depends on %s", from, to)
		default:
			a.say("%s does not depend on %s", from, to)
		}
		return nil
	})
}

func newDepRemove(a *app) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use:     "remove ID DEPENDS-ON",
		Aliases: []string{"rm"},
		Short:   "Remove the dependency of an issue on another",
		Long:    `Remove the dependencies of the first issue on the second: of every type, or of one with -t.`,
		Example: `  bd dep remove bd-x7k2 bd-a9c1
  bd dep remove bd-x7k2 bd-a9c1 -t related`,
		Args:              arguments(2, 2, "ID and DEPENDS-ON"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			result := depResult{Status: "absent", Type: kind}
			_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
				o, err := a.removal(tx.Query, args[0], args[1], &result)
				if err != nil || o == nil {
					return nil, err
				}
				return []workspace.Draft{draft(o)}, nil
			})
			if err != nil {
				return err
			}
			return a.tellDependency(cmd, result)
		},
	}
	cmd.Flags().StringVarP(&kind, "type", "t", "", "only this type")
	return cmd
}

// removal is the operation that removes the dependencies between two issues, nil
// if there are none. The target need not exist: dependencies on deleted and on
// never seen issues can be removed too.
func (a *app) removal(q *projection.Query, from, to string, result *depResult) (*op.Operation, error) {
	id, err := a.resolve(q, from, false)
	if err != nil {
		return nil, err
	}
	state, err := q.State(id)
	if err != nil {
		return nil, err
	}
	target, err := a.resolveGone(q, to)
	var missing *projection.NotFoundError
	if errors.As(err, &missing) {
		target, err = heldTarget(state.Issue.Dependencies, to, err)
	}
	if err != nil {
		return nil, err
	}
	var deps []op.Dep
	for _, d := range state.Issue.Dependencies {
		if d.To == target && (result.Type == "" || d.Type == result.Type) {
			deps = append(deps, op.Dep{To: d.To, Type: d.Type})
		}
	}
	result.From, result.To = id, target
	if len(deps) == 0 {
		return nil, nil
	}
	result.Status = "removed"
	return &op.Operation{Do: op.DoDep, Issue: id, Remove: &op.Elements{Deps: deps}}, nil
}

// heldTarget finds the target that starts with what was typed among the
// dependencies themselves; the error is notFound if none does.
func heldTarget(deps []issue.Dependency, typed string, notFound error) (string, error) {
	var targets []string
	for _, d := range deps {
		if d.To == typed {
			return typed, nil
		}
		if strings.HasPrefix(d.To, typed) && !slices.Contains(targets, d.To) {
			targets = append(targets, d.To)
		}
	}
	switch len(targets) {
	case 0:
		return "", notFound
	case 1:
		return targets[0], nil
	}
	return "", failf("ambiguous", "%q may be %s", typed, strings.Join(targets, " or "))
}

func newDepCycles(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "cycles",
		Short: "List the cycles of blocks and parent-child dependencies",
		Long: `List cycles. bd refuses to make one, but two clones can each add a half of it. Remove
any one of its dependencies to break it.`,
		Example: "  bd dep cycles",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				cycles, err := q.Cycles()
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(list(cycles))
				}
				if len(cycles) == 0 {
					a.say("No cycles.")
				}
				for _, cycle := range cycles {
					names := make([]string, 0, len(cycle)+1)
					for _, id := range append(slices.Clone(cycle), cycle[0]) {
						names = append(names, a.shortID(q, id))
					}
					a.printf("%s\n", strings.Join(names, " -> "))
				}
				return nil
			})
		},
	}
}
