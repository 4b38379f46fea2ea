package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/projection"
	"beads/internal/routes"
	"beads/internal/workspace"
)

// elsewhere ends an attempt in this workspace: the id is not here, and a route
// says where it is. It wraps the error that says so.
type elsewhere struct {
	route routes.Route
	input string // the id as typed
	err   error
}

func (e *elsewhere) Error() string { return e.err.Error() }
func (e *elsewhere) Unwrap() error { return e.err }

// apart is the error for an id that is not where the command was routed to.
func (e *elsewhere) apart(input string) error {
	return failf("several_workspaces", "%s is not in the workspace that %s is routed to", input, e.input).
		withHint("one command works on one workspace, and dependencies do not lead from one to another: a command for each")
}

// routing is what routes.jsonl says, and the prefixes that it has no say in.
type routing struct {
	routes.Table
	own []routes.Route // the workspace's own prefixes, the old ones too
}

// owns reports whether an id begins with one of the workspace's own prefixes.
func (r *routing) owns(id string) bool {
	return slices.ContainsFunc(r.own, func(own routes.Route) bool { return own.Takes(id) })
}

// match finds the route for an id. One that the workspace owns has none, whatever
// the file says.
func (r *routing) match(id string) (routes.Route, bool) {
	if r.owns(id) {
		return routes.Route{}, false
	}
	return r.Match(id)
}

// readRouting reads the routes of the workspace at place, which q sees.
func (a *app) readRouting(q *projection.Query, place workspace.Place) (*routing, error) {
	settings, err := q.Settings()
	if err != nil {
		return nil, err
	}
	r := &routing{Table: a.readRoutes(place)}
	for _, prefix := range append(settings.Aliases(), settings.Prefix()) {
		r.own = append(r.own, routes.Route{Prefix: prefix + "-"})
	}
	return r, nil
}

// findRoute ends with an elsewhere error if an id that is not in this workspace
// has a route, else with missing, which says that it is not here.
func (a *app) findRoute(q *projection.Query, input string, missing error) error {
	if a.routing == nil {
		found, err := a.readRouting(q, a.ws.Place())
		if err != nil {
			return err
		}
		a.routing = found
	}
	if route, ok := a.routing.match(input); ok {
		return &elsewhere{route, input, missing}
	}
	if n := a.routing.Broken; n > 0 {
		a.notice(fmt.Sprintf("%s of %s cannot be used (see: bd where)", plural(n, "line", "lines"), routes.FileName))
	}
	return missing
}

// routedTo reports whether an id has a route to the workspace that this command
// was routed to.
func (a *app) routedTo(id string) bool {
	route, ok := a.routing.match(id)
	return ok && route.Path == a.routed.route.Path
}

// readRoutes reads the routes of the workspace at place. A file that cannot be
// read is a problem of its own and fails nothing.
func (a *app) readRoutes(place workspace.Place) routes.Table {
	data, err := place.ReadRoutes(routes.FileName, a.Getenv)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return routes.Table{}
	case err != nil:
		return routes.Table{Problems: []routes.Problem{{Reason: err.Error()}}, Broken: 1}
	}
	return routes.Parse(data)
}

// inWorkspace runs an attempt in this workspace, and once more where the route of
// an id leads. No route is followed from there, so there are no loops. Nothing is
// locked any more when the second attempt begins, and whatever run prints or
// keeps, it does after it has resolved its ids.
func (a *app) inWorkspace(ctx context.Context, run func(*workspace.Workspace) error) error {
	w, err := a.open(ctx)
	if err != nil {
		return err
	}
	err = run(w)
	var e *elsewhere
	if a.routed != nil || !errors.As(err, &e) {
		return err
	}
	if err := a.follow(ctx, e); err != nil {
		return err
	}
	return run(a.ws)
}

