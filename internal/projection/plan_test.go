package projection

import (
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
)

// plan is what EXPLAIN QUERY PLAN says, a line a step.
func plan(t *testing.T, q *Query, text string, args ...any) string {
	t.Helper()
	var steps []string
	err := stream(q.conn, "EXPLAIN QUERY PLAN "+text, func(s *sqlite.Stmt) error {
		steps = append(steps, s.ColumnText(3))
		return nil
	}, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}

// The lists that people and agents ask for all day walk along an index in
// their order, so that a limit stops them early whatever the tracker's size.
func TestListPlans(t *testing.T) { testListPlans(t, newDB(t)) }

func testListPlans(t *testing.T, db *DB) {
	now := epoch.Add(time.Hour)
	one, three := 1, 3
	for name, c := range map[string]struct {
		filter issue.Filter
		index  string
		sorts  bool
	}{
		"everything":              {issue.Filter{}, "issue_all_index", false},
		"everything, reversed":    {issue.Filter{Reverse: true}, "issue_all_index", false},
		"not closed":              {issue.Filter{NotStatuses: []string{"closed"}}, "issue_live_index", false},
		"several statuses":        {issue.Filter{Statuses: []string{"open", "in_progress", "blocked"}}, "issue_live_index", false},
		"one status":              {issue.Filter{Statuses: []string{"open"}}, "issue_status_index", false},
		"closed":                  {issue.Filter{Statuses: []string{"closed"}}, "issue_status_index", false},
		"ready":                   {issue.Filter{Ready: true, Now: now}, "issue_ready_index", false},
		"ready of a type":         {issue.Filter{Ready: true, Now: now, Types: []string{"bug", "task"}}, "issue_ready_index", false},
		"blocked":                 {issue.Filter{Blocked: true}, "issue_blocked_index", false},
		"of a type":               {issue.Filter{Types: []string{"epic"}}, "issue_type_index", false},
		"of an assignee":          {issue.Filter{Assignee: "alice"}, "issue_assignee_index", false},
		"of a priority":           {issue.Filter{Priorities: []int{1}}, "issue_all_index", false},
		"priorities of the live":  {issue.Filter{PriorityMin: &one, PriorityMax: &three, NotStatuses: []string{"closed"}}, "issue_live_index", false},
		"newest":                  {issue.Filter{Sort: issue.SortCreated}, "issue_created_index", false},
		"last changed":            {issue.Filter{Sort: issue.SortUpdated}, "issue_updated_index", false},
		"changed since":           {issue.Filter{Sort: issue.SortUpdated, UpdatedAfter: epoch}, "issue_updated_index", false},
		"closed since, last":      {issue.Filter{Sort: issue.SortClosed, ClosedAfter: epoch}, "issue_closed_index", false},
		"by status":               {issue.Filter{Sort: issue.SortStatus}, "issue_status_index", false},
		"by type":                 {issue.Filter{Sort: issue.SortType}, "issue_type_index", false},
		"overdue":                 {issue.Filter{Overdue: true, Now: now}, "issue_due_index", true},
		"deferred":                {issue.Filter{Deferred: true, Now: now}, "issue_defer_index", true},
		"by ids":                  {issue.Filter{IDs: []string{"bd-a"}}, "sqlite_autoindex_issue_1", true},
		"with a label":            {issue.Filter{LabelsAll: []string{"x"}}, "label_label_index", true},
		"children":                {issue.Filter{Parent: "bd-a"}, "dependency_target_index", true},
		"least recently changed":  {issue.Filter{NotStatuses: []string{"closed"}, UpdatedBefore: now, Sort: issue.SortUpdated, Reverse: true}, "issue_updated_index", false},
		"live, last changed":      {issue.Filter{NotStatuses: []string{"closed"}, Sort: issue.SortUpdated}, "issue_updated_index", false},
		"live, newest":            {issue.Filter{NotStatuses: []string{"closed"}, Sort: issue.SortCreated}, "issue_created_index", false},
		"live, by id":             {issue.Filter{NotStatuses: []string{"closed"}, Sort: issue.SortID}, "sqlite_autoindex_issue_1", false},
		"stale":                   {issue.Filter{NotStatuses: []string{"closed"}, UpdatedBefore: now}, "issue_live_index", false},
		"ready, oldest":           {issue.Filter{Ready: true, Now: now, Sort: issue.SortCreated, Reverse: true}, "issue_", true},
		"searched by reading":     {issue.Filter{Text: "x"}, "issue_all_index", false},
		"with an external ticket": {issue.Filter{ExternalRef: "gh-1"}, "issue_external_index", true},
	} {
		t.Run(name, func(t *testing.T) {
			c.filter.Limit = 50
			for _, columns := range []columns{labelled(), heads()} {
				head := false
				got := ask(t, db, func(q *Query) (string, error) {
					text, args, of, err := q.listText(&c.filter, columns)
					if err != nil {
						return "", err
					}
					head = of.text == headColumns
					return plan(t, q, text, args...), nil
				})
				if !strings.Contains(got, c.index) {
					t.Errorf("does not use %s:\n%s", c.index, got)
				}
				if head && !strings.Contains(got, "COVERING") {
					t.Errorf("reads issues:\n%s", got)
				}
				if !c.sorts && strings.Contains(got, "TEMP B-TREE") {
					t.Errorf("sorts:\n%s", got)
				}
				if strings.Contains(got, "SCAN i\n") || strings.HasSuffix(got, "SCAN i") {
					t.Errorf("reads the whole table:\n%s", got)
				}
			}
		})
	}
}

// What people ask for most, as the command does, reads no issue.
func TestUsualLists(t *testing.T) {
	db := newDB(t)
	one := 1
	for _, f := range []issue.Filter{
		{Now: epoch, Types: []string{}, Limit: 51}, {NotStatuses: []string{"closed"}, Now: epoch, Limit: 51},
		{NotStatuses: []string{"closed"}, Priorities: []int{0, 1}}, {PriorityMin: &one, Reverse: true},
	} {
		got := ask(t, db, func(q *Query) (string, error) {
			text, args, _, err := q.listText(&f, heads())
			if err != nil {
				return "", err
			}
			return plan(t, q, text, args...), nil
		})
		if !strings.Contains(got, "COVERING") {
			t.Errorf("%+v reads issues:\n%s", f, got)
		}
	}
}

// A count reads an index and no issue. (What is ready is read from its index too,
// which SQLite does not call covering, since the issue is named in a condition that
// it has not yet looked through; it then never follows the index to the issue.)
func TestCountPlans(t *testing.T) { testCountPlans(t, newDB(t)) }

func testCountPlans(t *testing.T, db *DB) {
	for name, c := range map[string]struct {
		filter issue.Filter
		plan   string
	}{
		"live":           {issue.Filter{NotStatuses: []string{"closed"}}, "COVERING INDEX issue_"},
		"of a status":    {issue.Filter{Statuses: []string{"open"}}, "SEARCH i USING COVERING INDEX issue_status_index"},
		"blocked":        {issue.Filter{Blocked: true}, "COVERING INDEX issue_blocked_index"},
		"ready":          {issue.Filter{Ready: true, Now: epoch}, "INDEX issue_ready_index"},
		"of a type":      {issue.Filter{Types: []string{"bug"}}, "SEARCH i USING COVERING INDEX issue_type_index"},
		"of a priority":  {issue.Filter{Priorities: []int{1}}, "SEARCH i USING COVERING INDEX issue_all_index"},
		"of an assignee": {issue.Filter{Assignee: "alice"}, "SEARCH i USING COVERING INDEX issue_assignee_index"},
		"changed since":  {issue.Filter{UpdatedAfter: epoch}, "SEARCH i USING COVERING INDEX issue_updated_index"},
		"overdue":        {issue.Filter{Overdue: true, Now: epoch}, "SEARCH i USING INDEX issue_due_index"},
		"with a label":   {issue.Filter{LabelsAll: []string{"x"}}, "COVERING INDEX label_label_index"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, db, func(q *Query) (string, error) {
				s, err := q.selectIssues(&c.filter)
				if err != nil {
					return "", err
				}
				return plan(t, q, "SELECT count(*)"+s.from(""), s.args...), nil
			})
			if !strings.Contains(got, c.plan) || strings.Contains(got, "TEMP B-TREE") {
				t.Errorf("is not %s:\n%s", c.plan, got)
			}
		})
	}
}

