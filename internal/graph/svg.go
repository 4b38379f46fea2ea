package graph

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/rivo/uniseg"
)

// Sizes in pixels.
const (
	boxWidth, boxHeight = 220, 58
	columnWidth         = boxWidth + 90
	rowHeight           = boxHeight + 22
	margin              = 24
	lineCells           = 30 // characters of a title in one line
	headHeight          = 30
)

// colours of one issue.
type colours struct{ fill, line, mark string }

// look is how an issue looks: by what can be done with it.
func look(n Node) colours {
	switch {
	case n.Status == "closed":
		return colours{"#eef0f2", "#c3c9d0", "#8b949e"}
	case n.Status == "in_progress":
		return colours{"#fff4d6", "#d9a514", "#b58105"}
	case n.Blocked || n.Status == "blocked":
		return colours{"#fdeaea", "#d98080", "#c23b3b"}
	case n.Status == "open":
		return colours{"#e6f4ea", "#6cb380", "#2b8a46"}
	}
	return colours{"#e8effb", "#86a5d9", "#3f6fc1"}
}

// SVG writes a drawing that needs nothing but fonts: the steps from left to
// right, solid lines to what waits, dashed ones to parts, dotted ones for the
// rest. A dashed line is left out where other lines lead to that part.
func (g Graph) SVG(w io.Writer) error {
	l := newLayout(g)
	rows := 0.0
	for _, row := range l.row {
		rows = math.Max(rows, row)
	}
	width := 2*margin + len(l.ranks)*columnWidth - (columnWidth - boxWidth)
	height := 2*margin + headHeight + int(math.Ceil(rows*rowHeight)) + boxHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif">`+"\n", width, height, width, height)
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0.8 7.6 4 0 7.2z" fill="#6e7781"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	for n := range l.ranks {
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="11" fill="#6e7781">Step %d</text>`+"\n", margin+n*columnWidth, margin+8, n+1)
	}
	for n, e := range l.edges {
		l.drawEdge(&b, e, l.ways[n])
	}
	for n, node := range g.Nodes {
		x, y := l.at(n)
		drawNode(&b, node, x, y)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// at is the upper left corner of a point's box.
func (l *layout) at(point int) (x, y float64) {
	return float64(margin + l.rank[point]*columnWidth), margin + headHeight + l.row[point]*rowHeight
}

// drawEdge draws from box to box through the bends, as curves that leave and
// arrive horizontally. What does not order may run within one rank or backwards.
func (l *layout) drawEdge(b *strings.Builder, e edge, way []int) {
	dash := map[string]string{"blocks": "", "parent-child": ` stroke-dasharray="6 4"`}[e.Type]
	if e.Type != "blocks" && e.Type != "parent-child" {
		dash = ` stroke-dasharray="1.5 4" stroke-linecap="round"`
	}
	x, y := l.at(way[0])
	x, y = x+boxWidth, y+boxHeight/2
	var path strings.Builder
	fmt.Fprintf(&path, "M%.0f %.1f", x, y)
	for n, point := range way[1:] {
		px, py := l.at(point)
		py += boxHeight / 2
		pull := math.Max(40, math.Abs(px-x)/2)
		if l.rank[point] > l.rank[way[n]] {
			fmt.Fprintf(&path, "C%.0f %.1f %.0f %.1f %.0f %.1f", x+pull, y, px-pull, py, px, py)
		} else { // from the right side of one box to the right side of the other
			px += boxWidth
			fmt.Fprintf(&path, "C%.0f %.1f %.0f %.1f %.0f %.1f", x+pull, y, px+pull, py, px, py)
		}
		x, y = px, py
		if n < len(way)-2 { // a bend: through the column of boxes
			x += boxWidth
			fmt.Fprintf(&path, "H%.0f", x)
		}
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="#8b949e" stroke-width="1.4"%s marker-end="url(#arrow)"><title>%s</title></path>`+"\n",
		path.String(), dash, escapeXML(e.From+" "+e.Type+" "+e.To))
}

func drawNode(b *strings.Builder, n Node, x, y float64) {
	c := look(n)
	ink, through := "#1b1f24", ""
	if n.Status == "closed" {
		ink, through = "#6e7781", ` text-decoration="line-through"`
	}
	fmt.Fprintf(b, `<g><title>%s</title>`, escapeXML(n.ID+": "+n.Title+" ("+n.Status+", "+n.Type+")"))
	fmt.Fprintf(b, `<rect x="%.0f" y="%.1f" width="%d" height="%d" rx="8" fill="%s" stroke="%s"/>`, x, y, boxWidth, boxHeight, c.fill, c.line)
	fmt.Fprintf(b, `<rect x="%.0f" y="%.1f" width="4" height="%d" rx="2" fill="%s"/>`, x+6, y+10, boxHeight-20, c.mark)
	fmt.Fprintf(b, `<text x="%.0f" y="%.1f" font-size="10.5" fill="#57606a">%s</text>`, x+18, y+16, escapeXML(fit(n.ID, 24)))
	fmt.Fprintf(b, `<text x="%.0f" y="%.1f" font-size="10.5" fill="#57606a" text-anchor="end">P%d</text>`, x+boxWidth-10, y+16, n.Priority)
	for k, line := range wrap(n.Title, lineCells) {
		fmt.Fprintf(b, `<text x="%.0f" y="%.1f" font-size="12" fill="%s"%s>%s</text>`, x+18, y+32+float64(15*k), ink, through, escapeXML(line))
	}
	b.WriteString("</g>\n")
}

// wrap breaks a title into two lines at most.
func wrap(title string, cells int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(title) {
		switch {
		case line == "":
			line = word
		case uniseg.StringWidth(line+" "+word) <= cells || len(lines) == 1:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	lines = append(lines, line)
	for n := range lines {
		lines[n] = fit(lines[n], cells)
	}
	return lines
}

// fit cuts a text that is too wide.
func fit(s string, cells int) string {
	if uniseg.StringWidth(s) <= cells {
		return s
	}
	kept, width := "", 0
	for graphemes := uniseg.NewGraphemes(s); graphemes.Next(); {
		if width += graphemes.Width(); width >= cells {
			break
		}
		kept += graphemes.Str()
	}
	return strings.TrimRight(kept, " ") + "…"
}

func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(s)
}
