package cli

import (
	"encoding/json"
	"slices"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/workspace"
)

func newDuplicate(a *app) *cobra.Command {
	return a.replacedBy(&cobra.Command{
		Use:   "duplicate ID… --of ID",
		Short: "Close issues as duplicates of another",
		Long: `Close issues and record which other one says the same. The two stay linked, so that bd
show leads from one to the other.`,
		Example: "  bd duplicate bd-x7k2 --of bd-a9c1",
	}, "of", "the issue `ID` that stays", issue.DepDuplicates, "duplicate of ")
}

func newSupersede(a *app) *cobra.Command {
	return a.replacedBy(&cobra.Command{
		Use:   "supersede ID… --with ID",
		Short: "Close issues that another one replaces",
		Long: `Close issues and record which other one takes their place. The two stay linked, so that
bd show leads from one to the other.`,
		Example: "  bd supersede bd-x7k2 --with bd-a9c1",
	}, "with", "the issue `ID` that replaces them", issue.DepSupersedes, "superseded by ")
}

// replacedBy completes a command that closes issues in favour of another one.
// Closing and the dependency on the other are one operation.
func (a *app) replacedBy(cmd *cobra.Command, flag, usage, kind, reason string) *cobra.Command {
	var by string
	cmd.Args = arguments(1, -1, "at least one ID")
	cmd.ValidArgsFunction = a.completeIDs
	cmd.Flags().StringVar(&by, flag, "", usage)
	cmd.RunE = a.manyIDs(func(cmd *cobra.Command, args []string) error {
		if by == "" {
			return usagef("%s needs --%s ID", cmd.CommandPath(), flag).withHint("%s --help", cmd.CommandPath())
		}
		return a.eachIssue(cmd, args, func(tx *workspace.Tx, s *op.State) (*op.Operation, string, error) {
			to, err := a.resolve(tx.Query, by, false)
			if err != nil {
				return nil, "", err
			}
			if to == s.Issue.ID {
				return nil, "", usagef("%s cannot be replaced by itself", a.shortID(tx.Query, to))
			}
			o := &op.Operation{Do: op.DoClose, Issue: s.Issue.ID, Set: map[string]json.RawMessage{}, Add: &op.Elements{}}
			if s.Issue.Status != issue.StatusClosed {
				o.Set["status"], o.Set["close_reason"] = op.Str(issue.StatusClosed), op.Str(reason+to)
			}
			linked := slices.ContainsFunc(s.Issue.Dependencies, func(d issue.Dependency) bool { return d.To == to && d.Type == kind })
			if !linked {
				o.Add.Deps = []op.Dep{{To: to, Type: kind}}
			}
			dropEmpty(o)
			if len(o.Set) == 0 {
				o.Do, o.Set = op.DoDep, nil
			}
			if o.Set == nil && o.Add == nil {
				return nil, "Already closed", nil
			}
			return o, "Closed", nil
		})
	})
	return cmd
}
