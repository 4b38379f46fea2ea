package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/workspace"
)

func newSync(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Bring log, database and guard copy together now",
		Long: `Read what other tools appended to the log, and put back what any copy lost. Every
command does this by itself; sync says what it did. The flags of old scripts are
accepted and mean nothing.`,
		Example: `  bd sync
  bd sync --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			report, err := w.Refresh(cmd.Context(), false)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(reportJSON(report))
			}
			a.say("%s", reportText(report))
			return nil
		},
	}
	accepted(cmd, "flush-only", "import-only", "import", "no-pull", "no-push", "no-fetch", "full", "dry-run", "status",
		"check", "squash", "no-git-history")
	cmd.Flags().StringP("message", "m", "", "accepted without effect")
	hide(cmd, "message")
	return cmd
}

// refreshJSON is what bringing the copies together did.
type refreshJSON struct {
	Applied     int   `json:"applied"`
	Imported    int   `json:"imported"`
	Restored    int   `json:"restored"`
	Quarantined int   `json:"quarantined"`
	Rebuilt     bool  `json:"rebuilt"`
	FullScan    bool  `json:"full_scan"`
	Millis      int64 `json:"duration_ms"`
}

func reportJSON(r workspace.Report) refreshJSON {
	return refreshJSON{r.Applied, r.Imported, r.Restored, r.Quarantined, r.Rebuilt, r.FullScan, r.Duration.Milliseconds()}
}

// reportText says what bringing the copies together did, in one line.
func reportText(r workspace.Report) string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{r.Applied, "operation applied", "operations applied"},
		{r.Imported, "snapshot record imported", "snapshot records imported"},
		{r.Restored, "line put back", "lines put back"},
		{r.Quarantined, "line in quarantine", "lines in quarantine"},
	} {
		if part.n > 0 {
			parts = append(parts, plural(part.n, part.one, part.many))
		}
	}
	if r.Rebuilt {
		parts = append(parts, "database rebuilt")
	}
	if len(parts) == 0 {
		return "Everything was in step."
	}
	text := strings.Join(parts, ", ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
