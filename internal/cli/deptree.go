package cli

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

// The directions of dep list and dep tree.
const (
	down = "down" // what the issue depends on
	up   = "up"   // what depends on it
	both = "both"
)

func checkDirection(direction string, allowed ...string) error {
	if slices.Contains(allowed, direction) {
		return nil
	}
	return usagef("--direction %q is not one of %s", direction, strings.Join(allowed, ", "))
}

// linksOf are the links of an issue in one direction.
func linksOf(q *projection.Query, id, direction string, brief bool) ([]projection.Link, error) {
	switch {
	case direction == up && brief:
		return q.BriefDependents(id)
	case direction == up:
		return q.Dependents(id)
	case brief:
		return q.BriefDependencies(id)
	}
	return q.Dependencies(id)
}

func newDepList(a *app) *cobra.Command {
	direction, kind := down, ""
	cmd := &cobra.Command{
		Use:   "list ID",
		Short: "List what an issue depends on, or what depends on it",
		Long: `List the issues that one depends on directly, with the type of each dependency; with
--direction up, those that depend on it.`,
		Example: `  bd dep list bd-x7k2
  bd dep list bd-x7k2 --direction up -t blocks`,
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkDirection(direction, down, up, both); err != nil {
				return err
			}
			return a.view(cmd, func(q *projection.Query) error {
				id, err := a.resolve(q, args[0], false)
				if err != nil {
					return err
				}
				return a.listDependencies(q, id, direction, kind)
			})
		},
	}
	cmd.Flags().StringVar(&direction, "direction", down, "down (what it depends on), up (what depends on it) or both")
	cmd.Flags().StringVarP(&kind, "type", "t", "", "only this type")
	return cmd
}

func (a *app) listDependencies(q *projection.Query, id, direction, kind string) error {
	rows := []json.RawMessage{}
	n := 0
	for _, way := range ways(direction) {
		links, err := linksOf(q, id, way, !a.json)
		if err != nil {
			return err
		}
		links = slices.DeleteFunc(links, func(l projection.Link) bool { return kind != "" && l.Type != kind })
		n += len(links)
		if a.json {
			objects, err := linksJSON(links)
			if err != nil {
				return err
			}
			rows = append(rows, objects...)
			continue
		}
		for _, link := range links {
			a.printf("%s %s  %s\n", arrow(way), visible(link.Type), a.linkLine(q, link))
		}
	}
	if a.json {
		return a.printJSON(rows)
	}
	if n == 0 {
		a.say("No dependencies.")
	}
	return nil
}

func ways(direction string) []string {
	if direction == both {
		return []string{down, up}
	}
	return []string{direction}
}

// arrow shows a direction as people see it.
func arrow(way string) string {
	if way == up {
		return "<-"
	}
	return "->"
}

// linkLine is the issue at the end of a link, in a line.
func (a *app) linkLine(q *projection.Query, link projection.Link) string {
	if !link.Visible {
		return visible(link.Issue.ID) + " (deleted or unknown)"
	}
	return a.shortID(q, link.Issue.ID) + " [" + visible(link.Issue.Status) + "] " + visible(link.Issue.Title)
}

// treeNode is one line of a dependency tree, depth first.
type treeNode struct {
	link      projection.Link // a brief one
	parent    string
	depth     int
	way       string
	cycle     bool // its issue is its own ancestor: not followed
	repeated  bool // shown with all its dependencies above: not followed again
	truncated bool // has more beyond the depth limit
}

// maxTree bounds a tree: with every path followed, it can grow exponentially.
const maxTree = 10_000

// treeWalk collects a tree, at most limit steps deep and maxTree nodes large.
type treeWalk struct {
	q        *projection.Query
	way      string
	limit    int
	kind     string
	every    bool // follow every path, also to issues shown above
	shown    map[string]bool
	ancestor map[string]bool
	nodes    []treeNode
}

