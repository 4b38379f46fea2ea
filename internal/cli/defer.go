package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/workspace"
)

func newDefer(a *app) *cobra.Command {
	var until, reason string
	cmd := &cobra.Command{
		Use:   "defer ID…",
		Short: "Put issues off",
		Long: `Put issues off: bd ready leaves them out. With --until they come back by themselves at
that time; without it they get the status deferred, until bd undefer.`,
		Example: `  bd defer bd-x7k2 --until +2w
  bd defer bd-x7k2 bd-a9c1 -r "after the release"`,
		Args:              arguments(1, -1, "at least one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			var date json.RawMessage
			if given(cmd, "until") {
				at, err := a.parseDate(until, false)
				if err != nil {
					return err
				}
				if !at.After(a.Now()) {
					return usagef("--until %s is not in the future", until).withHint("bd undefer takes issues up again")
				}
				if date, err = a.dateValue(until, false); err != nil {
					return err
				}
			}
			if err := a.textFlag(&reason, "reason"); err != nil {
				return err
			}
			return a.eachIssue(cmd, args, func(_ *workspace.Tx, s *op.State) (*op.Operation, string, error) {
				if s.Issue.Status == issue.StatusClosed {
					return nil, "", failf("closed", "issue %s is closed", s.Issue.ID).withHint("bd reopen %s", s.Issue.ID)
				}
				set := map[string]json.RawMessage{"status": op.Str(issue.StatusDeferred)}
				if date != nil {
					set = map[string]json.RawMessage{"defer_until": date}
					if s.Issue.Status == issue.StatusDeferred { // which no date ends
						set["status"] = op.Str(issue.StatusOpen)
					}
				}
				return withReason(&op.Operation{Do: op.DoUpdate, Issue: s.Issue.ID, Set: set}, reason), "Deferred", nil
			})
		}),
	}
	cmd.Flags().StringVar(&until, "until", "", "until `DATE`: 2026-12-01, tomorrow, +2d, RFC 3339")
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why, kept as a comment; - reads standard input")
	return cmd
}

func newUndefer(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "undefer ID…",
		Short:             "Take deferred issues up again",
		Long:              "Take back what bd defer did: the issues are ready again, unless something blocks them.",
		Example:           "  bd undefer bd-x7k2",
		Args:              arguments(1, -1, "at least one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			return a.eachIssue(cmd, args, func(_ *workspace.Tx, s *op.State) (*op.Operation, string, error) {
				set := map[string]json.RawMessage{}
				if s.Issue.Status == issue.StatusDeferred {
					set["status"] = op.Str(issue.StatusOpen)
				}
				if !s.Issue.DeferUntil.IsZero() {
					set["defer_until"] = op.Null()
				}
				if len(set) == 0 {
					return nil, "Not deferred", nil
				}
				return &op.Operation{Do: op.DoUpdate, Issue: s.Issue.ID, Set: set}, "Undeferred", nil
			})
		}),
	}
}

// withReason adds why something was done as a comment, in the same operation.
func withReason(o *op.Operation, reason string) *op.Operation {
	if reason != "" {
		o.Comment = &op.CommentText{Text: reason}
	}
	return o
}
