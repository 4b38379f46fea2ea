package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The drawing's measures, in pixels.
const (
	chartWidth, chartHeight = 720, 420
	chartLeft, chartTop     = 60, 30
	plotWidth, plotHeight   = 480, 330
)

// chart draws what the commands cost, in runs of an empty program, against the
// number of issues.
func chart(rows []row) []byte {
	var lines []chartLine
	most, least, greatest := 1.0, math.MaxInt, 0
	for _, r := range rows {
		if r.Unit != "x floor" || r.Issues == 0 || strings.Contains(r.What, "foreign") {
			continue
		}
		n := slices.IndexFunc(lines, func(l chartLine) bool { return l.what == r.What })
		if n < 0 {
			n = len(lines)
			lines = append(lines, chartLine{what: r.What})
		}
		lines[n].points = append(lines[n].points, chartPoint{r.Issues, r.Value})
		most, least, greatest = max(most, r.Value), min(least, r.Issues), max(greatest, r.Issues)
	}
	c := canvas{top: math.Ceil(most), least: math.Log10(float64(least)), decades: math.Log10(float64(greatest)) - math.Log10(float64(least))}
	c.axes(lines)
	for i, l := range lines {
		c.draw(l, i, len(lines))
	}
	c.WriteString("</svg>\n")
	return c.Bytes()
}

type chartLine struct {
	what   string
	points []chartPoint
}

type chartPoint struct {
	issues int
	cost   float64
}

// A canvas is the drawing as far as it has come.
type canvas struct {
	bytes.Buffer
	top            float64 // the greatest cost
	least, decades float64 // of issues, as logarithms
}

func (c *canvas) x(issues int) float64 {
	if c.decades == 0 {
		return chartLeft + plotWidth/2
	}
	return chartLeft + plotWidth*(math.Log10(float64(issues))-c.least)/c.decades
}

func (c *canvas) y(cost float64) float64 { return chartTop + plotHeight*(1-cost/c.top) }

func (c *canvas) axes(lines []chartLine) {
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" fill="#444">`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(c, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(c, `<text x="%d" y="18" font-size="13">whole run of a command, in runs of an empty program</text>`+"\n", chartLeft)
	for cost := 0.0; cost <= c.top; cost++ {
		fmt.Fprintf(c, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
			chartLeft, chartLeft+plotWidth, c.y(cost), c.y(cost), chartLeft-8, c.y(cost)+4, cost)
	}
	seen := map[int]bool{}
	for _, l := range lines {
		for _, p := range l.points {
			if !seen[p.issues] {
				seen[p.issues] = true
				fmt.Fprintf(c, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", c.x(p.issues), chartTop+plotHeight+20, p.issues)
			}
		}
	}
	fmt.Fprintf(c, `<text x="%d" y="%d" text-anchor="middle">issues</text>`+"\n", chartLeft+plotWidth/2, chartTop+plotHeight+40)
}

// draw draws one line and its name in the legend. Hues are spread evenly.
func (c *canvas) draw(l chartLine, i, of int) {
	colour := fmt.Sprintf("hsl(%d 60%% 42%%)", 360*i/of)
	var path strings.Builder
	for n, p := range l.points {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(n, 1)], c.x(p.issues), c.y(p.cost))
		fmt.Fprintf(c, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", c.x(p.issues), c.y(p.cost), colour)
	}
	fmt.Fprintf(c, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", path.String(), colour)
	y := chartTop + 10 + 22*i
	fmt.Fprintf(c, `<line x1="%d" x2="%d" y1="%d" y2="%d" stroke="%s" stroke-width="3"/><text x="%d" y="%d">%s</text>`+"\n",
		chartLeft+plotWidth+24, chartLeft+plotWidth+44, y, y, colour, chartLeft+plotWidth+52, y+4, l.what)
}
