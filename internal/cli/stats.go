package cli

import (
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

func newStatus(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status",
		Aliases: []string{"stats"},
		Short:   "Show how the work stands, in numbers",
		Long: `Count the issues by status, what is ready, blocked and deferred, and how long it takes
from creation to closing.`,
		Example: `  bd status
  bd stats --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				stats, err := q.Stats(a.Now())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(statsJSON(stats))
				}
				a.printStats(stats)
				return nil
			})
		},
	}
	accepted(cmd, "all", "assigned", "no-activity", "activity")
	return cmd
}

// summary has upstream's names for the numbers.
type summary struct {
	Total            int     `json:"total_issues"`
	Open             int     `json:"open_issues"`
	InProgress       int     `json:"in_progress_issues"`
	Closed           int     `json:"closed_issues"`
	Blocked          int     `json:"blocked_issues"`
	Deferred         int     `json:"deferred_issues"`
	Ready            int     `json:"ready_issues"`
	OpenDeferred     int     `json:"open_deferred_issues"` // open, and only a later time keeps them from being ready
	Deleted          int     `json:"deleted_issues"`
	Tombstones       int     `json:"tombstone_issues"` // upstream's name for deleted ones
	Pinned           int     `json:"pinned_issues"`
	Epics            int     `json:"epics_eligible_for_closure"`
	AverageLeadHours float64 `json:"average_lead_time_hours"`
}

func statsJSON(s projection.Stats) any {
	return struct {
		Summary summary `json:"summary"`
	}{summary{
		Total: s.Total, Open: s.Open, InProgress: s.InProgress, Closed: s.Closed, Blocked: s.Blocked,
		Deferred: s.Deferred, Ready: s.Ready, OpenDeferred: s.OpenDeferred, Deleted: s.Deleted, Tombstones: s.Deleted, Pinned: s.Pinned,
		Epics: s.EpicsEligibleForClosure, AverageLeadHours: s.AverageLeadTime.Hours(),
	}}
}

func (a *app) printStats(s projection.Stats) {
	number := func(name string, n int) {
		if n > 0 || name == "Open" || name == "  ready" {
			a.printf("%-16s %6d\n", name, n)
		}
	}
	named := []string{issue.StatusOpen, issue.StatusInProgress, issue.StatusDeferred, statusPinned, issue.StatusClosed}
	a.printf("%-16s %6d\n", "Issues", s.Total)
	number("Open", s.Open)
	number("  ready", s.Ready)
	number("  blocked", s.Blocked)
	number("  deferred", s.OpenDeferred)
	number("In progress", s.InProgress)
	number("Deferred", s.Deferred)
	number("Pinned", s.Pinned)
	for _, g := range s.ByStatus {
		if !slices.Contains(named, g.Group) { // so that the parts make up the whole
			number("Status "+visible(g.Group), g.Count)
		}
	}
	number("Closed", s.Closed)
	number("Deleted", s.Deleted)
	number("Epics to close", s.EpicsEligibleForClosure)
	if s.AverageLeadTime > 0 {
		a.printf("%-16s %6s\n", "Time to close", spanText(s.AverageLeadTime))
	}
	for _, part := range []struct {
		name, prefix string
		groups       []projection.Group
	}{{"By type", "", s.ByType}, {"By priority", "P", s.ByPriority}} {
		if len(part.groups) == 0 {
			continue
		}
		a.heading(part.name)
		for _, g := range part.groups {
			a.printf("  %-14s %6s\n", part.prefix+visible(g.Group), strconv.Itoa(g.Count))
		}
	}
}

// spanText is a duration in its greatest fitting unit.
func spanText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return strconv.FormatFloat(float64(d)/float64(day), 'f', 1, 64) + " days"
	case d >= 2*time.Hour:
		return strconv.FormatFloat(d.Hours(), 'f', 1, 64) + " hours"
	}
	return strconv.FormatFloat(d.Minutes(), 'f', 0, 64) + " minutes"
}