func TestOtherPlans(t *testing.T) { testOtherPlans(t, newDB(t)) }

func testOtherPlans(t *testing.T, db *DB) {
	for name, c := range map[string]struct {
		text    string
		index   []string
		avoided string
	}{
		"fold of one issue":  {"SELECT id, line FROM operation WHERE issue = ? AND counts = 1 AND id > ? ORDER BY id", []string{"operation_issue_index"}, "TEMP B-TREE"},
		"fold of all":        {foldOrderSQL, []string{"operation_issue_index"}, "TEMP B-TREE"},
		"legacy records":     {"SELECT id FROM operation WHERE issue = ? AND legacy = 1 ORDER BY id", []string{"COVERING INDEX operation_issue_index"}, "TEMP B-TREE"},
		"greatest id":        {"SELECT id FROM operation WHERE id < ? ORDER BY id DESC LIMIT 1", []string{"COVERING INDEX sqlite_autoindex_operation_1"}, "TEMP B-TREE"},
		"who is blocked":     {"SELECT issue FROM dependency WHERE target = ? AND type = 'blocks'", []string{"COVERING INDEX dependency_target_index"}, "SCAN"},
		"and its children":   {"SELECT issue, type = 'blocks' FROM dependency WHERE target = ? AND type IN ('blocks', 'parent-child')", []string{"COVERING INDEX dependency_target_index"}, "SCAN"},
		"blocked directly":   {blockedDirectSQL, []string{"SEARCH d USING PRIMARY KEY", "SEARCH t USING"}, "SCAN d"},
		"parents":            {blockedParentsSQL, []string{"SEARCH d USING PRIMARY KEY"}, "SCAN d"},
		"dependents":         {listDependentsSQL, []string{"dependency_target_index"}, "SCAN d"},
		"prefix of an id":    {startSQL, []string{"sqlite_autoindex_issue_1"}, "TEMP B-TREE"},
		"statuses":           {"SELECT i.status, count(*) FROM issue AS i WHERE i.visible = 1 GROUP BY 1 ORDER BY 1", []string{"COVERING INDEX issue_status_index"}, "TEMP B-TREE"},
		"average lead time":  {leadTimeSQL, []string{"COVERING INDEX issue_closed_index"}, "TEMP"},
		"deleted":            {deletedSQL, []string{"SEARCH issue USING COVERING INDEX issue_hidden_index (existing=?)"}, "TEMP"},
		"count of all":       {countAllSQL, []string{"SCAN issue USING COVERING INDEX issue_hidden_index", "SEARCH issue"}, "SCAN issue\n"},
		"count of states":    {statesSQL, []string{"COVERING INDEX issue_status_index"}, "TEMP"},
		"dependencies":       {listDependenciesSQL, []string{"SEARCH d USING PRIMARY KEY"}, "SCAN d"},
		"comments of a list": {listCommentsSQL, []string{"SEARCH c USING PRIMARY KEY"}, "SCAN c"},
		"children of epics":  {childrenSQL, []string{"dependency_target_index", "sqlite_autoindex_issue_1"}, "SCAN d"},
		"blockers":           {blockersSQL, []string{"SEARCH d USING PRIMARY KEY", "SEARCH t USING"}, "SCAN d"},
		"live parents":       {liveParentsSQL, []string{"SEARCH d USING PRIMARY KEY", "SEARCH p USING"}, "SCAN d"},
		"links of an issue":  {dependenciesSQL, []string{"SEARCH d USING PRIMARY KEY", "SEARCH i USING"}, "SCAN d"},
		"links in brief":     {briefDependenciesSQL, []string{"SEARCH d USING PRIMARY KEY", "SEARCH i USING"}, "SCAN d"},
		"links to in brief":  {briefDependentsSQL, []string{"dependency_target_index", "SEARCH i USING"}, "SCAN d"},
		"links to an issue":  {dependentsSQL, []string{"dependency_target_index", "SEARCH i USING"}, "SCAN d"},
		"way of an edge":     {targetsSQL, []string{"SEARCH d USING PRIMARY KEY", "SEARCH i USING"}, "SCAN d"},
		"edges for cycles":   {edgesSQL, []string{"SCAN d", "SEARCH i USING", "SEARCH t USING"}, "SCAN i"},
		"changed texts":      {changedSQL, []string{"SEARCH o USING INTEGER PRIMARY KEY (rowid>?)", "SEARCH s USING INDEX sqlite_autoindex_operation_1", "SEARCH i USING COVERING INDEX sqlite_autoindex_issue_1"}, "SCAN"},
		"snapshot of texts":  {snapshotSQL, []string{"SEARCH meta USING PRIMARY KEY", "SEARCH operation", "SEARCH issue"}, "SCAN issue"},
		"texts of a part":    {partTextsSQL, []string{"SEARCH i USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"}, "TEMP"},
		"epics":              {epicsEligibleSQL, []string{"issue_type_index", "dependency_target_index"}, "SCAN d"},
		"newest operations":  {recentSQL, []string{"SEARCH operation USING INDEX sqlite_autoindex_operation_1"}, "TEMP B-TREE"},
		"newest of an issue": {recentOfIssueSQL, []string{"SEARCH operation USING INDEX operation_issue_index"}, "TEMP B-TREE FOR ORDER BY"},
		"ids of all lines":   {"SELECT seq, id FROM operation", []string{"COVERING INDEX"}, "TEMP"},
		"lines of some rows": {linesInSQL("operation"), []string{"SEARCH l USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"}, "SCAN l"},
		"lost lines":         {"SELECT issue FROM operation WHERE counts = 0", []string{"operation_lost_index"}, "TEMP"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, db, func(q *Query) (string, error) { return plan(t, q, c.text), nil })
			for _, index := range c.index {
				if !strings.Contains(got, index) {
					t.Errorf("does not use %s:\n%s", index, got)
				}
			}
			if strings.Contains(got, c.avoided) {
				t.Errorf("%s:\n%s", c.avoided, got)
			}
		})
	}
}
