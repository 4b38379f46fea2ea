package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// labelResult is what label add and label remove print with --json.
type labelResult struct {
	Status string `json:"status"` // added, exists, removed, absent
	Issue  string `json:"issue_id"`
	Label  string `json:"label"`
}

func newLabel(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "label",
		Aliases: []string{"labels"},
		Short:   "Labels of issues",
		Long:    "Labels are words on issues, for lists to select by. An issue has each at most once.",
		Example: `  bd label add bd-x7k2 urgent
  bd label list-all`,
	}
	cmd.AddCommand(newLabelChange(a, true), newLabelChange(a, false), newLabelList(a), newLabelListAll(a))
	return needSubcommand(cmd)
}

func newLabelChange(a *app, add bool) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "add ID… LABEL",
		Short:   "Add a label to issues",
		Long:    "Add a label to one or more issues. Several labels are given with commas between them.",
		Example: "  bd label add bd-x7k2 bd-a9c1 urgent",
		Args:    arguments(2, -1, "at least one ID and a LABEL"),
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			last := len(args) - 1
			return a.changeLabels(cmd, args[:last], args[last], add)
		}),
	}
	if !add {
		cmd.Use, cmd.Aliases = "remove ID… LABEL", []string{"rm"}
		cmd.Short, cmd.Example = "Remove a label from issues", "  bd label remove bd-x7k2 urgent"
		cmd.Long = "Remove a label from one or more issues. Several labels are given with commas between them."
	}
	return cmd
}

// changeLabels adds the labels to every issue or removes them; several labels
// are comma separated.
func (a *app) changeLabels(cmd *cobra.Command, inputs []string, text string, add bool) error {
	labels, err := labelList([]string{text})
	if err != nil {
		return err
	}
	if len(labels) == 0 {
		return usagef("the label must not be empty")
	}
	slices.Sort(labels)
	var results []labelResult
	_, err = a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		results = results[:0]
		ids, err := a.resolveAll(tx.Query, inputs, false)
		if err != nil {
			return nil, labelsForIDs(err, inputs, text)
		}
		var drafts []workspace.Draft
		for _, id := range ids {
			state, err := tx.State(id)
			if err != nil {
				return nil, err
			}
			o, found := labelOperation(&state, labels, add)
			results = append(results, found...)
			if o != nil {
				drafts = append(drafts, draft(o))
			}
		}
		return drafts, nil
	})
	if err != nil {
		return err
	}
	return a.tellLabels(cmd, results)
}

// labelsForIDs adds the hint for ID LABEL LABEL to the error about an id.
func labelsForIDs(err error, inputs []string, last string) error {
	var missing *projection.NotFoundError
	if !errors.As(err, &missing) || missing.Deleted || len(inputs) < 2 || missing.Input == inputs[0] {
		return err
	}
	f := asFailure(err)
	if f.hint == "" {
		_ = f.withHint("several labels are one argument, with commas: %s,%s", missing.Input, last)
	}
	return f
}

// labelOperation changes what is not so already; nil if all is.
func labelOperation(s *op.State, labels []string, add bool) (*op.Operation, []labelResult) {
	did, already := "added", "exists"
	if !add {
		did, already = "removed", "absent"
	}
	var results []labelResult
	var changed []string
	for _, label := range labels {
		status := already
		if slices.Contains(s.Issue.Labels, label) != add {
			status, changed = did, append(changed, label)
		}
		results = append(results, labelResult{status, s.Issue.ID, label})
	}
	if len(changed) == 0 {
		return nil, results
	}
	o := &op.Operation{Do: op.DoLabel, Issue: s.Issue.ID}
	if add {
		o.Add = &op.Elements{Labels: changed}
	} else {
		o.Remove = &op.Elements{Labels: changed}
	}
	return o, results
}

func (a *app) tellLabels(cmd *cobra.Command, results []labelResult) error {
	if a.json {
		return a.printJSON(list(results))
	}
	if a.quiet {
		return nil
	}
	return a.view(cmd, func(q *projection.Query) error {
		for _, r := range results {
			id, label := a.shortID(q, r.Issue), visible(r.Label)
			switch r.Status {
			case "added":
				a.say("Added label %s to %s", label, id)
			case "removed":
				a.say("Removed label %s from %s", label, id)
			case "exists":
				a.say("%s already has label %s", id, label)
			default:
				a.say("%s has no label %s", id, label)
			}
		}
		return nil
	})
}

func newLabelList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "list ID",
		Short:             "List the labels of an issue",
		Long:              "List the labels of one issue, sorted.",
		Example:           "  bd label list bd-x7k2",
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				id, err := a.resolve(q, args[0], false)
				if err != nil {
					return err
				}
				found, err := q.Issue(id)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(list(found.Labels))
				}
				for _, label := range found.Labels {
					a.printf("%s\n", visible(label))
				}
				return nil
			})
		},
	}
}

func newLabelListAll(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list-all",
		Short:   "List every label with the number of issues that have it",
		Long:    "List every label that some issue has, with the number of those issues.",
		Example: "  bd label list-all",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				groups, err := q.Labels()
				if err != nil {
					return err
				}
				if !a.json {
					for _, g := range groups {
						a.printf("%6d  %s\n", g.Count, visible(g.Group))
					}
					return nil
				}
				type labelCount struct {
					Label string `json:"label"`
					Count int    `json:"count"`
				}
				counts := make([]labelCount, 0, len(groups))
				for _, g := range groups {
					counts = append(counts, labelCount{g.Group, g.Count})
				}
				return a.printJSON(counts)
			})
		},
	}
}
