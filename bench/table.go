package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// printTable prints the rows for people.
func printTable(w io.Writer, rows []row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tissues\tmedian\tmeasured\tlimit\tgoal\t")
	for _, r := range rows {
		issues, median := r.cells()
		fmt.Fprintf(table, "%s\t%s\t%s\t%s %s\t%s\t%s\t%s\n",
			r.What, issues, median, number(r.Value), r.Unit, r.bound(r.Limit), r.bound(r.Goal), r.verdict())
	}
	return table.Flush()
}

// printMarkdown prints the rows for a page.
func printMarkdown(w io.Writer, rows []row) error {
	var page strings.Builder
	page.WriteString("| what | issues | median | measured | limit | goal | |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |\n")
	for _, r := range rows {
		issues, median := r.cells()
		fmt.Fprintf(&page, "| %s | %s | %s | %s %s | %s | %s | %s |\n",
			r.What, issues, median, number(r.Value), r.Unit, r.bound(r.Limit), r.bound(r.Goal), r.verdict())
	}
	_, err := io.WriteString(w, page.String())
	return err
}

// cells are the row's cells that may be empty.
func (r row) cells() (issues, median string) {
	if r.Issues > 0 {
		issues = strconv.Itoa(r.Issues)
	}
	if r.Millis > 0 {
		median = fmt.Sprintf("%.1f ms", r.Millis)
	}
	return issues, median
}

// overLimit names the rows that pass their limit.
func overLimit(rows []row) []string {
	var over []string
	for _, r := range rows {
		if r.Limit > 0 && !r.within(r.Limit) {
			over = append(over, fmt.Sprintf("%s (%s %s)", r.What, number(r.Value), r.Unit))
		}
	}
	return over
}

func (r row) within(bound float64) bool {
	if r.Least {
		return r.Value >= bound
	}
	return r.Value <= bound
}

func (r row) bound(b float64) string {
	switch {
	case b == 0:
		return ""
	case r.Least:
		return "at least " + number(b)
	}
	return "at most " + number(b)
}

// verdict is the one word that the eye looks for.
func (r row) verdict() string {
	switch {
	case r.Limit > 0 && !r.within(r.Limit):
		return "OVER"
	case r.Goal > 0 && !r.within(r.Goal):
		return "goal missed"
	case r.Limit > 0 || r.Goal > 0:
		return "ok"
	}
	return ""
}

func number(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
