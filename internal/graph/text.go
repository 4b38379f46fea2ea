package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Text writes the steps one below the other, each issue with what it waits for.
func (g Graph) Text(w io.Writer) error {
	edges := g.index()
	rank := ranks(len(g.Nodes), edges)
	after := make([][]string, len(g.Nodes))
	width := 0
	for n, node := range g.Nodes {
		width = max(width, len(node.ID))
		for _, e := range edges {
			if e.then == n {
				after[n] = append(after[n], e.label()+" "+e.To)
			}
		}
	}
	var b strings.Builder
	for step := range slices.Max(append(slices.Clone(rank), 0)) + 1 {
		if step > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "Step %d\n", step+1)
		for n, node := range g.Nodes {
			if rank[n] != step {
				continue
			}
			fmt.Fprintf(&b, "  %-*s  P%d  %-11s  %s\n", width, node.ID, node.Priority, node.Status, node.Title)
			if len(after[n]) > 0 {
				fmt.Fprintf(&b, "  %*s  %s\n", width, "", strings.Join(after[n], ", "))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// label says in words what an edge is.
func (e Edge) label() string {
	switch e.Type {
	case "blocks":
		return "after"
	case "parent-child":
		return "part of"
	}
	return e.Type
}

// DOT writes the language of Graphviz.
func (g Graph) DOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph issues {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n")
	for _, node := range g.Nodes {
		fmt.Fprintf(&b, "  %s [label=%s, fillcolor=%q];\n", quoteDOT(node.ID),
			quoteDOT(fmt.Sprintf("%s  P%d\n%s", node.ID, node.Priority, node.Title)), look(node).fill)
	}
	for _, e := range g.index() {
		style := map[string]string{"blocks": "solid", "parent-child": "dashed"}[e.Type]
		if style == "" {
			style = "dotted"
		}
		fmt.Fprintf(&b, "  %s -> %s [style=%s, tooltip=%s];\n", quoteDOT(e.To), quoteDOT(e.From), style, quoteDOT(e.Type))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// quoteDOT writes a quoted string of the DOT language, in which a line break is
// written as \n.
func quoteDOT(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// Mermaid writes a flowchart of Mermaid, which code hosts draw in Markdown.
func (g Graph) Mermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for n, node := range g.Nodes {
		fmt.Fprintf(&b, "  n%d[\"%s P%d<br>%s\"]\n", n, escapeMermaid(node.ID), node.Priority, escapeMermaid(node.Title))
	}
	for _, e := range g.index() {
		arrow := map[string]string{"blocks": "-->", "parent-child": "-.->"}[e.Type]
		if arrow == "" {
			arrow = "-. " + escapeMermaid(e.Type) + " .->"
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", e.first, arrow, e.then)
	}
	for n, node := range g.Nodes {
		fmt.Fprintf(&b, "  style n%d fill:%s,stroke:%s,color:#1b1f24\n", n, look(node).fill, look(node).line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// escapeMermaid writes characters that mean something as entity codes.
func escapeMermaid(s string) string {
	return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "\\", "#92;", "[", "#91;", "]", "#93;", "|", "#124;").Replace(s)
}
