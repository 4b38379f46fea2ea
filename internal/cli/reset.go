package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// resetJSON is what bd reset --json prints.
type resetJSON struct {
	Path       string `json:"path"`
	Guard      string `json:"guard_path,omitempty"`
	Issues     int    `json:"issue_count"`
	Operations int64  `json:"operation_count"`
	Unshared   int64  `json:"unshared"`
	Removed    bool   `json:"removed"`

	Interactions int64 `json:"interaction_count,omitempty"`
}

func newReset(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Forget the workspace: every issue, for good (needs --force)",
		Long: `Remove the log, the guard copy, the database, the settings and the local Git refs of the
workspace; a remote keeps what was shared. Without
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
	countErr := a.viewAll(cmd, func(q *projection.Query) error {
		stats, err := q.Stats(a.Now())
		if err != nil {
			return err
		}
		result.Issues = stats.Total
		if result.Operations, err = q.Operations(); err != nil {
			return err
		}
		if result.Interactions, err = q.Of(op.Interactions).Held(); err != nil {
			return err
		}
		local, err := place.Local()
		if err != nil {
			return err
		}
		result.Unshared, err = replica.Unshared(q, local.Remote)
		return err
	})
	if countErr != nil && !force {
		return countErr
	}
	lost := fmt.Sprintf("%s and %s, of which %s no remote",
		plural(result.Issues, "issue", "issues"), plural(result.Operations, "operation", "operations"),
		plural(result.Unshared, "is on", "are on"))
	if result.Interactions > 0 {
		lost += ", and " + plural(result.Interactions, "interaction", "interactions")
	}
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
	if err := replica.Forget(cmd.Context(), replica.NewRunner(place, a.Environ, a.Home)); err != nil {
		return err
	}
	result.Removed = true
	if a.json {
		return a.printJSON(result)
	}
	a.say("Removed the workspace in %s: %s", visible(place.Dir), lost)
	return nil
}