func (w *treeWalk) walk(id string, depth int) error {
	links, err := linksOf(w.q, id, w.way, true)
	if err != nil {
		return err
	}
	w.ancestor[id], w.shown[id] = true, true
	defer delete(w.ancestor, id)
	for _, link := range links {
		if w.kind != "" && link.Type != w.kind {
			continue
		}
		if depth > w.limit || len(w.nodes) == maxTree {
			w.nodes[len(w.nodes)-1].truncated = true
			return nil
		}
		target := link.Issue.ID
		node := treeNode{link: link, parent: id, depth: depth, way: w.way,
			cycle: w.ancestor[target], repeated: !w.every && w.shown[target] && !w.ancestor[target]}
		w.nodes = append(w.nodes, node)
		if node.cycle || node.repeated || !link.Visible {
			continue
		}
		if err := w.walk(target, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func newDepTree(a *app) *cobra.Command {
	direction, kind, depth, every := down, "", 50, false
	cmd := &cobra.Command{
		Use:   "tree ID",
		Short: "Show the dependencies of an issue as a tree",
		Long: `Show what an issue depends on, directly and indirectly, or with --direction up what
depends on it. An issue that was shown above is named again but not followed.`,
		Example: `  bd dep tree bd-x7k2
  bd dep tree bd-x7k2 --direction up --max-depth 2`,
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkDirection(direction, down, up, both); err != nil {
				return err
			}
			if depth < 1 || depth > 1000 {
				return usagef("--max-depth must be 1 to 1000")
			}
			return a.view(cmd, func(q *projection.Query) error {
				id, err := a.resolve(q, args[0], false)
				if err != nil {
					return err
				}
				root, err := q.Issue(id)
				if err != nil {
					return err
				}
				var nodes []treeNode
				for _, way := range ways(direction) {
					w := &treeWalk{q: q, way: way, limit: depth, kind: kind, every: every,
						shown: map[string]bool{}, ancestor: map[string]bool{}}
					if err := w.walk(id, 1); err != nil {
						return err
					}
					nodes = append(nodes, w.nodes...)
				}
				return a.showTree(q, root, nodes)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&direction, "direction", down, "down (what it depends on), up (what depends on it) or both")
	flags.StringVarP(&kind, "type", "t", "", "follow only this type")
	flags.IntVarP(&depth, "max-depth", "d", 50, "follow at most this many steps")
	flags.BoolVar(&every, "show-all-paths", false, "follow issues again that were shown above")
	return cmd
}

func (a *app) showTree(q *projection.Query, root issue.Issue, nodes []treeNode) error {
	if a.json {
		return a.treeJSON(q, root, nodes)
	}
	a.printLine(a.linkLine(q, projection.Link{Issue: root, Visible: true}))
	leads := leads(a.symbols(), nodes)
	for i, node := range nodes {
		mark := ""
		switch {
		case node.cycle:
			mark = " (cycle)"
		case node.repeated:
			mark = " (see above)"
		case node.truncated:
			mark = " " + a.symbols().ellipsis
		}
		lead := leads[i] + arrow(node.way) + " " + visible(node.link.Type) + ": "
		a.printLine(lead + a.linkLine(q, node.link) + mark)
	}
	return nil
}

// leads are the lines before the nodes: a level goes on if a later node of the same
// depth comes before one of a smaller depth. From the last node to the first, each
// alters what is known of the levels: to look ahead from each takes the cube.
func leads(signs symbols, nodes []treeNode) []string {
	all := make([]string, len(nodes))
	var goesOn []bool // by depth
	for i, node := range slices.Backward(nodes) {
		for len(goesOn) <= node.depth {
			goesOn = append(goesOn, false)
		}
		var b strings.Builder
		for depth := 1; depth < node.depth; depth++ {
			if goesOn[depth] {
				b.WriteString(signs.vertical + "  ")
			} else {
				b.WriteString("   ")
			}
		}
		if goesOn[node.depth] {
			b.WriteString(signs.branch + signs.horizontal + " ")
		} else {
			b.WriteString(signs.last + signs.horizontal + " ")
		}
		all[i] = b.String()
		goesOn[node.depth] = true
		goesOn = goesOn[:node.depth+1]
	}
	return all
}

// treeJSON prints the tree as upstream does: a flat array, depth first, the
// root first. All of an issue stands where it comes first: with its texts at each place
// a few MB of issues could make gigabytes.
func (a *app) treeJSON(q *projection.Query, root issue.Issue, nodes []treeNode) error {
	first, err := withMembers(root, member{"depth", 0}, member{"parent_id", ""}, member{"truncated", false})
	if err != nil {
		return err
	}
	rows := []json.RawMessage{first}
	met := map[string]bool{root.ID: true}
	for _, node := range nodes {
		link := node.link
		if id := link.Issue.ID; link.Visible && !met[id] {
			met[id] = true
			if link, err = q.Unabridged(link); err != nil {
				return err
			}
		}
		row, err := linkJSON(link, member{"depth", node.depth}, member{"parent_id", node.parent},
			member{"direction", node.way}, member{"truncated", node.truncated}, member{"cycle", node.cycle})
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return a.printJSON(rows)
}
