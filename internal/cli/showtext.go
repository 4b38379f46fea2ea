package cli

import (
	"fmt"
	"strings"
	"time"

	"beads/internal/issue"
	"beads/internal/projection"
)

// showIssue prints an issue for people: a line that says which, facts, texts,
// links, comments.
func (a *app) showIssue(q *projection.Query, i issue.Issue) error {
	a.printf("%s  %s\n", a.paint(bold, visible(a.shortID(q, i.ID))), a.paint(bold, visible(i.Title)))
	dot := " " + a.symbols().dot + " "
	a.printf("%s%s%s%s%s", a.paint(statusStyle(i.Status, false), visible(i.Status)), dot,
		a.paint(priorityStyle(i.Priority), fmt.Sprintf("P%d", i.Priority)), dot, visible(i.Type))
	if i.Assignee != "" {
		a.printf("%s%s", dot, a.paint(cyan, visible(i.Assignee)))
	}
	a.printf("\n")
	for _, line := range a.factLines(i) {
		a.printf("%s\n", line)
	}
	for _, part := range []struct{ name, text string }{
		{"Description", i.Description}, {"Design", i.Design},
		{"Acceptance criteria", i.AcceptanceCriteria}, {"Notes", i.Notes},
	} {
		if part.text != "" {
			a.heading(part.name)
			a.indented(part.text)
		}
	}
	if err := a.showLinks(q, i.ID); err != nil {
		return err
	}
	if len(i.Comments) > 0 {
		a.heading(fmt.Sprintf("Comments (%d)", len(i.Comments)))
	}
	for n, c := range i.Comments {
		if n > 0 {
			a.printf("\n")
		}
		edited := ""
		if !c.UpdatedAt.IsZero() {
			edited = ", edited " + a.localTime(c.UpdatedAt)
		}
		a.printf("  %s, %s%s\n", a.paint(cyan, visible(c.Author)), a.localTime(c.CreatedAt), edited)
		a.indented(c.Text)
	}
	return nil
}

func (a *app) heading(name string) { a.printf("\n%s\n", a.paint(bold, name)) }

func (a *app) indented(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(VisibleText(text), "\n"), "\n") {
		if line == "" {
			a.printf("\n")
			continue
		}
		a.printf("  %s\n", line)
	}
}

// factLines are the short facts about an issue beside status, priority, type and
// assignee, one a line.
func (a *app) factLines(i issue.Issue) []string {
	var lines []string
	add := func(name, format string, args ...any) {
		lines = append(lines, fmt.Sprintf("%-9s %s", name, visible(fmt.Sprintf(format, args...))))
	}
	by := func(t time.Time, who string) string {
		if who == "" {
			return a.localTime(t)
		}
		return a.localTime(t) + " by " + who
	}
	if len(i.Labels) > 0 {
		add("Labels", "%s", strings.Join(i.Labels, ", "))
	}
	if i.Owner != "" {
		add("Owner", "%s", i.Owner)
	}
	add("Created", "%s", by(i.CreatedAt, i.CreatedBy))
	if !i.UpdatedAt.Equal(i.CreatedAt) {
		add("Updated", "%s", a.localTime(i.UpdatedAt))
	}
	if !i.ClosedAt.IsZero() {
		reason := ""
		if i.CloseReason != "" {
			reason = ": " + i.CloseReason
		}
		add("Closed", "%s%s", a.localTime(i.ClosedAt), reason)
	}
	if !i.DueAt.IsZero() {
		late := ""
		if i.Status != issue.StatusClosed && i.DueAt.Before(a.Now()) {
			late = " (overdue)"
		}
		add("Due", "%s%s", a.localTime(i.DueAt), late)
	}
	if !i.DeferUntil.IsZero() {
		add("Deferred", "until %s", a.localTime(i.DeferUntil))
	}
	if i.EstimatedMinutes > 0 {
		add("Estimate", "%s", estimateText(i.EstimatedMinutes))
	}
	if i.ExternalRef != "" {
		add("Reference", "%s", i.ExternalRef)
	}
	if len(i.Metadata) > 0 {
		add("Metadata", "%s", i.Metadata)
	}
	return lines
}

func estimateText(minutes int) string {
	switch {
	case minutes < 60:
		return plural(minutes, "minute", "minutes")
	case minutes%60 == 0:
		return plural(minutes/60, "hour", "hours")
	}
	return fmt.Sprintf("%dh%02dm", minutes/60, minutes%60)
}

// showLinks prints both directions of dependency, grouped by type.
func (a *app) showLinks(q *projection.Query, id string) error {
	dependencies, err := q.BriefDependencies(id)
	if err != nil {
		return err
	}
	dependents, err := q.BriefDependents(id)
	if err != nil {
		return err
	}
	a.showLinkGroups(q, dependencies, dependencyHeading)
	a.showLinkGroups(q, dependents, dependentHeading)
	return nil
}

func (a *app) showLinkGroups(q *projection.Query, links []projection.Link, heading func(string) string) {
	last := ""
	for _, link := range links { // sorted by type
		if link.Type != last {
			a.heading(heading(link.Type))
			last = link.Type
		}
		if !link.Visible {
			a.printf("  %s (deleted, or not known here)\n", visible(link.Issue.ID))
			continue
		}
		a.printf("  %s\n", a.compactLine(q, link.Issue, false))
	}
}

// dependencyHeading names what an issue has a dependency of this type on.
func dependencyHeading(kind string) string {
	switch kind {
	case issue.DepBlocks:
		return "Depends on"
	case issue.DepParentChild:
		return "Parent"
	case issue.DepRelated:
		return "Related to"
	case issue.DepDiscoveredFrom:
		return "Discovered from"
	}
	return "Depends on (" + visible(kind) + ")"
}

// dependentHeading names what has a dependency of this type on an issue.
func dependentHeading(kind string) string {
	switch kind {
	case issue.DepBlocks:
		return "Blocks"
	case issue.DepParentChild:
		return "Children"
	case issue.DepRelated:
		return "Related from"
	case issue.DepDiscoveredFrom:
		return "Led to"
	}
	return "Needed by (" + visible(kind) + ")"
}
