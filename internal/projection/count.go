package projection

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
)

// Count is how many visible issues f selects; its limit and offset are ignored.
func (q *Query) Count(f issue.Filter) (int, error) {
	s, err := q.selectIssues(&f)
	if err != nil {
		return 0, err
	}
	text := "SELECT count(*)" + s.from("")
	if s.everything() {
		text = countAllSQL
	}
	n, err := number(q.conn, text, s.args...)
	if err != nil {
		return 0, fmt.Errorf("count issues: %w", err)
	}
	return int(n), nil
}

// countAllSQL counts the visible issues without reading them: their numbers have no
// gaps (erase), and few are hidden.
const countAllSQL = `SELECT ifnull((SELECT max(number) FROM issue), 0) - (SELECT count(*) FROM issue WHERE visible = 0)`

// Group is one value with how many issues have it.
type Group struct {
	Group string
	Count int
}

// Names of the groups of issues that lack a value.
const (
	groupUnassigned = "(unassigned)"
	groupNoLabels   = "(no labels)"
	groupNoParent   = "(no parent)"
)

// CountBy groups the visible issues that f selects by status, priority, type,
// assignee, label or parent, ordered by group. An issue with several labels or
// parents counts in each of their groups; a priority is its number.
func (q *Query) CountBy(f issue.Filter, key string) ([]Group, error) {
	var column, join string
	switch key {
	case "status":
		column = "i.status"
	case "priority":
		column = "i.priority"
	case "type":
		column = "i.issue_type"
	case "assignee":
		column = "ifnull(i.assignee, '" + groupUnassigned + "')"
	case "label":
		column = "ifnull(l.label, '" + groupNoLabels + "')"
		join = " LEFT JOIN label AS l ON l.issue = i.id"
	case "parent":
		column = "ifnull(p.target, '" + groupNoParent + "')"
		join = " LEFT JOIN dependency AS p ON p.issue = i.id AND p.type = 'parent-child'"
	default:
		return nil, fmt.Errorf("cannot count by %q: use one of status, priority, type, assignee, label, parent", key)
	}
	s, err := q.selectIssues(&f)
	if err != nil {
		return nil, err
	}
	groups, err := q.groups("SELECT "+column+", count(*)"+s.from(join)+"\nGROUP BY 1 ORDER BY 1", s.args...)
	if err != nil {
		return nil, fmt.Errorf("count issues by %s: %w", key, err)
	}
	return groups, nil
}

func (q *Query) groups(text string, args ...any) ([]Group, error) {
	var groups []Group
	err := query(q.conn, text, func(s *sqlite.Stmt) error {
		groups = append(groups, Group{s.ColumnText(0), s.ColumnInt(1)})
		return nil
	}, args...)
	return groups, err
}

// Labels is every label of a visible issue with its count, by name.
func (q *Query) Labels() ([]Group, error) {
	return q.groups(`SELECT l.label, count(*) FROM label AS l JOIN issue AS i ON i.id = l.issue AND i.visible = 1
GROUP BY l.label ORDER BY l.label`)
}

// Stats is the summary of everything visible.
type Stats struct {
	Total, Open, InProgress, Closed, Blocked, Deferred, Ready, Pinned, Deleted int
	OpenDeferred                                                               int // of Open, what only a later time keeps from being ready
	EpicsEligibleForClosure                                                    int
	AverageLeadTime                                                            time.Duration
	ByStatus, ByType, ByPriority                                               []Group
}

//go:embed queries/epics_eligible.sql
var epicsEligibleSQL string

const leadTimeSQL = `SELECT CAST(avg(closed_at - created_at) AS INTEGER)
FROM issue WHERE visible = 1 AND closed_at IS NOT NULL`

const deletedSQL = "SELECT count(*) FROM issue WHERE visible = 0 AND existing = 1"

// openSQL counts what would be ready if nothing was deferred to a later time.
const openSQL = `SELECT count(*) FROM issue AS i
WHERE i.visible = 1 AND i.status <> 'closed' AND i.status = 'open' AND i.blocked = 0`

// statusPinned is counted for scripts that know it; it has no meaning here.
const statusPinned = "pinned"

// Stats counts. Open, InProgress, Closed, Deferred and Pinned go by status,
// Blocked and Ready by dependencies (and deferral at now). AverageLeadTime is
// from creation to closing, over all closed issues.
func (q *Query) Stats(now time.Time) (Stats, error) {
	var stats Stats
	var err error
	if stats.ByType, err = q.CountBy(issue.Filter{}, "type"); err != nil {
		return Stats{}, err
	}
	if stats.ByStatus, stats.ByPriority, err = q.countStates(); err != nil {
		return Stats{}, err
	}
	for _, g := range stats.ByStatus {
		stats.Total += g.Count
		switch g.Group {
		case issue.StatusOpen:
			stats.Open = g.Count
		case issue.StatusInProgress:
			stats.InProgress = g.Count
		case issue.StatusClosed:
			stats.Closed = g.Count
		case issue.StatusDeferred:
			stats.Deferred = g.Count
		case statusPinned:
			stats.Pinned = g.Count
		}
	}
	if stats.Blocked, err = q.Count(issue.Filter{Blocked: true}); err != nil {
		return Stats{}, err
	}
	if stats.Ready, err = q.Count(issue.Filter{Ready: true, Now: now}); err != nil {
		return Stats{}, err
	}
	for _, n := range []struct {
		text string
		into *int
	}{
		{deletedSQL, &stats.Deleted},
		{openSQL, &stats.OpenDeferred},
		{epicsEligibleSQL, &stats.EpicsEligibleForClosure},
	} {
		count, err := number(q.conn, n.text)
		if err != nil {
			return Stats{}, fmt.Errorf("count issues: %w", err)
		}
		*n.into = int(count)
	}
	stats.OpenDeferred -= stats.Ready
	lead, err := number(q.conn, leadTimeSQL)
	if err != nil {
		return Stats{}, fmt.Errorf("average lead time: %w", err)
	}
	stats.AverageLeadTime = time.Duration(lead) * time.Microsecond
	return stats, nil
}

const statesSQL = `SELECT status, priority, count(*) FROM issue WHERE visible = 1 GROUP BY 1, 2 ORDER BY 1, 2`

// countStates is CountBy of status and of priority, in one pass.
func (q *Query) countStates() (byStatus, byPriority []Group, err error) {
	priorities := map[int]int{}
	err = query(q.conn, statesSQL, func(s *sqlite.Stmt) error {
		status, count := s.ColumnText(0), s.ColumnInt(2)
		priorities[s.ColumnInt(1)] += count
		if last := len(byStatus) - 1; last >= 0 && byStatus[last].Group == status {
			byStatus[last].Count += count
		} else {
			byStatus = append(byStatus, Group{status, count})
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("count issues by status: %w", err)
	}
	for _, priority := range slices.Sorted(maps.Keys(priorities)) {
		byPriority = append(byPriority, Group{strconv.Itoa(priority), priorities[priority]})
	}
	return byStatus, byPriority, nil
}
