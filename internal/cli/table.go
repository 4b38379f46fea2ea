package cli

import (
	"strings"

	"github.com/rivo/uniseg"
)

// table is what a list looks like to people: columns two blanks apart, in the
// widths that the terminal has. Without a terminal nothing is cut.
type table struct {
	columns []column
	rows    [][]cell
}

// column is one column of a table.
type column struct {
	title string
	give  giving
}

// giving says how a column gives way where the terminal is narrow.
type giving int

const (
	firm     giving = iota // keeps its width
	cuttable               // is cut, with an ellipsis
	optional               // goes, the rightmost first
)

// cell is one value, safe to print already.
type cell struct {
	text  string
	style style
}

const (
	columnGap   = 2
	leastColumn = 20 // columns go before a cuttable one gets narrower than this
)

// printTable prints t with its titles; nothing if it has no rows.
func (a *app) printTable(t table) {
	if len(t.rows) == 0 {
		return
	}
	widths := t.widths()
	if a.StdoutTerminal && a.Width > 0 {
		fit(t.columns, widths, a.Width)
	}
	titles := make([]cell, len(t.columns))
	for i, c := range t.columns {
		titles[i] = cell{c.title, dim}
	}
	a.printRow(titles, widths)
	for _, row := range t.rows {
		a.printRow(row, widths)
	}
}

// widths are what the cells would like.
func (t table) widths() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = displayWidth(c.title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], displayWidth(row[i].text))
		}
	}
	return widths
}

// fit makes widths fit into total columns; -1 is a column that went.
func fit(columns []column, widths []int, total int) {
	excess := func() int {
		sum := -columnGap
		for _, w := range widths {
			if w >= 0 {
				sum += w + columnGap
			}
		}
		return sum - total
	}
	slack := 0 // what the cuttable columns can give and stay legible
	for i, c := range columns {
		if c.give == cuttable {
			slack += max(0, widths[i]-leastColumn)
		}
	}
	for i := len(columns) - 1; i >= 0 && excess() > slack; i-- {
		if columns[i].give == optional {
			widths[i] = -1
		}
	}
	for excess() > 0 {
		widest := -1
		for i, c := range columns {
			if c.give == cuttable && widths[i] > 1 && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func (a *app) printRow(row []cell, widths []int) {
	var line strings.Builder
	pad := 0 // blanks owed; never at the end of a line
	for i, c := range row {
		if widths[i] < 0 {
			continue
		}
		text := cutWith(c.text, widths[i], a.symbols().ellipsis)
		if text != "" {
			line.WriteString(strings.Repeat(" ", pad))
			line.WriteString(a.paint(c.style, text))
			pad = 0
		}
		pad += widths[i] - displayWidth(text) + columnGap
	}
	a.printLine(line.String()) // where even what keeps its width is too much, the rest goes
}

// displayWidth is the number of terminal columns that s takes.
func displayWidth(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// cut shortens s to width columns, between characters as people see them.
func cut(s string, width int) string { return cutWith(s, width, "…") }

// cutWith is cut with an ellipsis of one's own, in ASCII or one column wide.
func cutWith(s string, width int, ellipsis string) string {
	if displayWidth(s) <= width {
		return s
	}
	if displayWidth(ellipsis) > width {
		return ellipsis[:max(width, 0)]
	}
	room := width - displayWidth(ellipsis)
	used, end, state := 0, 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+w > room {
			break
		}
		used += w
		end += len(cluster)
	}
	return s[:end] + ellipsis
}
