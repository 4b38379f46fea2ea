package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// What several of upstream's commands have instead.
const (
	insteadOfAgents     = "use bd update ID --claim and BD_SESSION; bd prime tells an agent what it has in hand"
	insteadOfMoving     = "use bd export --id ID… here and bd import there"
	insteadOfServices   = "use bd export and bd import with that service's own tools"
	insteadOfUpkeep     = "not needed: the log is kept whole, and the database is made from it"
	insteadOfTemplates  = "use bd create, bd update and bd dep add"
	insteadOfDuplicates = "use bd search, and bd duplicate A --of B"
)

// replacements are the commands of upstream 0.49 that are not here, each with
// what to do instead. A subcommand is named with its parent.
func replacements() map[string]string {
	return map[string]string{
		"admin":              "use bd doctor, bd recover and bd reset",
		"agent":              insteadOfAgents,
		"backend":            "there is one: a log, and a database that is made from it",
		"branch":             "issues are the same on every branch; use bd label add",
		"cleanup":            "use bd delete ID… --force; closed issues cost nothing",
		"compact":            insteadOfUpkeep,
		"config validate":    "use bd config list; a wrong value is refused when it is set",
		"cook":               insteadOfTemplates,
		"create-form":        "use bd create TITLE, then bd edit ID",
		"dep relate":         "use bd dep add A B -t related",
		"dep unrelate":       "use bd dep remove A B",
		"detect-pollution":   "use bd search and bd delete",
		"diff":               "use bd history ID",
		"duplicates":         insteadOfDuplicates,
		"federation":         "use bd sync",
		"formula":            insteadOfTemplates,
		"gate":               "use bd dep add and bd update --defer",
		"gitlab":             insteadOfServices,
		"human":              "run bd --help",
		"jira":               insteadOfServices,
		"kv":                 "use bd update ID --metadata JSON",
		"label propagate":    "use bd children ID --json and bd label add",
		"linear":             insteadOfServices,
		"lint":               "use bd list --empty-description",
		"mail":               "use bd comments add",
		"merge-slot":         "use bd update ID --claim --confirm: one of all clones gets it",
		"message":            "use bd comments add",
		"migrate":            insteadOfUpkeep + "; bd import reads an old issues.jsonl",
		"migrate-hash-ids":   "not needed: ids never change",
		"migrate-issues":     insteadOfMoving,
		"migrate-sync":       "use bd sync --publish",
		"migrate-tombstones": "not needed: bd import reads both forms",
		"mol":                insteadOfTemplates,
		"move":               insteadOfMoving,
		"orphans":            "use git log --grep ID; bd list shows what is open",
		"pin":                "use bd update ID -s pinned",
		"preflight":          "use bd doctor",
		"quickstart":         "run bd --help, or bd prime",
		"refile":             insteadOfMoving,
		"relate":             "use bd dep add A B -t related",
		"rename":             "ids never change; use bd update ID --title",
		"repair":             "use bd recover",
		"repair-deps":        "use bd dep cycles and bd dep remove; bd doctor finds the rest",
		"repo":               "use BEADS_DIR or --db",
		"resolve-conflicts":  "not needed: bd reads both sides of a conflict; bd recover lists what it could not read",
		"set-state":          "use bd update ID --remove-label OLD --add-label NEW",
		"setup":              "use bd onboard, which tells agents about bd in AGENTS.md",
		"ship":               "use bd close ID",
		"slot":               insteadOfAgents,
		"state":              "use bd label list ID",
		"swarm":              "use bd graph and bd ready --parent ID",
		"template":           insteadOfTemplates,
		"thanks":             "the authors are in Git's history",
		"unpin":              "use bd update ID -s open",
		"unrelate":           "use bd dep remove A B",
		"upgrade":            "install a newer bd; bd version says which this is",
		"validate":           "use bd doctor",
		"vc":                 "use bd history ID",
		"wisp":               insteadOfTemplates,
		"worktree":           "use git worktree; every worktree shares one workspace",
	}
}

