package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
)

// completionLimit is how many values a completion offers at most. Nobody reads
// more, and a shell that is to show them is slow.
const completionLimit = 500

// completer offers values that begin with typed. A completion never fails and
// never writes: a shell has no use for an error, and nobody asked for anything
// yet.
type completer = func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective)

// completing reports whether a shell asks, which is the only time when the
// completions of flags are needed.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// completeIDs offers the ids of issues that are not closed, with their titles.
func (a *app) completeIDs(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.idsOf(issue.Filter{NotStatuses: []string{issue.StatusClosed}})(cmd, args, typed)
}

// idsOf offers ids of issues that filter selects, those that changed last first,
// abbreviated unless more than that has been typed. Ids that stand in the command
// line already are left out.
func (a *app) idsOf(filter issue.Filter) completer {
	return a.fromDatabase(func(q *projection.Query, args []string, typed string) ([]cobra.Completion, error) {
		filter.IDStart, filter.Sort, filter.Limit, filter.Now = typed, issue.SortUpdated, completionLimit, a.Now()
		rows, err := q.List(filter)
		if err != nil {
			return nil, err
		}
		var found []cobra.Completion
		for _, row := range rows {
			short, err := q.Short(row.ID)
			if err != nil {
				return nil, err
			}
			if !strings.HasPrefix(short, typed) {
				short = row.ID
			}
			if !slices.Contains(args, short) && !slices.Contains(args, row.ID) {
				found = append(found, cobra.CompletionWithDesc(short, visible(row.Title)))
			}
		}
		return found, nil
	})
}

// deletedIDs offers the ids of deleted issues.
func (a *app) deletedIDs() completer {
	return a.fromDatabase(func(q *projection.Query, args []string, typed string) ([]cobra.Completion, error) {
		rows, err := q.Deleted(typed, completionLimit)
		var found []cobra.Completion
		for _, row := range rows {
			if !slices.Contains(args, row.ID) {
				found = append(found, cobra.CompletionWithDesc(row.ID, visible(row.Title)))
			}
		}
		return found, err
	})
}

// names offers known names and those that issues have, in this order. custom
// finds what the shared settings declare; it may be nil.
func (a *app) names(of string, known []string, custom func(op.Settings) []string) completer {
	return a.fromDatabase(func(q *projection.Query, _ []string, _ string) ([]cobra.Completion, error) {
		names := slices.Clone(known)
		if custom != nil {
			settings, err := q.Settings()
			if err != nil {
				return nil, err
			}
			names = append(names, custom(settings)...)
		}
		used, err := q.Names(of, completionLimit)
		for _, name := range used {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names, err
	}, known...)
}

// words offers the same values everywhere.
func words(values ...string) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// nothing keeps a shell from offering files where none is meant.
func nothing(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// fromDatabase offers what fn finds and fits. Where there is no database to be
// had it offers otherwise.
func (a *app) fromDatabase(fn func(q *projection.Query, args []string, typed string) ([]cobra.Completion, error), otherwise ...string) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		a.quiet, a.readonly = true, true
		var found []cobra.Completion
		err := a.view(cmd, func(q *projection.Query) (err error) {
			found, err = fn(q, args, typed)
			return err
		})
		if err != nil {
			found = otherwise
		}
		found = slices.DeleteFunc(slices.Clone(found), func(c cobra.Completion) bool {
			return !strings.HasPrefix(c, typed) || strings.ContainsAny(c, "\n")
		})
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// several lets complete offer the last of several values with commas.
func several(complete completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		comma := strings.LastIndexByte(typed, ',') + 1
		before := strings.Split(typed[:comma], ",")
		values, directive := complete(cmd, args, typed[comma:])
		var found []cobra.Completion
		for _, value := range values {
			name, _, _ := strings.Cut(value, "\t")
			if !slices.Contains(before, name) {
				found = append(found, typed[:comma]+value)
			}
		}
		return found, directive
	}
}

// each offers for the first argument what the first of completers does, and so
// on. What comes after the last gets nothing.
func each(completers ...completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) < len(completers) {
			return completers[len(args)](cmd, args, typed)
		}
		return nothing(cmd, args, typed)
	}
}
