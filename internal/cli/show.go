package cli

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func newShow(a *app) *cobra.Command {
	var short bool
	cmd := &cobra.Command{
		Use:     "show ID…",
		Aliases: []string{"view"},
		Short:   "Show issues whole",
		Long:    "Show issues with their dependencies, what depends on them, labels and comments.",
		Example: `  bd show bd-x7k2
  bd show bd-x7k2 bd-m9q4 --json`,
		Args:              arguments(1, -1, "one or more IDs"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				ids, err := a.resolveAll(q, args, false)
				if err != nil {
					return err
				}
				found, err := issues(q, ids)
				if err != nil {
					return err
				}
				if a.json {
					return a.showJSON(q, found)
				}
				for n, i := range found {
					if short {
						a.printf("%s\n", a.compactLine(q, i, false))
						continue
					}
					if n > 0 {
						a.printf("\n%s\n\n", a.paint(dim, strings.Repeat(a.symbols().horizontal, 8)))
					}
					if err := a.showIssue(q, i); err != nil {
						return err
					}
				}
				return nil
			})
		}),
	}
	cmd.Flags().BoolVar(&short, "short", false, "one line for each issue")
	accepted(cmd, "long", "thread", "refs", "local-time")
	return cmd
}

// showJSON prints whole issues: their dependencies and dependents as issues
// with the type of the dependency.
func (a *app) showJSON(q *projection.Query, found []issue.Issue) error {
	objects := make([]json.RawMessage, 0, len(found))
	local, err := a.ws.Local()
	if err != nil {
		return err
	}
	for _, i := range found {
		dependencies, err := q.Dependencies(i.ID)
		if err != nil {
			return err
		}
		dependents, err := q.Dependents(i.ID)
		if err != nil {
			return err
		}
		on, err := linksJSON(dependencies)
		if err != nil {
			return err
		}
		by, err := linksJSON(dependents)
		if err != nil {
			return err
		}
		labels, comments := i.Labels, commentsJSON(i.ID, i.Comments)
		i.Labels, i.Dependencies, i.Comments = nil, nil, nil
		members := []member{{"labels", list(labels)}, {"dependencies", on}, {"dependents", by}, {"comments", comments}}
		if lost := slices.IndexFunc(local.Lost, func(l workspace.LostClaim) bool { return l.Issue == i.ID }); lost >= 0 {
			members = append(members, member{"claim", local.Lost[lost]})
		}
		object, err := withMembers(i, members...)
		if err != nil {
			return err
		}
		objects = append(objects, object)
	}
	return a.printJSON(objects)
}

// linksJSON are the issues at the other ends.
func linksJSON(links []projection.Link) ([]json.RawMessage, error) {
	objects := make([]json.RawMessage, 0, len(links))
	for _, link := range links {
		object, err := linkJSON(link)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// linkJSON is the issue at the other end with the type of the dependency and more
// members; of one that is deleted or not yet known only the id.
func linkJSON(link projection.Link, more ...member) (json.RawMessage, error) {
	kind := member{"dependency_type", link.Type}
	if link.Visible {
		return withMembers(link.Issue, append([]member{kind}, more...)...)
	}
	return object(append([]member{{"id", link.Issue.ID}, kind, {"missing", true}}, more...)...)
}
