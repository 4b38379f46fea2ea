package cli

import "github.com/spf13/cobra"

// newHook and newHooks answer the Git hooks of old installations. Nothing here
// needs a hook: they exit 0 without a word, so that no commit ever fails.
func newHook(a *app) *cobra.Command {
	cmd := silent("hook NAME [ARG…]", "Answer a Git hook of an old installation (does nothing)")
	cmd.Example = "  bd hook pre-commit"
	return cmd
}

func newHooks(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hooks",
		Short: "Answer Git hooks of an old installation (nothing is needed)",
		Long: `Earlier beads kept its files in step by Git hooks. bd needs none and installs none; these
commands are there so that old hooks and set-up scripts go on.`,
		Example: "  bd hooks run pre-commit",
	}
	run := silent("run NAME [ARG…]", "Do nothing, for an old hook that calls it")
	run.Example = "  bd hooks run post-merge 0"
	cmd.AddCommand(run)
	for _, c := range []struct{ name, short, word string }{
		{"install", "Say that no hooks are needed", "No hooks are needed: every command reads and writes the log itself."},
		{"uninstall", "Say that there is nothing to remove", "bd installs no hooks. Those of another version are in .git/hooks and may be deleted."},
		{"list", "Say that there are no hooks", "bd installs no hooks."},
	} {
		sub := &cobra.Command{
			Use: c.name, Short: c.short, Long: c.word, Example: "  bd hooks " + c.name,
			Args: arguments(0, 0, "no arguments"),
			RunE: func(*cobra.Command, []string) error {
				if a.json {
					return a.printJSON(struct {
						Hooks   []string `json:"hooks"`
						Message string   `json:"message"`
					}{[]string{}, c.word})
				}
				a.say("%s", c.word)
				return nil
			},
		}
		for _, name := range []string{"force", "shared", "chain", "beads"} {
			sub.Flags().Bool(name, false, "accepted without effect")
			hide(sub, name)
		}
		cmd.AddCommand(sub)
	}
	return needSubcommand(cmd)
}

// silent takes anything and does nothing.
func silent(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: "Exit 0 without a word, whatever the arguments are, so that no commit of anybody fails.",
		DisableFlagParsing: true,
		RunE:               func(*cobra.Command, []string) error { return nil },
	}
}
