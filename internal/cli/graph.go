package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/graph"
	"beads/internal/issue"
	"beads/internal/projection"
)

func newGraph(a *app) *cobra.Command {
	var format string
	var all bool
	drawings := map[string]func(graph.Graph) error{
		"text":    a.drawText,
		"dot":     func(g graph.Graph) error { return g.DOT(a.out) },
		"mermaid": func(g graph.Graph) error { return g.Mermaid(a.out) },
		"svg":     func(g graph.Graph) error { return g.SVG(a.out) },
	}
	cmd := &cobra.Command{
		Use:   "graph [ID…]",
		Short: "Draw what waits for what",
		Long: `Draw issues in steps: what must be done first, then what waits for it. With ids it is
what these wait for, their parts, and what waits for them; without, every open issue
that waits or is waited for.`,
		Example: `  bd graph bd-x7k2
  bd graph bd-x7k2 --format svg > epic.svg
  bd graph --format mermaid`,
		Args:              arguments(0, -1, "ids, or nothing"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			draw := drawings[format]
			if draw == nil {
				return usagef("unknown format %q; choose one of text, dot, mermaid, svg", format)
			}
			return a.view(cmd, func(q *projection.Query) error {
				g, err := a.graph(q, args, all)
				switch {
				case err != nil:
					return err
				case a.json:
					return a.printGraphJSON(g)
				case len(g.Nodes) == 0 && format == "text":
					a.say("Nothing waits for anything.")
					return nil
				}
				return draw(g)
			})
		}),
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, dot, mermaid or svg")
	cmd.Flags().BoolVar(&all, "all", false, "without ids: closed issues too")
	return cmd
}

// drawText prints a drawing in lines that fit the terminal.
func (a *app) drawText(g graph.Graph) error {
	var text strings.Builder
	if err := g.Text(&text); err != nil {
		return err
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text.String(), "\n"), "\n") {
		a.printLine(line)
	}
	return nil
}

// graph collects the issues to draw and all dependencies between them.
func (a *app) graph(q *projection.Query, args []string, all bool) (graph.Graph, error) {
	var rows []projection.Row
	var err error
	if len(args) > 0 {
		rows, err = a.around(q, args)
	} else {
		filter := issue.Filter{}
		if !all {
			filter.NotStatuses = []string{issue.StatusClosed}
		}
		rows, err = q.List(filter)
	}
	if err != nil {
		return graph.Graph{}, err
	}
	if len(args) == 0 {
		rows = connected(rows)
	}
	var g graph.Graph
	short, visible := map[string]string{}, visible
	if a.json { // which escapes by itself
		visible = func(s string) string { return s }
	}
	for _, row := range rows {
		short[row.ID] = visible(a.shortID(q, row.ID))
		g.Nodes = append(g.Nodes, graph.Node{
			ID: short[row.ID], Title: visible(row.Title), Status: visible(row.Status), Type: visible(row.Type),
			Priority: row.Priority, Blocked: row.Blocked,
		})
	}
	for _, row := range rows {
		for _, d := range row.Dependencies {
			if to, in := short[d.To]; in {
				g.Edges = append(g.Edges, graph.Edge{From: short[row.ID], To: to, Type: visible(d.Type), Orders: orders(d.Type)})
			}
		}
	}
	return g, nil
}

// around are the issues named, what they wait for, what waits for them or is a
// part of them, and what those parts wait for directly.
func (a *app) around(q *projection.Query, args []string) ([]projection.Row, error) {
	ids, err := a.resolveAll(q, args, false)
	if err != nil {
		return nil, err
	}
	found := slices.Clone(ids)
	walk := func(from []string, links func(string) ([]projection.Link, error), far bool) ([]string, error) {
		seen := slices.Clone(from)
		known := map[string]bool{}
		for _, id := range from {
			known[id] = true
		}
		for n := 0; n < len(seen) && (far || n < len(from)); n++ {
			next, err := links(seen[n])
			if err != nil {
				return nil, err
			}
			for _, link := range next {
				if id := link.Issue.ID; link.Visible && orders(link.Type) && !known[id] {
					known[id] = true
					seen = append(seen, id)
				}
			}
		}
		return seen, nil
	}
	down, err := walk(ids, q.BriefDependents, true)
	if err != nil {
		return nil, err
	}
	before, err := walk(down, q.BriefDependencies, false)
	if err != nil {
		return nil, err
	}
	up, err := walk(ids, q.BriefDependencies, true)
	if err != nil {
		return nil, err
	}
	found = append(append(append(found, down...), before...), up...)
	slices.Sort(found)
	return q.List(issue.Filter{IDs: slices.Compact(found)})
}

// connected leaves out the issues that neither wait nor are waited for.
func connected(rows []projection.Row) []projection.Row {
	there, linked := map[string]bool{}, map[string]bool{}
	for _, row := range rows {
		there[row.ID] = true
	}
	for _, row := range rows {
		for _, d := range row.Dependencies {
			if orders(d.Type) && there[d.To] {
				linked[row.ID], linked[d.To] = true, true
			}
		}
	}
	return slices.DeleteFunc(rows, func(row projection.Row) bool { return !linked[row.ID] })
}

// printGraphJSON prints nodes and edges for other programs to draw.
func (a *app) printGraphJSON(g graph.Graph) error {
	type node struct {
		ID       string `json:"id"`
		Title    string `json:"title"`
		Status   string `json:"status"`
		Type     string `json:"issue_type"`
		Priority int    `json:"priority"`
		Blocked  bool   `json:"blocked"`
	}
	type edge struct {
		From string `json:"issue_id"`
		To   string `json:"depends_on_id"`
		Type string `json:"type"`
	}
	out := struct {
		Nodes []node `json:"nodes"`
		Edges []edge `json:"edges"`
	}{[]node{}, []edge{}}
	for _, n := range g.Nodes {
		out.Nodes = append(out.Nodes, node{n.ID, n.Title, n.Status, n.Type, n.Priority, n.Blocked})
	}
	for _, e := range g.Edges {
		out.Edges = append(out.Edges, edge{e.From, e.To, e.Type})
	}
	return a.printJSON(out)
}
