package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
)

// dependencyTypes are the names that mean something to bd or to upstream.
func dependencyTypes() []string {
	return []string{issue.DepBlocks, issue.DepParentChild, "related", "discovered-from", "duplicates", "supersedes"}
}

// addCompletions tells the shell what the arguments and flags of every command
// take. Flags of one name take the same everywhere, but for those that are named
// with their command. What is not known here gets nothing, and files stay where
// the shell offers them by itself: after FILE, PATH and DIR.
func addCompletions(a *app, root *cobra.Command) {
	arguments := argumentCompletions(a)
	flags := flagCompletions(a)
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
		switch complete := arguments[path]; {
		case complete != nil:
			cmd.ValidArgsFunction = complete
		case cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil && !takesFiles(cmd.Use):
			cmd.ValidArgsFunction = nothing
		}
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			complete := flags[path+" --"+flag.Name]
			if complete == nil {
				complete = flags["--"+flag.Name]
			}
			if complete == nil && !takesFiles(flag.Usage) {
				complete = nothing
			}
			if complete != nil {
				_ = cmd.RegisterFlagCompletionFunc(flag.Name, complete) // only fails if it has one, which then stays
			}
		})
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
}

func takesFiles(text string) bool {
	return slices.ContainsFunc([]string{"FILE", "PATH", "DIR", "OUTPUT"}, func(s string) bool { return strings.Contains(text, s) })
}

func argumentCompletions(a *app) map[string]completer {
	open, all := a.completeIDs, a.idsOf(issue.Filter{})
	labels := several(a.names("label", nil, nil))
	oneOpen, oneAny := each(open), each(all)
	keys := each(configKeyNames)
	return map[string]completer{
		"activity": nothing, "show": all, "history": oneAny, "children": oneAny, "graph": all, "edit": oneAny, "delete": all,
		"comments": oneAny, "comments list": oneAny, "comments add": oneAny, "comments edit": oneAny, "comments delete": oneAny,
		"reopen":  a.idsOf(issue.Filter{Statuses: []string{issue.StatusClosed}}),
		"restore": a.deletedIDs(),
		"undefer": a.idsOf(issue.Filter{Where: issue.Condition{Any: []issue.Condition{
			{Test: &issue.Test{Field: "deferred", Relation: issue.Equal, Flag: true}},
			{Test: &issue.Test{Field: "status", Relation: issue.Equal, Text: issue.StatusDeferred}},
		}}}),
		"unclaim": a.idsOf(issue.Filter{Statuses: []string{issue.StatusInProgress}}),
		"dep":     oneOpen, "dep add": each(open, all), "dep remove": each(all, all), "dep list": oneAny, "dep tree": oneAny,
		"label add": idsThen(open, labels), "label remove": idsThen(all, several(a.labelsOf())), "label list": oneAny,
		"duplicate": all, "supersede": all, "where": oneAny,
		"config get": keys, "config set": each(configKeyNames, configValues), "config unset": keys,
		"hook": nothing,
	}
}

// idsThen offers ids, and from the second argument on also what may follow them.
func idsThen(ids, then completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		found, directive := ids(cmd, args, typed)
		if len(args) > 0 {
			more, _ := then(cmd, args, typed)
			found = append(more, found...)
		}
		return found, directive
	}
}

// labelsOf offers the labels of the issues that stand in the command line.
func (a *app) labelsOf() completer {
	return a.fromDatabase(func(q *projection.Query, args []string, _ string) ([]cobra.Completion, error) {
		var found []cobra.Completion
		for _, arg := range args {
			id, err := q.Resolve(arg, false)
			if err != nil {
				continue // a label, or not yet an id
			}
			labeled, err := q.Issue(id)
			if err != nil {
				return nil, err
			}
			found = append(found, labeled.Labels...)
		}
		slices.Sort(found)
		return slices.Compact(found), nil
	})
}

// without leaves one value out of what complete offers.
func without(value string, complete completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		found, directive := complete(cmd, args, typed)
		return slices.DeleteFunc(found, func(c cobra.Completion) bool { return c == value }), directive
	}
}

func flagCompletions(a *app) map[string]completer {
	ids, all := a.completeIDs, a.idsOf(issue.Filter{})
	people := a.names("assignee", nil, nil)
	labels := several(a.names("label", nil, nil))
	statuses := a.names("status", knownStatuses(), op.Settings.CustomStatuses)
	types := a.names("type", knownTypes(), op.Settings.CustomTypes)
	priorities := words("0\tmost urgent", "1", "2\tthe default", "3", "4\tsome day")
	dependencies := a.names("dependency", dependencyTypes(), nil)
	dates := words("today", "tomorrow", "+1d", "+2d", "+1w", "next week", "next month")
	later := words("tomorrow", "+1d", "+2d", "+1w", "next week", "next month")
	past := words("today", "yesterday", "-1d", "-1w", "-1m")
	found := map[string]completer{
		"--status": several(statuses), "--type": several(types), "--exclude-type": several(types), "--priority": several(priorities),
		"--priority-min": priorities, "--priority-max": priorities, "--assignee": people, "--owner": people, "--actor": people,
		"--label": labels, "--labels": labels, "--label-any": labels, "--add-label": labels, "--remove-label": labels, "--set-labels": labels,
		"--parent": ids, "--issue": all, "--id": several(all), "--depends-on": all, "--blocked-by": all, "--blocks": ids, "--of": all, "--with": all,
		"--deps": several(dependency(dependencies, all)), "--sort": words(orderNames()...), "--format": words(formats()...),
		"--due": dates, "--defer": later, "--until": later, "--since": words("10m", "1h", "1d", "1w", "today", "yesterday"), "--level": words("debug", "info", "warn", "error"),
		"update --status": statuses, "update --type": types, "update --priority": priorities,
		"create --type": types, "create --priority": priorities, "q --type": types, "q --priority": priorities,
		"dep add --type": dependencies, "dep list --type": dependencies, "activity --type": several(words(activityTypes()...)),
		"--direction": words("down", "up", "both"), "ready --sort": words("priority", "oldest"), "graph --format": words("text", "dot", "mermaid", "svg"),
		"stale --status": without(issue.StatusClosed, statuses), // it lists none that are closed
	}
	for _, of := range []string{"created", "updated", "closed"} {
		found["--"+of+"-after"], found["--"+of+"-before"] = past, past
	}
	for _, of := range []string{"due", "defer"} {
		found["--"+of+"-after"], found["--"+of+"-before"] = dates, dates
	}
	return found
}

// dependency offers type:id, as create --deps takes it, or an id alone.
func dependency(types, ids completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		kind, id, named := strings.Cut(typed, ":")
		if named {
			found, directive := ids(cmd, args, id)
			for n := range found {
				found[n] = kind + ":" + found[n]
			}
			return found, directive
		}
		found, _ := types(cmd, args, typed)
		for n := range found {
			found[n] += ":"
		}
		more, directive := ids(cmd, args, typed)
		return append(found, more...), directive | cobra.ShellCompDirectiveNoSpace
	}
}

// configKeyNames offers settings with their meanings.
func configKeyNames(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	for _, key := range configKeys() {
		found = append(found, cobra.CompletionWithDesc(key.name, key.meaning))
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// configValues offers the values of a setting that has few.
func configValues(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	for _, key := range configKeys() {
		switch {
		case key.name != args[0]:
		case key.kind == "bool":
			found = []cobra.Completion{"true", "false"}
		default:
			found = key.choices
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
