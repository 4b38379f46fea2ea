package graph

import (
	"cmp"
	"math"
	"slices"
)

// How often the order within ranks, and the positions, are improved.
const sweeps = 12

// layout is where everything is drawn. Positions are in rows; a rank is a column.
type layout struct {
	rank  []int
	row   []float64
	edges []edge
	ways  [][]int // of each edge: the points it goes through, first and last are its nodes
	count int     // of points: the nodes, then the bends of long edges
	ranks [][]int // points by rank, in order
	near  [][]int // of each point: its neighbours in the ranks beside it
}

func newLayout(g Graph) *layout {
	l := &layout{edges: g.index(), count: len(g.Nodes)}
	l.rank = ranks(len(g.Nodes), l.edges)
	l.edges = l.withoutImplied()
	l.bend()
	l.ranks = make([][]int, slices.Max(append(l.rank, 0))+1)
	for n, rank := range l.rank {
		l.ranks[rank] = append(l.ranks[rank], n)
	}
	l.order()
	l.place()
	return l
}

// withoutImplied leaves out the lines from a parent over several ranks to a part
// that is reached by way of another part, too: an epic whose parts follow one
// another would be drowned in lines that run beside them.
func (l *layout) withoutImplied() []edge {
	next := make([][]int, l.count)
	for _, e := range l.edges {
		if e.Orders && l.rank[e.first] < l.rank[e.then] {
			next[e.first] = append(next[e.first], e.then)
		}
	}
	return slices.DeleteFunc(slices.Clone(l.edges), func(e edge) bool {
		return e.Type == "parent-child" && e.Orders && l.rank[e.then] > l.rank[e.first]+1 && l.reaches(next, e.first, e.then)
	})
}

// reaches reports whether a way of two lines or more leads from one node to
// another. Ranks ascend on every way.
func (l *layout) reaches(next [][]int, from, to int) bool {
	seen := make([]bool, l.count)
	var stack []int
	push := func(nodes []int) {
		for _, n := range nodes {
			if !seen[n] && l.rank[n] < l.rank[to] {
				seen[n] = true
				stack = append(stack, n)
			}
		}
	}
	push(next[from])
	for len(stack) > 0 {
		node := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if slices.Contains(next[node], to) {
			return true
		}
		push(next[node])
	}
	return false
}

// mostBends bounds the points of all edges: in a chain of thousands whose members all
// wait for the first, too, they would grow with the square and take gigabytes.
const mostBends = 50_000

// bend gives an edge over several ranks a point in each rank between, so that it
// finds a way between the nodes there. When there are very many, it goes straight.
func (l *layout) bend() {
	l.near = make([][]int, l.count)
	join := func(a, b int) {
		l.near[a], l.near[b] = append(l.near[a], b), append(l.near[b], a)
	}
	most := l.count + mostBends
	for _, e := range l.edges {
		way := []int{e.first}
		between := l.rank[e.then] - l.rank[e.first] - 1
		if e.Orders && between > 0 && l.count+between > most {
			l.ways = append(l.ways, append(way, e.then))
			continue
		}
		for rank := l.rank[e.first] + 1; e.Orders && rank < l.rank[e.then]; rank++ {
			point := l.count
			l.count++
			l.rank, l.near = append(l.rank, rank), append(l.near, nil)
			join(way[len(way)-1], point)
			way = append(way, point)
		}
		if e.Orders {
			join(way[len(way)-1], e.then)
		}
		l.ways = append(l.ways, append(way, e.then))
	}
}

// order sorts each rank by the mean position of its neighbours in the rank
// before, then after, and so on: the barycentre heuristic.
func (l *layout) order() {
	position := make([]float64, l.count)
	number := func(rank []int) {
		for n, point := range rank {
			position[point] = float64(n)
		}
	}
	for _, rank := range l.ranks {
		number(rank)
	}
	for sweep := range sweeps {
		for n := range l.ranks {
			side := -1
			if sweep%2 == 1 {
				n, side = len(l.ranks)-1-n, 1
			}
			mean := make(map[int]float64, len(l.ranks[n]))
			for _, point := range l.ranks[n] {
				mean[point] = l.mean(point, position, side)
			}
			slices.SortStableFunc(l.ranks[n], func(a, b int) int {
				return cmp.Compare(mean[a], mean[b])
			})
			number(l.ranks[n])
		}
	}
}

// mean is the mean position of a point's neighbours on one side (0: on both);
// its own where it has none.
func (l *layout) mean(point int, position []float64, side int) float64 {
	sum, n := 0.0, 0
	for _, other := range l.near[point] {
		if side == 0 || l.rank[other] == l.rank[point]+side {
			sum += position[other]
			n++
		}
	}
	if n == 0 {
		return position[point]
	}
	return sum / float64(n)
}

// place moves points towards their neighbours as far as the order and a distance
// of one row allow.
func (l *layout) place() {
	l.row = make([]float64, l.count)
	for _, rank := range l.ranks {
		for n, point := range rank {
			l.row[point] = float64(n)
		}
	}
	for range sweeps {
		for _, rank := range l.ranks {
			wish := make([]float64, len(rank))
			for n, point := range rank {
				wish[n] = l.mean(point, l.row, 0)
			}
			spread(wish)
			for n, point := range rank {
				l.row[point] = wish[n]
			}
		}
	}
	least := math.Inf(1)
	for _, row := range l.row {
		least = min(least, row)
	}
	for n := range l.row {
		l.row[n] -= least
	}
}

// spread is the nearest sequence, by least squares, in which every value is at
// least one greater than the one before: the pool-adjacent-violators algorithm
// on the values less their positions.
func spread(values []float64) {
	type pool struct {
		sum float64
		n   int
	}
	var pools []pool
	for n, v := range values {
		pools = append(pools, pool{v - float64(n), 1})
		for k := len(pools) - 1; k > 0 && pools[k].sum*float64(pools[k-1].n) < pools[k-1].sum*float64(pools[k].n); k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].n += pools[k].n
			pools = pools[:k]
		}
	}
	n := 0
	for _, p := range pools {
		for range p.n {
			values[n] = p.sum/float64(p.n) + float64(n)
			n++
		}
	}
}
