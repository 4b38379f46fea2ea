package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func newClose(a *app) *cobra.Command {
	var reason string
	var force, next bool
	cmd := &cobra.Command{
		Use:     "close ID…",
		Aliases: []string{"done"},
		Short:   "Close issues",
		Long: `Close issues, with the reason for who looks later. An issue that is closed already is no
error: it says so and writes nothing. What waited for it may be ready now.`,
		Example: `  bd close bd-x7k2 -r "fixed in 4f1c2aa"
  bd close bd-x7k2 bd-a9c1`,
		Args:              arguments(1, -1, "at least one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			if err := a.textFlag(&reason, "close reason"); err != nil {
				return err
			}
			err := a.eachIssue(cmd, args, func(_ *workspace.Tx, s *op.State) (*op.Operation, string, error) {
				if err := a.refuseLost(s.Issue.ID, force); err != nil {
					return nil, "", err
				}
				if s.Issue.Status == issue.StatusClosed {
					return nil, "Already closed", nil
				}
				o := &op.Operation{Do: op.DoClose, Issue: s.Issue.ID,
					Set: map[string]json.RawMessage{"status": op.Str(issue.StatusClosed)}}
				if reason != "" {
					o.Set["close_reason"] = op.Str(reason)
				}
				return o, "Closed", nil
			})
			if err != nil || !next || a.json {
				return err
			}
			return a.suggestNext(cmd, args)
		}),
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why; - reads standard input")
	cmd.Flags().BoolVarP(&force, "force", "f", false, "also if our claim on it was lost to another clone")
	cmd.Flags().BoolVar(&next, "suggest-next", false, "then list what waited for these issues and is ready now")
	for _, name := range []string{"message", "resolution", "comment"} {
		alias(cmd, name, "reason")
	}
	acceptedText(cmd, "session")
	return cmd
}

// suggestNext lists the ready ones among the issues that those typed blocked.
func (a *app) suggestNext(cmd *cobra.Command, inputs []string) error {
	return a.view(cmd, func(q *projection.Query) error {
		ids, err := a.resolveAll(q, inputs, false)
		if err != nil {
			return err
		}
		var waiting []string
		for _, id := range ids {
			dependents, err := q.BriefDependents(id)
			if err != nil {
				return err
			}
			for _, d := range dependents {
				if d.Type == issue.DepBlocks { // what is only related could be worked on before
					waiting = append(waiting, d.Issue.ID)
				}
			}
		}
		if len(waiting) == 0 {
			return nil // an empty filter would select every issue
		}
		rows, err := q.List(issue.Filter{IDs: waiting, Ready: true, Now: a.Now()})
		if err != nil || len(rows) == 0 {
			return err
		}
		a.heading("Ready now")
		a.printTable(a.issueTable(q, rows))
		return nil
	})
}

func newReopen(a *app) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "reopen ID…",
		Short: "Open closed issues again",
		Long:  "Open closed issues again. They keep their history; the close reason goes.",
		Example: `  bd reopen bd-x7k2 -r "it came back"
  bd reopen bd-x7k2 bd-a9c1`,
		Args:              arguments(1, -1, "at least one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			if err := a.textFlag(&reason, "reason"); err != nil {
				return err
			}
			return a.eachIssue(cmd, args, func(_ *workspace.Tx, s *op.State) (*op.Operation, string, error) {
				if s.Issue.Status != issue.StatusClosed {
					return nil, "Not closed", nil
				}
				o := &op.Operation{Do: op.DoReopen, Issue: s.Issue.ID,
					Set: map[string]json.RawMessage{"status": op.Str(issue.StatusOpen)}}
				if reason != "" {
					o.Comment = &op.CommentText{Text: reason}
				}
				return o, "Reopened", nil
			})
		}),
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why, kept as a comment; - reads standard input")
	return cmd
}

// textFlag reads a flag's text from standard input if it is "-", and checks it.
func (a *app) textFlag(text *string, field string) error {
	if err := a.dash(text); err != nil {
		return err
	}
	if err := issue.ValidateText(field, *text); err != nil {
		return invalid(err)
	}
	return nil
}
