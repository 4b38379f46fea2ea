package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"beads/internal/projection"
	"beads/internal/routes"
	"beads/internal/workspace"
)

// whereJSON is what bd where --json prints, and a part of bd info's.
type whereJSON struct {
	Path     string `json:"path"`
	Database string `json:"database_path"`
	Log      string `json:"log_path"`
	Guard    string `json:"guard_path,omitempty"`
	Source   string `json:"import_source,omitempty"`
	ChosenBy string `json:"chosen_by,omitempty"`
}

func whereOf(place workspace.Place) whereJSON {
	return whereJSON{place.Dir, place.DB, place.LogPath(), place.GuardPath(), place.Source, place.Explicit}
}

func newWhere(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "where [ID]",
		Short: "Print the directory of the workspace, or of an issue's",
		Long: `Print the directory of the workspace; with -v also the routes to others, which stand
in routes.jsonl there. With an ID, print the workspace that a command on that issue
works on, its database, the prefix of its ids, and the route that leads there, if one
does.`,
		Example: `  ls -l $(bd where)
  bd where gt-x7k2`,
		Args:              arguments(0, 1, "at most one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.whereIs(cmd, args[0])
			}
			return a.where()
		},
	}
}

// where shows this workspace and opens nothing.
func (a *app) where() error {
	place, err := a.existing()
	if err != nil {
		return err
	}
	table := a.readRoutes(place)
	if a.json {
		return a.printJSON(struct {
			whereJSON
			Routes []routeJSON `json:"routes,omitempty"`
		}{whereOf(place), a.routesJSON(place, table)})
	}
	a.printf("%s\n", visible(place.Dir))
	if a.verbose {
		for _, r := range a.routesJSON(place, table) {
			a.printf("%s\n", visible(r.text()))
		}
		return nil
	}
	for _, p := range table.Problems {
		a.notice(p.String())
	}
	return nil
}

// whereIs shows the workspace that a command on an issue works on. It goes the
// way of every command, so that it cannot say anything else than they do. That no
// issue is there matters to them, not to the question.
func (a *app) whereIs(cmd *cobra.Command, input string) error {
	if input == "" {
		return failf("not_found", "an issue id must not be empty")
	}
	if err := a.lead(cmd, []string{input}); err != nil {
		return err
	}
	var prefix string
	err := a.view(cmd, func(q *projection.Query) error {
		settings, err := q.Settings()
		prefix = settings.Prefix()
		return err
	})
	if err != nil {
		return err
	}
	place := a.ws.Place()
	var route *routeJSON
	if a.routed != nil {
		r := a.routed.route
		route = &routeJSON{Prefix: r.Prefix, Path: r.Path, Line: r.Line}
	}
	if a.json {
		return a.printJSON(struct {
			whereJSON
			Prefix string     `json:"prefix"`
			Route  *routeJSON `json:"route,omitempty"`
		}{whereOf(place), prefix, route})
	}
	a.printf("%s\ndatabase  %s\nprefix    %s\n", visible(place.Dir), visible(place.DB), visible(prefix))
	if route != nil {
		a.printf("route     %s\n", visible(fmt.Sprintf("%s -> %s (%s:%d)", route.Prefix, route.Path, routes.FileName, route.Line)))
	}
	return nil
}
