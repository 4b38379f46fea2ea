package cli

import (
	"github.com/spf13/cobra"

	"beads/internal/workspace"
)

// whereJSON is what bd where --json prints, and a part of bd info's.
type whereJSON struct {
	Path     string `json:"path"`
	Database string `json:"database_path"`
	Log      string `json:"log_path"`
	Guard    string `json:"guard_path,omitempty"`
	Source   string `json:"import_source,omitempty"`
	ChosenBy string `json:"chosen_by,omitempty"`
}

func whereOf(place workspace.Place) whereJSON {
	return whereJSON{place.Dir, place.DB, place.LogPath(), place.GuardPath(), place.Source, place.Explicit}
}

func newWhere(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "where",
		Short:   "Print the directory of the workspace",
		Example: "  ls -l $(bd where)",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			place, err := a.existing()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(whereOf(place))
			}
			a.printf("%s\n", visible(place.Dir))
			return nil
		},
	}
}
