package graph

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func node(id string) Node {
	return Node{ID: id, Title: "Title of " + id, Status: "open", Type: "task", Priority: 2}
}

func blocks(from, to string) Edge { return Edge{From: from, To: to, Type: "blocks", Orders: true} }

// diamond: b and c wait for a, d for both; e is related to a.
func diamond() Graph {
	return Graph{
		Nodes: []Node{node("d"), node("b"), node("a"), node("c"), node("e")},
		Edges: []Edge{blocks("b", "a"), blocks("c", "a"), blocks("d", "b"), blocks("d", "c"), {From: "e", To: "a", Type: "related"}, blocks("a", "elsewhere")},
	}
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := diamond().Text(&b); err != nil {
		t.Fatal(err)
	}
	want := `Step 1
  a  P2  open         Title of a
  e  P2  open         Title of e
     related a

Step 2
  b  P2  open         Title of b
     after a
  c  P2  open         Title of c
     after a

Step 3
  d  P2  open         Title of d
     after b, after c
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestDOTAndMermaidEscape(t *testing.T) {
	g := Graph{Nodes: []Node{{ID: `x"\`, Title: "a \"b\" <c> [d] | `e` #f", Status: "closed"}, node("y")}, Edges: []Edge{blocks("y", `x"\`)}}
	var dot, mermaid strings.Builder
	if err := g.DOT(&dot); err != nil {
		t.Fatal(err)
	}
	if err := g.Mermaid(&mermaid); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dot.String(), `"x\"\\" -> "y" [style=solid, tooltip="blocks"]`) {
		t.Error(dot.String())
	}
	if !strings.Contains(mermaid.String(), "a #quot;b#quot; #lt;c#gt; #91;d#93; #124; #96;e#96; #35;f") || !strings.Contains(mermaid.String(), "n0 --> n1") {
		t.Error(mermaid.String())
	}
}

// generate draws a graph that may have cycles and lead out of itself.
func generate(t *rapid.T) Graph {
	var g Graph
	n := rapid.IntRange(0, 25).Draw(t, "nodes")
	for k := range n {
		g.Nodes = append(g.Nodes, Node{ID: fmt.Sprint("n", k), Title: rapid.StringMatching(`[a-z <&"']{0,80}`).Draw(t, "title"), Status: "open"})
	}
	for range rapid.IntRange(0, 40).Draw(t, "edges") {
		pick := rapid.IntRange(0, n)
		g.Edges = append(g.Edges, Edge{From: fmt.Sprint("n", pick.Draw(t, "from")), To: fmt.Sprint("n", pick.Draw(t, "to")),
			Type: "blocks", Orders: rapid.IntRange(0, 4).Draw(t, "orders") > 0})
	}
	return g
}

// Without the edges that close a cycle, everything stands behind what it waits
// for; and no two boxes of a rank overlap.
func TestLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		l := newLayout(g)
		for _, e := range acyclic(len(g.Nodes), l.edges) {
			if l.rank[e.then] <= l.rank[e.first] {
				t.Fatalf("%s is in rank %d and waits for %s in rank %d", e.From, l.rank[e.then], e.To, l.rank[e.first])
			}
		}
		for _, rank := range l.ranks {
			for n := range rank[:max(len(rank)-1, 0)] {
				if gap := l.row[rank[n+1]] - l.row[rank[n]]; gap < 0.999 {
					t.Fatalf("two points of one rank are %f rows apart", gap)
				}
			}
		}
		again := newLayout(g)
		if !slices.Equal(l.row, again.row) {
			t.Fatal("the same graph was laid out otherwise")
		}
	})
}

// A part that other parts lead to needs no line of its own from the parent; a
// part that nothing else leads to, and any other kind of line, keeps it.
func TestImpliedLines(t *testing.T) {
	g := Graph{Nodes: []Node{{ID: "epic"}, {ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "alone"}}}
	for _, e := range []string{"a epic parent-child", "b epic parent-child", "c epic parent-child", "alone epic parent-child", "b a blocks", "c b blocks", "c a blocks"} {
		f := strings.Fields(e)
		g.Edges = append(g.Edges, Edge{From: f[0], To: f[1], Type: f[2], Orders: true})
	}
	var drawn []string
	for _, e := range newLayout(g).edges {
		drawn = append(drawn, e.From+" "+e.To)
	}
	slices.Sort(drawn)
	if want := []string{"a epic", "alone epic", "b a", "c a", "c b"}; !slices.Equal(drawn, want) {
		t.Errorf("drawn %q, want %q", drawn, want)
	}
}

// A chain whose members all wait for the first, too.
func TestBendsAreBounded(t *testing.T) {
	const n = 1000
	var g Graph
	for k := range n {
		id := fmt.Sprint("n", k)
		g.Nodes = append(g.Nodes, node(id))
		if k > 0 {
			g.Edges = append(g.Edges, blocks(id, fmt.Sprint("n", k-1)), blocks(id, "n0"))
		}
	}
	l := newLayout(g)
	if l.count > n+50_000 {
		t.Errorf("%d points", l.count)
	}
	if len(l.ways) != len(l.edges) {
		t.Errorf("%d ways for %d edges", len(l.ways), len(l.edges))
	}
}

func TestSVGIsXML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		var b strings.Builder
		if err := g.SVG(&b); err != nil {
			t.Fatal(err)
		}
		decoder, boxes := xml.NewDecoder(strings.NewReader(b.String())), 0
		for {
			token, err := decoder.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, b.String())
			}
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "g" {
				boxes++
			}
		}
		if boxes != len(g.Nodes) {
			t.Fatalf("%d boxes for %d issues", boxes, len(g.Nodes))
		}
	})
}

func TestSpread(t *testing.T) {
	for _, test := range []struct{ wish, want []float64 }{
		{[]float64{0, 1, 2}, []float64{0, 1, 2}},
		{[]float64{1, 1}, []float64{0.5, 1.5}},
		{[]float64{5, 0, 9}, []float64{2, 3, 9}},
		{[]float64{3, 3, 3}, []float64{2, 3, 4}},
		{nil, nil},
	} {
		got := slices.Clone(test.wish)
		spread(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%v becomes %v, want %v", test.wish, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for title, want := range map[string][]string{
		"short": {"short"},
		"a title that is longer than one line can hold": {"a title that is longer than", "one line can hold"},
		strings.Repeat("x", 40):                         {strings.Repeat("x", 29) + "…"},
		"":                                              {""},
	} {
		if got := wrap(title, 30); !slices.Equal(got, want) {
			t.Errorf("%q wraps to %q, want %q", title, got, want)
		}
	}
}