// follow goes to the workspace that e's route leads to, for the rest of the run.
func (a *app) follow(ctx context.Context, e *elsewhere) error {
	place, err := a.destination(a.ws.Place(), e.route)
	if err != nil {
		return failf("route", "%s is routed to %s (%s:%d): %w", e.input, e.route.Path, routes.FileName, e.route.Line, err).
			withHint("bd where -v shows the routes")
	}
	w, err := workspace.Open(ctx, place, a.options(place))
	if err != nil {
		return err
	}
	a.notice("routed to " + place.Dir)
	left := a.ws
	a.ws, a.routed = w, e
	a.forgetLayers() // the settings of that workspace count now
	return left.Close()
}

// lead follows the route of ids that have one, before what is not to be tried in
// the wrong workspace. Whatever else is wrong with them the attempt will say.
func (a *app) lead(cmd *cobra.Command, inputs []string) error {
	return a.view(cmd, func(q *projection.Query) error {
		_, err := a.resolveAll(q, inputs, true)
		var e *elsewhere
		if errors.As(err, &e) {
			return err
		}
		return nil
	})
}

// destination is where a route leads, if that is a workspace that may be worked
// on (workspace.Place.Neighbour).
func (a *app) destination(from workspace.Place, route routes.Route) (workspace.Place, error) {
	if route.Problem != "" {
		return workspace.Place{}, errors.New(route.Problem)
	}
	return from.Neighbour(route.Path, a.Getenv)
}

// routeJSON is one line of routes.jsonl in bd where --json: a route and where it
// leads, or what is wrong with it.
type routeJSON struct {
	Prefix    string `json:"prefix,omitempty"`
	Path      string `json:"path,omitempty"`
	Line      int    `json:"line"`
	Workspace string `json:"workspace,omitempty"`
	Problem   string `json:"problem,omitempty"`
}

// routesJSON looks where every route leads, and lists what cannot be read behind
// them.
func (a *app) routesJSON(place workspace.Place, table routes.Table) []routeJSON {
	var found []routeJSON
	told := map[int]bool{}
	for _, r := range table.Routes {
		shown := routeJSON{Prefix: r.Prefix, Path: r.Path, Line: r.Line}
		if r.Own() {
			shown.Workspace = place.Dir
		} else if to, err := a.destination(place, r); err != nil {
			shown.Problem = err.Error()
		} else {
			shown.Workspace = to.Dir
		}
		told[r.Line] = r.Problem != ""
		found = append(found, shown)
	}
	for _, p := range table.Problems {
		if !told[p.Line] {
			found = append(found, routeJSON{Line: p.Line, Problem: p.Reason})
		}
	}
	return found
}

// text is the line for people.
func (r routeJSON) text() string {
	switch {
	case r.Prefix == "" && r.Line == 0:
		return routes.FileName + ": " + r.Problem
	case r.Prefix == "":
		return fmt.Sprintf("%s:%d: %s", routes.FileName, r.Line, r.Problem)
	case r.Problem != "":
		return fmt.Sprintf("%s:%d: %s -> %s: %s", routes.FileName, r.Line, r.Prefix, r.Path, r.Problem)
	}
	return fmt.Sprintf("%s -> %s (%s)", r.Prefix, r.Path, r.Workspace)
}

// routes checks that every route leads somewhere. Without a routes.jsonl there
// is nothing to say.
func (d *doctor) routes(q *projection.Query, place workspace.Place) error {
	found, err := d.app.readRouting(q, place)
	if err != nil || len(found.Routes) == 0 && found.Broken == 0 {
		return err
	}
	var problems []string
	for _, r := range d.app.routesJSON(place, found.Table) {
		switch {
		case r.Problem != "":
			problems = append(problems, r.text())
		case r.Path != "." && found.owns(r.Prefix+"x"):
			problems = append(problems, fmt.Sprintf("%s:%d: %s begins this workspace's own ids, which are never routed", routes.FileName, r.Line, r.Prefix))
		}
	}
	if more := found.Broken - len(found.Problems); more > 0 {
		problems = append(problems, fmt.Sprintf("and %d more lines", more))
	}
	if len(problems) > 0 {
		d.add("routes", checkWarning, "edit "+place.Dir+"/"+routes.FileName, "%s", strings.Join(problems, "; "))
	} else {
		d.add("routes", checkOK, "", "%s to a workspace", plural(len(found.Routes), "route leads", "routes lead"))
	}
	return nil
}