// laterReplacements are replacements for commands that came and went before or
// after 0.49.
func laterReplacements() map[string]string {
	return map[string]string{
		"ado":             insteadOfServices,
		"assign":          "use bd update ID --assignee NAME",
		"backup":          "use bd export -o FILE, or bd sync --publish for a copy on the Git remote",
		"bootstrap":       "use bd init: in a clone it takes the issues from the remote",
		"bulk-move":       insteadOfMoving,
		"burn":            "use bd delete ID --force",
		"convoy":          insteadOfTemplates,
		"daemons logs":    "use bd daemon logs in that workspace",
		"daemons restart": "use bd daemon restart in that workspace",
		"daemons stop":    "use bd daemon stop in that workspace",
		"dolt":            "there is no other database; use bd sync",
		"export-obsidian": "use bd export",
		"find-duplicates": insteadOfDuplicates,
		"flatten":         insteadOfUpkeep,
		"gc":              insteadOfUpkeep,
		"github":          insteadOfServices,
		"link":            "use bd dep add A B -t TYPE",
		"memories":        "use bd create and bd search",
		"note":            "use bd update ID --append-notes TEXT",
		"ping":            "use bd daemon status",
		"priority":        "use bd update ID -p N",
		"promote":         insteadOfTemplates,
		"purge":           insteadOfUpkeep,
		"recall":          "use bd search",
		"remember":        "use bd create",
		"sql":             "use bd query EXPR, or open the database read-only with sqlite3",
		"tag":             "use bd label add ID LABEL",
		"todo":            "use bd q TITLE and bd list",
	}
}

// guesses are names that people and agents try, and that are spelled like another
// command or like none.
func guesses() map[string]string {
	return map[string]string{
		"add":      "use bd create TITLE",
		"block":    "use bd dep add ID BLOCKER",
		"claim":    "use bd update ID --claim, or bd ready --claim for the next one",
		"complete": "use bd close ID -r REASON",
		"find":     "use bd search TEXT",
		"finish":   "use bd close ID -r REASON",
		"get":      "use bd show ID",
		"next":     "use bd ready --claim",
		"release":  "use bd unclaim ID",
		"remove":   "use bd delete ID",
		"resolve":  "use bd close ID -r REASON",
		"rm":       "use bd delete ID",
		"start":    "use bd update ID --claim",
		"tree":     "use bd dep tree ID, or bd list --tree",
	}
}

// unknownCommand answers a name that is no command: with the replacement if it
// is one of upstream's, else with what is spelled alike.
func unknownCommand(cmd *cobra.Command, name string) error {
	f := usagef("unknown command %q for %q", name, cmd.CommandPath())
	f.code = "unknown_command"
	path := strings.TrimPrefix(cmd.CommandPath()+" "+name, "bd ")
	for _, known := range []map[string]string{replacements(), laterReplacements(), guesses()} {
		if instead, ok := known[path]; ok {
			return f.withHint("%s", instead)
		}
	}
	return suggest(f, cmd, name)
}

func suggest(f *failure, cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = min(2, len(name)/2) // more would make another word of it
	if alike := cmd.SuggestionsFor(name); len(alike) > 0 {
		return f.withHint("did you mean %s?", strings.Join(alike, ", "))
	}
	return f.withHint("%s --help", cmd.CommandPath())
}

// onlyParentMark marks commands that do nothing without a subcommand.
const onlyParentMark = "only-parent"

func onlyParent(cmd *cobra.Command) bool {
	_, marked := cmd.Annotations[onlyParentMark]
	return marked
}

// needSubcommand makes a parent command answer a missing or wrong subcommand:
// the one with its help, the other with an error.
func needSubcommand(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.Annotations = map[string]string{onlyParentMark: ""}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	return cmd
}
