package cli

import (
	"github.com/spf13/cobra"

	"beads/internal/beadsjson"
)

func newMerge(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge OUTPUT BASE LEFT RIGHT",
		Short: "Unite the lines of files (a Git merge driver)",
		Long: `Write to OUTPUT its own lines and those of LEFT and RIGHT that it lacks, each once.
BASE is not needed: lines are only ever added. As a Git merge driver:
  git config merge.beads.driver "bd merge %A %O %A %B"`,
		Example: "  bd merge %A %O %A %B",
		Args:    arguments(4, 4, "OUTPUT BASE LEFT RIGHT"),
		RunE: func(_ *cobra.Command, args []string) error {
			output := a.path(args[0])
			if place, err := a.place(); err == nil {
				for _, own := range ownFiles(place) {
					if beadsjson.SameFile(output, own) {
						return failf("refused", "%s belongs to the workspace; it is united by itself", args[0])
					}
				}
			}
			added, err := beadsjson.Unite(output, a.path(args[2]), a.path(args[3]))
			if err != nil {
				return failf("failed", "merging: %w", err)
			}
			if a.json {
				return a.printJSON(struct {
					Added int `json:"added"`
				}{added})
			}
			return nil
		},
	}
	accepted(cmd, "debug")
	return cmd
}
