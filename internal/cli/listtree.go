package cli

import (
	"beads/internal/issue"
	"beads/internal/projection"
)

// printTree prints rows with children below their parents, in the order of the
// rows. A row whose parent is not among them stands at the left edge, and so
// does one of each ring of parents, so that nothing is hidden.
func (a *app) printTree(q *projection.Query, rows []projection.Row) {
	t := tree{a: a, q: q, shown: map[string]bool{}, children: map[string][]projection.Row{}}
	present := make(map[string]bool, len(rows))
	for _, row := range rows {
		present[row.ID] = true
	}
	var roots []projection.Row
	for _, row := range rows {
		parent := ""
		for _, d := range row.Dependencies {
			if d.Type == issue.DepParentChild && present[d.To] {
				parent = d.To
				break
			}
		}
		if parent == "" {
			roots = append(roots, row)
		} else {
			t.children[parent] = append(t.children[parent], row)
		}
	}
	for _, row := range roots {
		t.print(row, "", "")
	}
	for _, row := range rows {
		if !t.shown[row.ID] {
			t.print(row, "", "")
		}
	}
}

type tree struct {
	a        *app
	q        *projection.Query
	children map[string][]projection.Row
	shown    map[string]bool
}

// print prints row after lead, and its children after indent.
func (t *tree) print(row projection.Row, lead, indent string) {
	if t.shown[row.ID] {
		return
	}
	t.shown[row.ID] = true
	t.a.printLine(lead + t.a.compactLine(t.q, row.Issue, row.Blocked))
	signs := t.a.symbols()
	arm := signs.horizontal + signs.horizontal + " "
	children := t.children[row.ID]
	for n, child := range children {
		if n == len(children)-1 {
			t.print(child, indent+signs.last+arm, indent+"    ")
		} else {
			t.print(child, indent+signs.branch+arm, indent+signs.vertical+"   ")
		}
	}
}
