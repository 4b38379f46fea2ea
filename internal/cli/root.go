package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noWait is what --lock-timeout 0 gives another writer: as long as a reader gives
// it, so that the lock can be had at all.
const noWait = 50 * time.Millisecond

// newRoot builds the command tree: what the arguments ask for, or all of it. No
// command opens anything before it runs.
func newRoot(a *app) *cobra.Command {
	root := bareRoot(a)
	for _, g := range asked(groups(), root.PersistentFlags(), a.Args) {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			cmd := c.build(a)
			cmd.GroupID = g.id
			root.AddCommand(cmd)
		}
	}
	root.SetHelpCommandGroupID(groupSetup)
	return root
}

// bareRoot is bd without any command.
func bareRoot(a *app) *cobra.Command {
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
			if a.lockTimeout == 0 {
				a.lockTimeout = noWait
			}
			a.page(cmd)
			return nil
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		a.json = a.json || slices.Contains(a.Args, "--json") // perhaps after the wrong flag
		return usagef("%w", flagError(err)).withHint("%s --help", cmd.CommandPath())
	})
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetUsageFunc(a.writeUsage)
	root.SetHelpFunc(a.writeHelp)
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print JSON")
	flags.StringVar(&a.db, "db", "", "use the workspace of this database `PATH`")
	flags.StringVar(&a.actor, "actor", "", "act as `NAME` (default: BD_ACTOR, git user.name, login name)")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print results and errors only")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "print more")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours")
	flags.BoolVar(&a.noPager, "no-pager", false, "no pager for long output")
	flags.DurationVar(&a.lockTimeout, "lock-timeout", 30*time.Second, "wait this long for another writer; 0: fail at once")
	flags.BoolVar(&a.readonly, "readonly", false, "refuse every write")
	acceptOldFlags(root)
	return needSubcommand(root)
}

// flagError says of a value what the flag takes, where the library says which of its
// functions could not read it.
func flagError(err error) error {
	var wrong *pflag.InvalidValueError
	if !errors.As(err, &wrong) {
		return err
	}
	takes := map[string]string{"int": "a whole number", "bool": "true or false", "duration": "a length of time such as 30s or 10m"}
	flag := wrong.GetFlag()
	if takes[flag.Value.Type()] == "" {
		return err
	}
	if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("--%s: %s is out of range", flag.Name, wrong.GetValue())
	}
	return fmt.Errorf("--%s takes %s, not %q", flag.Name, takes[flag.Value.Type()], wrong.GetValue())
}

// acceptOldFlags takes the flags of old scripts that chose between modes: there
// is one mode here, so they do nothing.
func acceptOldFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	for _, name := range []string{"no-daemon", "no-db", "sandbox", "no-auto-flush", "no-auto-import", "allow-stale", "profile"} {
		flags.Bool(name, false, "accepted without effect")
		flags.Lookup(name).Hidden = true
	}
	flags.String("dolt-auto-commit", "", "accepted without effect")
	flags.Lookup("dolt-auto-commit").Hidden = true
	root.Flags().BoolP("version", "V", false, "version for bd")
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
