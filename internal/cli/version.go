package cli

import (
	"runtime"

	"github.com/spf13/cobra"
)

// version is the program's version.
const version = "0.1.0"

// versionLine is what bd version and bd --version print.
func versionLine() string { return "bd version " + version + " (" + runtime.Version() + ")" }

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version of this program and of the Go that built it.",
		Example: "  bd version --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if !a.json {
				a.printf("%s\n", versionLine())
				return nil
			}
			return a.printJSON(struct {
				Version string `json:"version"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{version, runtime.Version(), runtime.GOOS, runtime.GOARCH})
		},
	}
}
