package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// replacements are upstream's commands that are not here, each with what to do
// instead.
func replacements() map[string]string {
	const (
		gone      = "nothing replaces it: issues carry only what the log says"
		perIssue  = "use bd create, bd update and bd dep add"
		elsewhere = "use bd export and bd import with that service's own tools"
	)
	return map[string]string{
		"admin":             "use bd doctor, bd recover and bd reset",
		"agent":             "use bd update ID --assignee NAME and BD_SESSION",
		"audit":             "use bd history ID",
		"bulk-move":         perIssue,
		"burn":              "use bd delete ID --force",
		"cleanup":           "use bd delete ID… --force; closed issues cost nothing",
		"compact":           "not needed: the log is kept whole",
		"convoy":            perIssue,
		"cook":              perIssue,
		"detect-pollution":  "use bd search and bd delete",
		"duplicates":        "use bd search, and bd dep add A B -t duplicates",
		"export-obsidian":   "use bd export",
		"federation":        "use bd sync",
		"flatten":           "not needed: the log is kept whole",
		"formula":           perIssue,
		"gate":              "use bd dep add and bd update --defer",
		"gc":                "not needed: the log is kept whole",
		"github":            elsewhere,
		"gitlab":            elsewhere,
		"jira":              elsewhere,
		"linear":            elsewhere,
		"lint":              "use bd list --empty-description",
		"mail":              "use bd comments add",
		"message":           "use bd comments add",
		"migrate":           "not needed: the database is rebuilt by itself; bd import reads an old issues.jsonl",
		"mol":               perIssue,
		"move":              "use bd export and bd import",
		"orphans":           "use bd list --no-parent",
		"pin":               "use bd update ID -s pinned",
		"preflight":         "use bd doctor",
		"quickstart":        "run bd --help",
		"refile":            "use bd export and bd import",
		"relate":            "use bd dep add A B -t related",
		"rename":            "ids never change; use bd update ID --title",
		"repair":            "use bd recover",
		"repo":              "use BEADS_DIR or --db",
		"resolve-conflicts": "not needed: bd reads both sides of a conflict; bd recover lists what it could not read",
		"set-state":         "use bd update ID --add-label",
		"ship":              "use bd close ID",
		"slot":              gone,
		"state":             "use bd label list ID",
		"swarm":             perIssue,
		"template":          perIssue,
		"thanks":            gone,
		"todo":              "use bd q TITLE and bd list",
		"unpin":             "use bd update ID -s open",
		"unrelate":          "use bd dep remove A B",
		"upgrade":           "install a newer bd; bd version says which this is",
		"validate":          "use bd doctor",
		"vc":                "use bd history ID",
		"wisp":              perIssue,
		"worktree":          "use git worktree; every worktree shares one workspace",
	}
}

// unknownCommand answers a name that is no command: with the replacement if it
// is one of upstream's, else with what is spelled alike.
func unknownCommand(cmd *cobra.Command, name string) error {
	f := usagef("unknown command %q for %q", name, cmd.CommandPath())
	f.code = "unknown_command"
	if cmd.HasParent() {
		return suggest(f, cmd, name)
	}
	if instead, ok := replacements()[name]; ok {
		return f.withHint("%s", instead)
	}
	return suggest(f, cmd, name)
}

func suggest(f *failure, cmd *cobra.Command, name string) error {
	if alike := cmd.SuggestionsFor(name); len(alike) > 0 {
		return f.withHint("did you mean %s?", strings.Join(alike, ", "))
	}
	return f.withHint("%s --help", cmd.CommandPath())
}

// needSubcommand makes a parent command answer a missing or wrong subcommand:
// the one with its help, the other with an error.
func needSubcommand(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	return cmd
}
