package projection

import (
	"fmt"
	"strings"
	"testing"

	"beads/internal/op"
)

func TestLinks(t *testing.T) {
	db := fixture(t)
	show := func(links []Link) string {
		var all []string
		for _, l := range links {
			all = append(all, fmt.Sprintf("%s %s %q %t", l.Type, l.Issue.ID, l.Issue.Title, l.Visible))
		}
		return strings.Join(all, ", ")
	}
	for id, want := range map[string][2]string{
		"bd-child": {`parent-child bd-epic "The Epic" true, related bd-nowhere "" false`, ""},
		"bd-epic":  {`blocks bd-blocker "blocker" true`, `parent-child bd-child "A child" true, parent-child bd-done "finished" true`},
		"bd-other": {`blocks bd-done "finished" true, blocks bd-gone "" false`, ""},
		"bd-gone":  {"", `blocks bd-other "other" true`},
	} {
		down := show(ask(t, db, func(q *Query) ([]Link, error) { return q.Dependencies(id) }))
		up := show(ask(t, db, func(q *Query) ([]Link, error) { return q.Dependents(id) }))
		brief := show(ask(t, db, func(q *Query) ([]Link, error) { return q.BriefDependencies(id) })) +
			show(ask(t, db, func(q *Query) ([]Link, error) { return q.BriefDependents(id) }))
		if brief != down+up {
			t.Errorf("%s: in brief %s", id, brief)
		}
		if down != want[0] || up != want[1] {
			t.Errorf("%s: depends on %s; dependents %s", id, down, up)
		}
	}
}

func TestPath(t *testing.T) {
	db := fixture(t)
	for name, c := range map[string]struct{ from, to, want string }{
		"two steps":        {"bd-child", "bd-blocker", "bd-child bd-epic bd-blocker"},
		"none":             {"bd-blocker", "bd-child", ""},
		"not by related":   {"bd-child", "bd-nowhere", ""},
		"itself":           {"bd-epic", "bd-epic", "bd-epic"},
		"from one unknown": {"bd-none", "bd-epic", ""},
	} {
		path := ask(t, db, func(q *Query) ([]string, error) { return q.Path(c.from, c.to) })
		if got := strings.Join(path, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestCycles(t *testing.T) {
	for name, c := range map[string]struct{ edges, want string }{
		"none":               {"a>b b>c a>c", "[]"},
		"itself":             {"a>a", "[[a]]"},
		"two and three":      {"a>b b>a z>y y>x x>z", "[[a b] [x z y]]"},
		"mixed types":        {"a>b b-c c>a", "[[a b c]]"},
		"overlapping":        {"a>b b>a b>c c>b", "[[a b] [b c]]"},
		"a tail is on none":  {"a>b b>c c>b", "[[b c]]"},
		"through the hidden": {"a>b b>gone gone>a", "[]"},
		"related is no edge": {"a~b b~a", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t)
			kinds := map[byte]string{'>': "blocks", '-': "parent-child", '~': "related"}
			apply(t, db, operation(90, "create", "gone"), operation(91, "delete", "gone"))
			n := 0
			for edge := range strings.FieldsSeq(c.edges) {
				n++
				mark := strings.IndexAny(edge, ">-~")
				o := operation(n, "create", edge[:mark])
				o.Add = &op.Elements{Deps: []op.Dep{{To: edge[mark+1:], Type: kinds[edge[mark]]}}}
				apply(t, db, o)
			}
			if got := fmt.Sprint(ask(t, db, (*Query).Cycles)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A chain as long as a tracker is large needs no stack.
func TestCycleOfMany(t *testing.T) {
	const length = 200_000
	g := graph{number: make(map[string]int)}
	name := func(n int) string { return fmt.Sprintf("%06d", n%length) }
	for n := range length {
		g.edge(name(n), name(n+1))
	}
	cycles := g.cycles()
	if len(cycles) != 1 || len(cycles[0]) != length || cycles[0][0] != name(0) {
		t.Errorf("%d cycles", len(cycles))
	}
}
