package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"beads/internal/projection"
	"beads/internal/workspace"
)

// resetJSON is what bd reset --json prints.
type resetJSON struct {
	Path       string `json:"path"`
	Guard      string `json:"guard_path,omitempty"`
	Issues     int    `json:"issue_count"`
	Operations int64  `json:"operation_count"`
	Removed    bool   `json:"removed"`
}

func newReset(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Forget the workspace: every issue, for good (needs --force)",
		Long: `Remove the log, the guard copy, the database and the settings of the workspace. Without
--force reset says what would be lost, removes nothing, and exits 1. bd export first, if
in doubt.`,
		Example: `  bd reset
  bd export -o backup.jsonl && bd reset --force`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.reset(cmd, force) },
	}
	cmd.Flags().BoolVar(&force, "force", false, "remove everything")
	return cmd
}

func (a *app) reset(cmd *cobra.Command, force bool) error {
	place, err := a.place()
	if err != nil {
		return err
	}
	result := resetJSON{Path: place.Dir, Guard: place.Guard}
	countErr := a.view(cmd, func(q *projection.Query) error {
		stats, err := q.Stats(a.Now())
		if err != nil {
			return err
		}
		result.Issues = stats.Total
		result.Operations, err = q.Operations()
		return err
	})
	if countErr != nil && !force {
		return countErr
	}
	lost := fmt.Sprintf("%s and %s, which no remote holds",
		plural(result.Issues, "issue", "issues"), plural(result.Operations, "operation", "operations"))
	if !force {
		return failf("needs_force", "bd reset would remove %s: %s", place.Dir, lost).
			withHint("bd export -o FILE keeps them; bd reset --force removes them")
	}
	if a.ws != nil {
		if err := a.ws.Close(); err != nil {
			return err
		}
		a.ws = nil
	}
	if err := a.stopDaemon(cmd.Context(), place); err != nil {
		return err
	}
	if err := workspace.Reset(cmd.Context(), place, a.options(place)); err != nil {
		return err
	}
	result.Removed = true
	if a.json {
		return a.printJSON(result)
	}
	a.say("Removed the workspace in %s: %s", visible(place.Dir), lost)
	return nil
}
