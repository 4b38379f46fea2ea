package projection

import (
	"slices"
	"strings"
)

// graph is a directed graph of issues.
type graph struct {
	number map[string]int
	names  []string
	next   [][]int
}

func (g *graph) node(name string) int {
	n, ok := g.number[name]
	if !ok {
		n = len(g.names)
		g.number[name] = n
		g.names = append(g.names, name)
		g.next = append(g.next, nil)
	}
	return n
}

func (g *graph) edge(from, to string) {
	f, t := g.node(from), g.node(to)
	g.next[f] = append(g.next[f], t)
}

// cycles covers every node that is on a cycle: in each strongly connected
// component, a shortest cycle through its smallest node, then through the
// smallest one not on a cycle listed so far, and so on.
func (g *graph) cycles() [][]string {
	component := g.components()
	size := make(map[int]int)
	for _, c := range component {
		size[c]++
	}
	order := make([]int, len(g.names))
	for n := range order {
		order[n] = n
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(g.names[a], g.names[b]) })
	covered := make([]bool, len(g.names))
	var all [][]string
	for _, n := range order {
		if covered[n] || size[component[n]] == 1 && !slices.Contains(g.next[n], n) {
			continue
		}
		cycle := g.shortestCycle(n, component)
		names := make([]string, len(cycle))
		for k, node := range cycle {
			covered[node] = true
			names[k] = g.names[node]
		}
		all = append(all, startSmallest(names))
	}
	slices.SortFunc(all, slices.Compare[[]string])
	return all
}

// startSmallest rotates a cycle to its smallest name.
func startSmallest(cycle []string) []string {
	least := 0
	for n := range cycle {
		if cycle[n] < cycle[least] {
			least = n
		}
	}
	return append(slices.Clone(cycle[least:]), cycle[:least]...)
}

// shortestCycle walks breadth-first within the component of start until it
// comes back.
func (g *graph) shortestCycle(start int, component []int) []int {
	cameFrom := map[int]int{}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, to := range g.next[at] {
			if to == start {
				cycle := []int{}
				for n := at; n != start; n = cameFrom[n] {
					cycle = append(cycle, n)
				}
				cycle = append(cycle, start)
				slices.Reverse(cycle)
				return cycle
			}
			if _, seen := cameFrom[to]; !seen && component[to] == component[start] {
				cameFrom[to] = at
				queue = append(queue, to)
			}
		}
	}
	return []int{start}
}

// components numbers the strongly connected components (Tarjan, "Depth-first
// search and linear graph algorithms", 1972), with a stack of its own: a chain
// of dependencies can be as long as the tracker is large.
func (g *graph) components() []int {
	const unseen = -1
	var (
		index     = make([]int, len(g.names)) // order of discovery
		low       = make([]int, len(g.names)) // earliest node reachable on the stack
		component = make([]int, len(g.names))
		onStack   = make([]bool, len(g.names))
		stack     []int
		found     int
		numbered  int
	)
	for n := range index {
		index[n] = unseen
	}
	type frame struct{ node, edge int }
	enter := func(n int) frame {
		index[n], low[n] = found, found
		found++
		stack = append(stack, n)
		onStack[n] = true
		return frame{node: n}
	}
	for root := range g.names {
		if index[root] != unseen {
			continue
		}
		for calls := []frame{enter(root)}; len(calls) > 0; {
			top := &calls[len(calls)-1]
			n := top.node
			if top.edge < len(g.next[n]) {
				to := g.next[n][top.edge]
				top.edge++
				if index[to] == unseen {
					calls = append(calls, enter(to))
				} else if onStack[to] {
					low[n] = min(low[n], index[to])
				}
				continue
			}
			if low[n] == index[n] {
				for {
					member := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					onStack[member] = false
					component[member] = numbered
					if member == n {
						break
					}
				}
				numbered++
			}
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				caller := calls[len(calls)-1].node
				low[caller] = min(low[caller], low[n])
			}
		}
	}
	return component
}
