package cli

import (
	"github.com/spf13/cobra"

	"beads/internal/companion"
)

func newMCP(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "mcp",
		Short: "Serve the issues to language models (Model Context Protocol)",
		Long: `Serve the Model Context Protocol on standard input and output, until the input ends:
the tools ready, list, show, create, update, claim, close and others, and the issues as
resources. A client starts it; docs/mcp.md says how to tell it to.

Each call finds the workspace anew, as a command does that is run in this directory.
--db, --actor, --readonly and --lock-timeout hold for all of them; with --readonly the
tools that write are not offered. BD_SESSION tells agents of the same name apart; a
server that has none makes one up.

The server is the program bd-mcp, which is installed beside bd.`,
		Example: `  bd mcp
  bd mcp --actor reviewer --readonly`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := companion.Find("bd-mcp", a.Executable, a.Getenv("PATH"))
			if err != nil {
				return failf("no_mcp", "bd mcp needs another program: %w", err).
					withHint("make install, or go install ./cmd/..., installs both")
			}
			args := []string{"--lock-timeout", a.lockTimeout.String()}
			if a.db != "" {
				args = append(args, "--db", a.path(a.db))
			}
			if a.actor != "" {
				args = append(args, "--actor", a.actor)
			}
			if a.readonly {
				args = append(args, "--readonly")
			}
			return companion.Become(cmd.Context(), companion.Program{
				Path: path, Args: args, Environ: a.Environ,
				Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr,
			})
		},
	}
}
