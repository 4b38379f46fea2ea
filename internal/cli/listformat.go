package cli

import (
	"fmt"
	"strings"
	"text/template"
	"time"

	"beads/internal/graph"
	"beads/internal/projection"
)

// isTemplate reports whether a format is a Go template, as upstream takes it.
func isTemplate(format string) bool { return strings.Contains(format, "{{") }

// templateIssue is an issue as templates see it; the names are upstream's.
type templateIssue struct {
	ID, Title, Description, Design, AcceptanceCriteria, Notes, Status string
	Priority                                                          int
	IssueType, Assignee, Owner, ExternalRef, CreatedBy, CloseReason   string
	EstimatedMinutes                                                  int
	Labels                                                            []string
	CreatedAt, UpdatedAt, ClosedAt, DueAt, DeferUntil                 time.Time
	DependencyCount, DependentCount, CommentCount                     int
}

// templateData is what a template is executed on: an issue, and a dependency if
// the template speaks of one.
type templateData struct {
	templateIssue
	Issue                      templateIssue
	IssueID, DependsOnID, Type string
}

// printTemplate prints a line for each issue or, with a template that names
// DependsOnID, for each dependency between the issues listed.
func (a *app) printTemplate(format string, rows []projection.Row) error {
	t, err := template.New("format").Parse(format)
	if err != nil {
		return usagef("--format: %w", err)
	}
	listed := map[string]bool{}
	for _, row := range rows {
		listed[row.ID] = true
	}
	show := visible
	if !a.StdoutTerminal { // programs get the texts as they are
		show = func(s string) string { return s }
	}
	line := func(data templateData) error {
		if err := t.Execute(a.out, data); err != nil {
			if closedPipe(err) {
				return err
			}
			return usagef("--format: %w", err)
		}
		a.printf("\n")
		return nil
	}
	for _, row := range rows {
		is := newTemplateIssue(row, show)
		if !strings.Contains(format, "DependsOnID") {
			if err := line(templateData{templateIssue: is, Issue: is, IssueID: is.ID}); err != nil {
				return err
			}
			continue
		}
		for _, d := range row.Dependencies {
			if !listed[d.To] {
				continue
			}
			if err := line(templateData{is, is, is.ID, show(d.To), show(d.Type)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func newTemplateIssue(row projection.Row, show func(string) string) templateIssue {
	is := templateIssue{
		ID: show(row.ID), Title: show(row.Title), Description: show(row.Description), Design: show(row.Design),
		AcceptanceCriteria: show(row.AcceptanceCriteria), Notes: show(row.Notes), Status: show(row.Status), Priority: row.Priority,
		IssueType: show(row.Type), Assignee: show(row.Assignee), Owner: show(row.Owner), ExternalRef: show(row.ExternalRef),
		CreatedBy: show(row.CreatedBy), CloseReason: show(row.CloseReason), EstimatedMinutes: row.EstimatedMinutes,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, ClosedAt: row.ClosedAt, DueAt: row.DueAt, DeferUntil: row.DeferUntil,
		DependencyCount: row.DependencyCount, DependentCount: row.DependentCount, CommentCount: row.CommentCount,
	}
	for _, label := range row.Labels {
		is.Labels = append(is.Labels, show(label))
	}
	return is
}

// printDOT prints the issues listed and the dependencies between them in the
// language of Graphviz.
func (a *app) printDOT(rows []projection.Row) error {
	var g graph.Graph
	for _, row := range rows {
		g.Nodes = append(g.Nodes, graph.Node{
			ID: visible(row.ID), Title: visible(row.Title), Status: visible(row.Status), Type: visible(row.Type), Priority: row.Priority, Blocked: row.Blocked,
		})
		for _, d := range row.Dependencies {
			g.Edges = append(g.Edges, graph.Edge{From: visible(row.ID), To: visible(d.To), Type: visible(d.Type), Orders: orders(d.Type)})
		}
	}
	if err := g.DOT(a.out); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}
