package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// replacements are upstream's commands that are not here, each with what to do
// instead. A subcommand is named with its parent.
func replacements() map[string]string {
	const (
		agents     = "use bd update ID --claim and BD_SESSION; bd prime tells an agent what it has in hand"
		byID       = "use bd export --id ID… here and bd import there"
		elsewhere  = "use bd export and bd import with that service's own tools"
		notNeeded  = "not needed: the log is kept whole, and the database is made from it"
		perIssue   = "use bd create, bd update and bd dep add"
		sameThings = "use bd search, and bd duplicate A --of B"
	)
	return map[string]string{
		"admin":              "use bd doctor, bd recover and bd reset",
		"ado":                elsewhere,
		"agent":              agents,
		"assign":             "use bd update ID --assignee NAME",
		"audit":              "use bd history ID for what was done to an issue",
		"backend":            "there is one: a log, and a database that is made from it",
		"backup":             "use bd export -o FILE, or bd sync --publish for a copy on the Git remote",
		"bootstrap":          "use bd init: in a clone it takes the issues from the remote",
		"branch":             "issues are the same on every branch; use bd label add",
		"bulk-move":          byID,
		"burn":               "use bd delete ID --force",
		"cleanup":            "use bd delete ID… --force; closed issues cost nothing",
		"compact":            notNeeded,
		"config validate":    "use bd config list; a wrong value is refused when it is set",
		"convoy":             perIssue,
		"cook":               perIssue,
		"create-form":        "use bd create TITLE, then bd edit ID",
		"dep relate":         "use bd dep add A B -t related",
		"dep unrelate":       "use bd dep remove A B",
		"detect-pollution":   "use bd search and bd delete",
		"diff":               "use bd history ID",
		"dolt":               "there is no other database; use bd sync",
		"duplicates":         sameThings,
		"export-obsidian":    "use bd export",
		"federation":         "use bd sync",
		"find-duplicates":    sameThings,
		"flatten":            notNeeded,
		"formula":            perIssue,
		"gate":               "use bd dep add and bd update --defer",
		"gc":                 notNeeded,
		"github":             elsewhere,
		"gitlab":             elsewhere,
		"human":              "run bd --help",
		"jira":               elsewhere,
		"kv":                 "use bd update ID --metadata JSON",
		"label propagate":    "use bd children ID --json and bd label add",
		"linear":             elsewhere,
		"link":               "use bd dep add A B -t TYPE",
		"lint":               "use bd list --empty-description",
		"mail":               "use bd comments add",
		"memories":           "use bd create and bd search",
		"merge-slot":         "use bd update ID --claim --confirm: one of all clones gets it",
		"message":            "use bd comments add",
		"migrate":            notNeeded + "; bd import reads an old issues.jsonl",
		"migrate-hash-ids":   "not needed: ids never change",
		"migrate-issues":     byID,
		"migrate-sync":       "use bd sync --publish",
		"migrate-tombstones": "not needed: bd import reads both forms",
		"mol":                perIssue,
		"move":               byID,
		"note":               "use bd update ID --append-notes TEXT",
		"orphans":            "use git log --grep ID; bd list shows what is open",
		"pin":                "use bd update ID -s pinned",
		"ping":               "use bd daemon status",
		"preflight":          "use bd doctor",
		"priority":           "use bd update ID -p N",
		"promote":            perIssue,
		"purge":              notNeeded,
		"quickstart":         "run bd --help, or bd prime",
		"recall":             "use bd search",
		"refile":             byID,
		"relate":             "use bd dep add A B -t related",
		"remember":           "use bd create",
		"rename":             "ids never change; use bd update ID --title",
		"repair":             "use bd recover",
		"repair-deps":        "use bd dep cycles and bd dep remove; bd doctor finds the rest",
		"repo":               "use BEADS_DIR or --db",
		"resolve-conflicts":  "not needed: bd reads both sides of a conflict; bd recover lists what it could not read",
		"set-state":          "use bd update ID --remove-label OLD --add-label NEW",
		"setup":              "use bd onboard, which tells agents about bd in AGENTS.md",
		"ship":               "use bd close ID",
		"slot":               agents,
		"sql":                "use bd query EXPR, or open the database read-only with sqlite3",
		"state":              "use bd label list ID",
		"swarm":              "use bd graph and bd ready --parent ID",
		"tag":                "use bd label add ID LABEL",
		"template":           perIssue,
		"thanks":             "the authors are in Git's history",
		"todo":               "use bd q TITLE and bd list",
		"unpin":              "use bd update ID -s open",
		"unrelate":           "use bd dep remove A B",
		"upgrade":            "install a newer bd; bd version says which this is",
		"validate":           "use bd doctor",
		"vc":                 "use bd history ID",
		"wisp":               perIssue,
		"worktree":           "use git worktree; every worktree shares one workspace",
	}
}

// unknownCommand answers a name that is no command: with the replacement if it
// is one of upstream's, else with what is spelled alike.
func unknownCommand(cmd *cobra.Command, name string) error {
	f := usagef("unknown command %q for %q", name, cmd.CommandPath())
	f.code = "unknown_command"
	path := strings.TrimPrefix(cmd.CommandPath()+" "+name, "bd ")
	if instead, ok := replacements()[path]; ok {
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
