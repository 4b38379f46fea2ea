package graph

import (
	"slices"
)

// Node is one issue. Texts are printed as they are: the caller has made them fit
// for a terminal.
type Node struct {
	ID       string
	Title    string
	Status   string
	Type     string
	Priority int
	Blocked  bool
}

// Edge says that From depends on To. Orders is whether From has to wait, or is a
// part of To: such edges decide on the steps.
type Edge struct {
	From, To string
	Type     string
	Orders   bool
}

// Graph is what is drawn. Edges between nodes that are not in Nodes are left out.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// edge is an Edge by positions in Nodes: first comes before then.
type edge struct {
	first, then int
	Edge
}

// index turns edges around, into the order of work, sorted and without those that
// lead out of the graph.
func (g Graph) index() []edge {
	at := make(map[string]int, len(g.Nodes))
	for n, node := range g.Nodes {
		at[node.ID] = n
	}
	var edges []edge
	for _, e := range g.Edges {
		first, there := at[e.To]
		then, here := at[e.From]
		if there && here && first != then {
			edges = append(edges, edge{first, then, e})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int {
		if a.first != b.first {
			return a.first - b.first
		}
		return a.then - b.then
	})
	return edges
}

// ranks is the step of every node: one more than the greatest of those that come
// before it. Edges that close a cycle do not count.
func ranks(nodes int, edges []edge) []int {
	next := make([][]int, nodes)
	before := make([]int, nodes)
	for _, e := range acyclic(nodes, edges) {
		next[e.first] = append(next[e.first], e.then)
		before[e.then]++
	}
	rank := make([]int, nodes)
	var free []int
	for n := range nodes {
		if before[n] == 0 {
			free = append(free, n)
		}
	}
	for ; len(free) > 0; free = free[1:] {
		for _, then := range next[free[0]] {
			rank[then] = max(rank[then], rank[free[0]]+1)
			if before[then]--; before[then] == 0 {
				free = append(free, then)
			}
		}
	}
	return rank
}

// acyclic leaves out the ordering edges that close a cycle, found by a walk with
// a stack of its own, since chains can be long.
func acyclic(nodes int, edges []edge) []edge {
	from := make([][]int, nodes) // numbers of edges
	for n, e := range edges {
		if e.Orders {
			from[e.first] = append(from[e.first], n)
		}
	}
	const unseen, open, done = 0, 1, 2
	state := make([]int, nodes)
	var kept []edge
	type frame struct{ node, next int }
	for root := range nodes {
		if state[root] != unseen {
			continue
		}
		state[root] = open
		for stack := []frame{{root, 0}}; len(stack) > 0; {
			top := &stack[len(stack)-1]
			if top.next == len(from[top.node]) {
				state[top.node] = done
				stack = stack[:len(stack)-1]
				continue
			}
			e := edges[from[top.node][top.next]]
			top.next++
			if state[e.then] == open {
				continue // closes a cycle
			}
			kept = append(kept, e)
			if state[e.then] == unseen {
				state[e.then] = open
				stack = append(stack, frame{e.then, 0})
			}
		}
	}
	return kept
}
