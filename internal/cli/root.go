package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// The groups of bd --help.
const (
	groupSetup     = "setup"
	groupWrite     = "write"
	groupRead      = "read"
	groupStructure = "structure"
	groupExchange  = "exchange"
	groupDaemon    = "daemon"
	groupAgents    = "agents"
	groupOld       = "old"
)

// newRoot builds the command tree. Building is cheap: no command opens anything
// before it runs.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "bd",
		Short: "A local-first issue tracker for people and coding agents",
		Long: `bd tracks issues beside your code: every change is one line in an append-only log,
SQLite answers every question, and nothing touches your Git checkout.`,
		Version:           version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.command = strings.TrimPrefix(cmd.CommandPath(), "bd ")
			if a.lockTimeout < 0 {
				return usagef("--lock-timeout must not be negative")
			}
			a.page(cmd)
			return nil
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		a.json = a.json || slices.Contains(a.Args, "--json") // perhaps after the wrong flag
		return usagef("%w", err).withHint("%s --help", cmd.CommandPath())
	})
	root.SetVersionTemplate(versionLine() + "\n")
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print JSON")
	flags.StringVar(&a.db, "db", "", "use the workspace of this database `PATH`")
	flags.StringVar(&a.actor, "actor", "", "act as `NAME` (default: BD_ACTOR, git user.name, login name)")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print results and errors only")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "print more")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours")
	flags.BoolVar(&a.noPager, "no-pager", false, "no pager for long output")
	flags.DurationVar(&a.lockTimeout, "lock-timeout", 30*time.Second, "wait this long for another writer")
	flags.BoolVar(&a.readonly, "readonly", false, "refuse every write")
	acceptOldFlags(root)
	for _, g := range []cobra.Group{
		{ID: groupSetup, Title: "Set-up:"}, {ID: groupWrite, Title: "Write:"}, {ID: groupRead, Title: "Read:"},
		{ID: groupStructure, Title: "Structure:"}, {ID: groupExchange, Title: "Exchange:"},
		{ID: groupDaemon, Title: "Daemon:"}, {ID: groupAgents, Title: "Agents:"}, {ID: groupOld, Title: "For old scripts:"},
	} {
		root.AddGroup(&g)
	}
	addCommands(a, root)
	root.SetHelpCommandGroupID(groupSetup)
	return needSubcommand(root)
}

// acceptOldFlags takes the flags of old scripts that chose between modes: there
// is one mode here, so they do nothing.
func acceptOldFlags(root *cobra.Command) {
	for _, name := range []string{"no-daemon", "sandbox", "no-auto-flush", "no-auto-import", "allow-stale"} {
		root.PersistentFlags().Bool(name, false, "accepted without effect")
		root.PersistentFlags().Lookup(name).Hidden = true
	}
}

// addCommands hangs every command into its group.
func addCommands(a *app, root *cobra.Command) {
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupSetup, setupCommands(a)...)
	add(groupWrite, writeCommands(a)...)
	add(groupRead, readCommands(a)...)
	add(groupStructure, structureCommands(a)...)
	add(groupExchange, exchangeCommands(a)...)
	add(groupDaemon, daemonCommands(a)...)
	add(groupAgents, agentCommands(a)...)
	add(groupOld, oldCommands(a)...)
}

// arguments checks the number of arguments with a message that names them.
func arguments(least, most int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("%s takes %s", cmd.CommandPath(), names).withHint("%s --help", cmd.CommandPath())
		}
		return nil
	}
}
