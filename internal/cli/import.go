package cli

import "github.com/spf13/cobra"

func newImport(a *app) *cobra.Command {
	var file string
	var options importOptions
	cmd := &cobra.Command{
		Use:   "import [FILE]",
		Short: "Import issues from a JSONL file",
		Long: `Import a snapshot as upstream beads writes it (one issue a line), or an operation log.
Importing twice changes nothing the second time, and a newer snapshot of the same
issues brings only what differs from the older one. Lines that cannot be read are
named and left out.`,
		Example: `  bd import -i .beads/issues.jsonl
  bd import backup.jsonl --dry-run
  ssh host cat issues.jsonl | bd import -`,
		Args: arguments(0, 1, "one FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && file != "":
				return usagef("give the FILE as an argument or with --input, not both")
			case len(args) == 1:
				file = args[0]
			case file == "":
				file = "-"
			}
			result, err := a.importFile(cmd, file, options)
			if err != nil {
				return err
			}
			return a.tellImport(inputName(file), result)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&file, "input", "i", "", "read `FILE`; - is standard input, the default")
	flags.BoolVar(&options.dryRun, "dry-run", false, "only say what would be done")
	flags.BoolVarP(&options.skipExisting, "skip-existing", "s", false, "leave issues alone that are here already")
	accepted(cmd, "strict", "force", "update", "rename-on-import", "clear-duplicate-external-refs",
		"no-git-history", "protect-left-snapshot", "dedupe-after", "resolve-collisions")
	acceptedText(cmd, "orphan-handling")
	return cmd
}

// acceptedText takes flags with a value that mean nothing here.
func acceptedText(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		cmd.Flags().String(name, "", "accepted without effect")
		hide(cmd, name)
	}
}

func inputName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}
