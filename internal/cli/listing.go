package cli

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

// The formats of --format.
func formats() []string { return []string{"table", "compact", "ids", "json", "csv", "dot", "digraph"} }

// listing prints a list of issues, in whichever of its forms.
type listing struct {
	format string // one of formats, "" for the table
	tree   bool   // children below their parents
	long   bool   // several lines for each issue
	empty  string // what to say of no issues
}

// define adds the flags that choose the form.
func (l *listing) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.format, "format", "", strings.Join(formats(), ", ")+", or a Go template such as '{{.ID}} {{.Title}}'")
	cmd.Flags().BoolVar(&l.long, "long", false, "show more of each issue")
}

func (l listing) check() error {
	if l.format != "" && !isTemplate(l.format) && !slices.Contains(formats(), l.format) {
		return usagef("unknown format %q; choose one of %s, or a Go template", l.format, strings.Join(formats(), ", "))
	}
	return nil
}

// rows is the query for what print prints. What nothing shows is not asked for.
func (l listing) rows(a *app, q *projection.Query) func(issue.Filter) ([]projection.Row, error) {
	switch {
	case a.json || l.tree || !slices.Contains([]string{"", "table", "compact", "ids", "csv"}, l.format):
		return q.List
	case l.long || l.format == "csv":
		return q.Rows
	}
	return q.Heads
}

// print prints rows; q abbreviates their ids.
func (l listing) print(a *app, q *projection.Query, rows []projection.Row) error {
	switch {
	case a.json || l.format == "json":
		return a.printRowsJSON(rows)
	case l.format == "csv":
		return a.printCSV(rows)
	case l.format == "ids":
		for _, row := range rows {
			a.printf("%s\n", visible(row.ID))
		}
		return nil
	case l.format == "dot":
		return a.printDOT(rows)
	case l.format == "digraph":
		return a.printTemplate("{{.IssueID}} {{.DependsOnID}}", rows)
	case isTemplate(l.format):
		return a.printTemplate(l.format, rows)
	case len(rows) == 0:
		a.say("%s", l.empty)
		return nil
	case l.tree:
		a.printTree(q, rows)
	case l.long:
		a.printLong(q, rows)
	case l.format == "compact":
		for _, row := range rows {
			a.printLine(a.compactLine(q, row.Issue, row.Blocked))
		}
	default:
		a.printTable(a.issueTable(q, rows))
	}
	return nil
}

func (a *app) printRowsJSON(rows []projection.Row) error {
	objects := make([]json.RawMessage, 0, len(rows))
	for _, row := range rows {
		object, err := rowJSON(row)
		if err != nil {
			return err
		}
		objects = append(objects, object)
	}
	return a.printJSON(objects)
}

// rowJSON is a row of a list with its counts and whatever else a command adds.
func rowJSON(row projection.Row, more ...member) (json.RawMessage, error) {
	return withMembers(row.Issue, append([]member{
		{"dependency_count", row.DependencyCount},
		{"dependent_count", row.DependentCount},
		{"comment_count", row.CommentCount},
	}, more...)...)
}

// issueTable is the usual table of issues.
func (a *app) issueTable(q *projection.Query, rows []projection.Row) table {
	t := table{columns: []column{
		{"ID", firm}, {"P", firm}, {"STATUS", optional}, {"TYPE", optional}, {"ASSIGNEE", optional}, {"TITLE", cuttable},
	}}
	for _, row := range rows {
		t.rows = append(t.rows, []cell{
			{visible(a.shortID(q, row.ID)), bold},
			{"P" + strconv.Itoa(row.Priority), priorityStyle(row.Priority)},
			{statusText(row), statusStyle(row.Status, row.Blocked)},
			{visible(row.Type), plain},
			{visible(row.Assignee), cyan},
			{titleText(row.Issue), plain},
		})
	}
	return t
}

// statusText is the status, with what keeps an open issue from being worked on.
func statusText(row projection.Row) string {
	if row.Blocked && row.Status == issue.StatusOpen {
		return "open, blocked"
	}
	return visible(row.Status)
}

// titleText is the title followed by the labels.
func titleText(i issue.Issue) string {
	title := visible(i.Title)
	if len(i.Labels) > 0 {
		title += " (" + visible(strings.Join(i.Labels, ", ")) + ")"
	}
	return title
}

// compactLine is an issue in one line.
func (a *app) compactLine(q *projection.Query, i issue.Issue, blocked bool) string {
	var b strings.Builder
	b.WriteString(a.paint(bold, visible(a.shortID(q, i.ID))))
	b.WriteString(" [" + a.paint(priorityStyle(i.Priority), "P"+strconv.Itoa(i.Priority)) + "]")
	b.WriteString(" [" + visible(i.Type) + "] ")
	b.WriteString(a.paint(statusStyle(i.Status, blocked), visible(i.Status)))
	if i.Assignee != "" {
		b.WriteString(" " + a.paint(cyan, "@"+visible(i.Assignee)))
	}
	b.WriteString(" - " + titleText(i))
	return b.String()
}

// printLong prints each issue in a few lines.
func (a *app) printLong(q *projection.Query, rows []projection.Row) {
	for n, row := range rows {
		if n > 0 {
			a.printf("\n")
		}
		a.printf("%s\n", a.compactLine(q, row.Issue, row.Blocked))
		for _, line := range a.factLines(row.Issue) {
			a.printf("    %s\n", line)
		}
		if first, _, _ := strings.Cut(strings.TrimSpace(row.Description), "\n"); first != "" {
			a.printf("    %s\n", visible(first))
		}
	}
}

// printCSV prints the main fields with a line of names. CSV has no escapes of its
// own, and none of these fields takes a control character from us: one that
// another program has put there is made visible.
func (a *app) printCSV(rows []projection.Row) error {
	w := csv.NewWriter(a.out)
	records := [][]string{{"id", "title", "status", "priority", "issue_type", "assignee", "labels", "created_at", "updated_at", "closed_at"}}
	for _, row := range rows {
		record := []string{
			row.ID, row.Title, row.Status, strconv.Itoa(row.Priority), row.Type, row.Assignee,
			strings.Join(row.Labels, ","), utcText(row.CreatedAt), utcText(row.UpdatedAt), utcText(row.ClosedAt),
		}
		for n := range record {
			record[n] = visible(record[n])
		}
		records = append(records, record)
	}
	return w.WriteAll(records)
}

// utcText is a time as JSON has it; "" for none.
func utcText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
