package projection

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/oplog"
)

// at is the time of the n-th operation.
func at(n int) time.Time { return testID(n).Time() }

func quoted(s string) string { return string(op.Str(s)) }

// fixture is a small tracker. Operation n happens at second n.
//
//	epic    the parent of child and done; blocked by blocker
//	child   blocked through epic
//	done    closed
//	other   blocked by done only, so ready
//	later   deferred
//	gone    deleted, blocks nobody
func fixture(t *testing.T) *DB {
	t.Helper()
	db := newDB(t)
	with := func(o *op.Operation, labels string, deps ...op.Dep) *op.Operation {
		o.Add = &op.Elements{Deps: deps}
		if labels != "" {
			o.Add.Labels = strings.Split(labels, ",")
		}
		return o
	}
	apply(t, db,
		operation(1, "init", "", "issue_prefix", `"bd"`, "prefix_aliases", `["old"]`),
		with(operation(2, "create", "bd-epic", "title", `"The Epic"`, "issue_type", `"epic"`, "priority", "1"),
			"area:ui", op.Dep{To: "bd-blocker", Type: "blocks"}),
		with(operation(3, "create", "bd-child", "title", `"A child"`, "priority", "0", "description", quoted("50% of_it")),
			"area:ui,bug", op.Dep{To: "bd-epic", Type: "parent-child"}, op.Dep{To: "bd-nowhere", Type: "related"}),
		with(operation(4, "create", "bd-done", "title", `"finished"`, "notes", quoted("Größe geändert")),
			"", op.Dep{To: "bd-epic", Type: "parent-child"}),
		operation(5, "create", "bd-blocker", "title", `"blocker"`, "priority", "3", "issue_type", `"bug"`),
		with(operation(6, "create", "bd-other", "title", `"other"`, "assignee", `"alice"`, "external_ref", `"gh-7"`, "due_at", quoted(at(50).Format(time.RFC3339))),
			"bug", op.Dep{To: "bd-done", Type: "blocks"}, op.Dep{To: "bd-gone", Type: "blocks"}),
		operation(7, "create", "bd-later", "title", `"Later"`, "owner", `"bob"`, "defer_until", quoted(at(100).Format(time.RFC3339))),
		operation(8, "create", "bd-gone", "title", `"gone"`, "assignee", `"alice"`),
		operation(9, "delete", "bd-gone"),
		operation(14, "close", "bd-done", "status", `"closed"`, "close_reason", `"because"`),
	)
	first, second := operation(20, "comment", "bd-other"), operation(21, "comment", "bd-other")
	first.Comment, second.Comment = &op.CommentText{Text: "one"}, &op.CommentText{Text: "two"}
	apply(t, db, first, second)
	return db
}

func rowIDs(rows []Row) string {
	var ids []string
	for _, r := range rows {
		ids = append(ids, strings.TrimPrefix(r.ID, "bd-"))
	}
	return strings.Join(ids, " ")
}

func TestList(t *testing.T) {
	db := fixture(t)
	zero, one := 0, 1
	now := at(60)
	for name, c := range map[string]struct {
		filter issue.Filter
		want   string
	}{
		"everything, by priority, then age": {issue.Filter{}, "child epic done other later blocker"},
		"reversed":                          {issue.Filter{Reverse: true}, "blocker later other done epic child"},
		"limited":                           {issue.Filter{Limit: 2}, "child epic"},
		"the next ones":                     {issue.Filter{Limit: 2, Offset: 2}, "done other"},
		"all but the first":                 {issue.Filter{Offset: 1}, "epic done other later blocker"},
		"ids":                               {issue.Filter{IDs: []string{"bd-other", "bd-epic", "bd-gone", "bd-none"}}, "epic other"},
		"no ids":                            {issue.Filter{IDs: []string{}}, ""},
		"status":                            {issue.Filter{Statuses: []string{"closed"}}, "done"},
		"statuses":                          {issue.Filter{Statuses: []string{"closed", "open"}, Limit: 3}, "child epic done"},
		"not a status":                      {issue.Filter{NotStatuses: []string{"open"}}, "done"},
		"not closed":                        {issue.Filter{NotStatuses: []string{"closed"}}, "child epic other later blocker"},
		"type":                              {issue.Filter{Types: []string{"epic"}}, "epic"},
		"types":                             {issue.Filter{Types: []string{"epic", "bug"}}, "epic blocker"},
		"not types":                         {issue.Filter{NotTypes: []string{"epic", "task"}}, "blocker"},
		"priorities":                        {issue.Filter{Priorities: []int{0, 3}}, "child blocker"},
		"priority range":                    {issue.Filter{PriorityMin: &zero, PriorityMax: &one}, "child epic"},
		"assignee":                          {issue.Filter{Assignee: "alice"}, "other"},
		"unassigned":                        {issue.Filter{Unassigned: true, Limit: 1}, "child"},
		"owner":                             {issue.Filter{Owner: "bob"}, "later"},
		"external reference":                {issue.Filter{ExternalRef: "gh-7"}, "other"},
		"all labels":                        {issue.Filter{LabelsAll: []string{"area:ui", "bug"}}, "child"},
		"any label":                         {issue.Filter{LabelsAny: []string{"area:ui", "none"}}, "child epic"},
		"label pattern":                     {issue.Filter{LabelPattern: "area:*"}, "child epic"},
		"no labels":                         {issue.Filter{NoLabels: true}, "done later blocker"},
		"text in a title, any case":         {issue.Filter{Text: "EPIC"}, "epic"},
		"text in an id":                     {issue.Filter{Text: "bd-ot"}, "other"},
		"text in a description":             {issue.Filter{Text: "50% OF_"}, "child"},
		"text with a wildcard that is none": {issue.Filter{Text: "5%of"}, ""},
		"text with a backslash":             {issue.Filter{Text: `o\f`}, ""},
		"text beyond ASCII, any case":       {issue.Filter{Text: "GRÖSSE GEÄ"}, ""},
		"text beyond ASCII":                 {issue.Filter{Text: "gröẞe GEÄ"}, "done"},
		"title":                             {issue.Filter{TitleContains: "child"}, "child"},
		"description":                       {issue.Filter{DescContains: "of"}, "child"},
		"notes":                             {issue.Filter{NotesContains: "ändert"}, "done"},
		"empty description":                 {issue.Filter{EmptyDesc: true, Types: []string{"task"}}, "done other later"},
		"parent":                            {issue.Filter{Parent: "bd-epic"}, "child done"},
		"no parent":                         {issue.Filter{NoParent: true}, "epic other later blocker"},
		"created since, inclusive":          {issue.Filter{CreatedAfter: at(6)}, "other later"},
		"created before, exclusive":         {issue.Filter{CreatedBefore: at(3)}, "epic"},
		"updated since":                     {issue.Filter{UpdatedAfter: at(14)}, "done other"},
		"closed between":                    {issue.Filter{ClosedAfter: at(14), ClosedBefore: at(15)}, "done"},
		"closed before it was":              {issue.Filter{ClosedBefore: at(14)}, ""},
		"due":                               {issue.Filter{DueBefore: at(51)}, "other"},
		"overdue":                           {issue.Filter{Overdue: true, Now: now}, "other"},
		"not yet overdue":                   {issue.Filter{Overdue: true, Now: at(50)}, ""},
		"deferred":                          {issue.Filter{Deferred: true, Now: now}, "later"},
		"no longer deferred":                {issue.Filter{Deferred: true, Now: at(100)}, ""},
		"ready":                             {issue.Filter{Ready: true, Now: now}, "other blocker"},
		"ready when no longer deferred":     {issue.Filter{Ready: true, Now: at(100)}, "other later blocker"},
		"blocked":                           {issue.Filter{Blocked: true}, "child epic"},
		"hostile text":                      {issue.Filter{Assignee: `' OR 1=1 --`}, ""},
		"by id":                             {issue.Filter{Sort: issue.SortID}, "blocker child done epic later other"},
		"by title":                          {issue.Filter{Sort: issue.SortTitle}, "child blocker done later other epic"},
		"newest first":                      {issue.Filter{Sort: issue.SortCreated}, "later other blocker done child epic"},
		"oldest first":                      {issue.Filter{Sort: issue.SortCreated, Reverse: true}, "epic child done blocker other later"},
		"last changed first":                {issue.Filter{Sort: issue.SortUpdated, Limit: 2}, "other done"},
		"last closed first":                 {issue.Filter{Sort: issue.SortClosed, Limit: 1}, "done"},
		"soonest due first":                 {issue.Filter{Sort: issue.SortDue, Limit: 1}, "other"},
		"by priority, then newest":          {issue.Filter{Sort: issue.SortPriority}, "child epic later other done blocker"},
		"by status":                         {issue.Filter{Sort: issue.SortStatus}, "done child epic other later blocker"},
		"by type":                           {issue.Filter{Sort: issue.SortType, Limit: 2}, "blocker epic"},
		"by assignee, none last":            {issue.Filter{Sort: issue.SortAssignee, Limit: 2}, "other child"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := ask(t, db, func(q *Query) ([]Row, error) { return q.List(c.filter) })
			if got := rowIDs(rows); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.filter.Limit > 0 || c.filter.Offset > 0 {
				return
			}
			if n := ask(t, db, func(q *Query) (int, error) { return q.Count(c.filter) }); n != len(rows) {
				t.Errorf("counted %d, listed %d", n, len(rows))
			}
		})
	}
	for name, f := range map[string]issue.Filter{"unknown sort": {Sort: "size"}, "ready without a time": {Ready: true}} {
		err := db.View(context.Background(), func(q *Query) error { _, err := q.List(f); return err })
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRow(t *testing.T) {
	db := fixture(t)
	rows := ask(t, db, func(q *Query) ([]Row, error) { return q.List(issue.Filter{}) })
	summary := make(map[string]string)
	for _, r := range rows {
		var targets []string
		for _, d := range r.Dependencies {
			targets = append(targets, d.Type+":"+d.To)
		}
		summary[r.ID] = fmt.Sprint(r.Labels, targets, r.DependencyCount, r.DependentCount, r.CommentCount, r.Blocked)
	}
	want := map[string]string{
		"bd-epic":    "[area:ui] [blocks:bd-blocker] 1 2 0 true",
		"bd-child":   "[area:ui bug] [parent-child:bd-epic related:bd-nowhere] 2 0 0 true",
		"bd-done":    "[] [parent-child:bd-epic] 1 1 0 false",
		"bd-blocker": "[] [] 0 1 0 false",
		"bd-other":   "[bug] [blocks:bd-done blocks:bd-gone] 2 0 2 false",
		"bd-later":   "[] [] 0 0 0 false",
	}
	if !reflect.DeepEqual(summary, want) {
		t.Errorf("got  %v\nwant %v", summary, want)
	}
}

// Heads are rows of which less is filled, whichever index they are read from.
func TestHeads(t *testing.T) {
	db := fixture(t)
	live := []string{issue.StatusClosed}
	for name, f := range map[string]issue.Filter{
		"all": {}, "reversed": {Reverse: true}, "not closed": {NotStatuses: live}, "the next two": {NotStatuses: live, Limit: 2, Offset: 1},
		"of a status": {Statuses: []string{issue.StatusOpen}}, "by title": {Sort: issue.SortTitle}, "found": {Text: "er"},
	} {
		heads := ask(t, db, func(q *Query) ([]Row, error) { return q.Heads(f) })
		var got, want []string
		for n, list := range [][]Row{heads, ask(t, db, func(q *Query) ([]Row, error) { return q.Rows(f) })} {
			for _, r := range list {
				line := fmt.Sprint(r.ID, r.Title, r.Status, r.Priority, r.Type, r.Assignee, r.Labels, r.Blocked)
				if n == 0 {
					got = append(got, line)
				} else {
					want = append(want, line)
				}
			}
		}
		if len(want) < 2 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
	}
}

// A list longer than one chunk of decoration is the same as one by one.
func TestListOfMany(t *testing.T) {
	db := loaded(t, tracker(t, decorated+decorated/2))
	rows := ask(t, db, func(q *Query) ([]Row, error) { return q.List(issue.Filter{}) })
	if len(rows) <= decorated {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		one := ask(t, db, func(q *Query) ([]Row, error) { return q.List(issue.Filter{IDs: []string{r.ID}}) })
		if len(one) != 1 || !reflect.DeepEqual(one[0], r) {
			t.Fatalf("alone %+v\nin the list %+v", one, r)
		}
	}
}

func TestBlocked(t *testing.T) {
	rows := ask(t, fixture(t), func(q *Query) ([]BlockedRow, error) { return q.Blocked(issue.Filter{}) })
	var got []string
	for _, r := range rows {
		got = append(got, r.ID+" by "+strings.Join(r.BlockedBy, ","))
	}
	want := []string{"bd-child by bd-blocker", "bd-epic by bd-blocker"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCountBy(t *testing.T) {
	db := fixture(t)
	for key, want := range map[string]string{
		"status":   "[{closed 1} {open 5}]",
		"priority": "[{0 1} {1 1} {2 3} {3 1}]",
		"type":     "[{bug 1} {epic 1} {task 4}]",
		"assignee": "[{(unassigned) 5} {alice 1}]",
		"label":    "[{(no labels) 3} {area:ui 2} {bug 2}]",
		"parent":   "[{(no parent) 4} {bd-epic 2}]",
	} {
		groups := ask(t, db, func(q *Query) ([]Group, error) { return q.CountBy(issue.Filter{}, key) })
		if got := fmt.Sprint(groups); got != want {
			t.Errorf("by %s: %s, want %s", key, got, want)
		}
	}
	groups := ask(t, db, func(q *Query) ([]Group, error) { return q.CountBy(issue.Filter{Types: []string{"bug"}}, "priority") })
	if got := fmt.Sprint(groups); got != "[{3 1}]" {
		t.Errorf("bugs by priority: %s", got)
	}
	err := db.View(context.Background(), func(q *Query) error { _, err := q.CountBy(issue.Filter{}, "size"); return err })
	if err == nil || !strings.Contains(err.Error(), `"size"`) {
		t.Errorf("unknown key: %v", err)
	}
	labels := ask(t, db, (*Query).Labels)
	if got := fmt.Sprint(labels); got != "[{area:ui 2} {bug 2}]" {
		t.Errorf("labels: %s", got)
	}
}

func TestStats(t *testing.T) {
	db := fixture(t)
	apply(t, db, operation(30, "close", "bd-child", "status", `"closed"`), operation(31, "update", "bd-later", "status", `"pinned"`))
	got := ask(t, db, func(q *Query) (Stats, error) { return q.Stats(at(60)) })
	want := Stats{
		Total: 6, Open: 3, Closed: 2, Blocked: 1, Ready: 2, Pinned: 1, Deleted: 1,
		EpicsEligibleForClosure: 1,
		AverageLeadTime:         (10*time.Second + 27*time.Second) / 2,
		ByStatus:                []Group{{"closed", 2}, {"open", 3}, {"pinned", 1}},
		ByType:                  []Group{{"bug", 1}, {"epic", 1}, {"task", 4}},
		ByPriority:              []Group{{"0", 1}, {"1", 1}, {"2", 3}, {"3", 1}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	empty := ask(t, newDB(t), func(q *Query) (Stats, error) { return q.Stats(at(60)) })
	if !reflect.DeepEqual(empty, Stats{}) {
		t.Errorf("of nothing: %+v", empty)
	}
}

func TestHistory(t *testing.T) {
	db := newDB(t)
	claim := operation(4, "claim", "bd-a", "assignee", `"bob"`)
	claim.If = &op.Condition{Unassigned: true, Lease: 3600}
	again := operation(5, "claim", "bd-a", "assignee", `"carol"`)
	again.If = &op.Condition{Unassigned: true, Lease: 3600}
	apply(t, db,
		operation(1, "update", "bd-a", "notes", `"early"`),
		operation(2, "create", "bd-a", "title", `"A"`),
		claim, again,
		operation(7, "delete", "bd-a"),
		operation(8, "update", "bd-a", "title", `"hidden"`),
		operation(9, "restore", "bd-a"),
	)
	applyLines(t, db, fmt.Appendf(nil, `{"op":"%s","v":2,"do":"update","issue":"bd-a"}`, testID(6)))
	entries := ask(t, db, func(q *Query) ([]HistoryEntry, error) { return q.History("bd-a") })
	var got []string
	for _, e := range entries {
		got = append(got, e.Op.Do+"="+e.Effect)
	}
	want := []string{"update=hidden", "create=", "claim=", "claim=void", "update=newer version", "delete=", "update=hidden", "restore="}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	problems := ask(t, db, (*Query).Problems)
	if len(problems) != 1 || problems[0].Kind != op.NewerVersion {
		t.Errorf("problems %+v", problems)
	}
}

// Each gives every visible issue as Issue does, in order; its function may ask.
func TestEach(t *testing.T) {
	db := fixture(t)
	var ids []string
	err := db.View(context.Background(), func(q *Query) error {
		return q.Each(func(i issue.Issue) error {
			ids = append(ids, i.ID)
			alone, err := q.Issue(i.ID)
			if !reflect.DeepEqual(alone, i) {
				t.Errorf("alone %+v\n in Each %+v", alone, i)
			}
			return err
		})
	})
	want := []string{"bd-blocker", "bd-child", "bd-done", "bd-epic", "bd-later", "bd-other"}
	if err != nil || !slices.Equal(ids, want) {
		t.Errorf("got %q, %v", ids, err)
	}
}

func TestSettingsAndIDs(t *testing.T) {
	db := fixture(t)
	settings := ask(t, db, (*Query).Settings)
	if settings.Prefix() != "bd" || !slices.Equal(settings.Aliases(), []string{"old"}) || settings.Last != testID(1) {
		t.Errorf("settings %+v", settings)
	}
	for name, c := range map[string]struct {
		ask  func(*Query) (op.ID, error)
		want op.ID
	}{
		"greatest now":             {func(q *Query) (op.ID, error) { return q.MaxID(at(60)) }, testID(21)},
		"greatest in its instant":  {func(q *Query) (op.ID, error) { return q.MaxID(at(14)) }, testID(14)},
		"greatest just before":     {func(q *Query) (op.ID, error) { return q.MaxID(at(14).Add(-time.Millisecond)) }, testID(9)},
		"greatest before all":      {func(q *Query) (op.ID, error) { return q.MaxID(at(0)) }, op.ID{}},
		"greatest of an issue":     {func(q *Query) (op.ID, error) { return q.IssueMaxID("bd-done") }, testID(14)},
		"greatest of the settings": {func(q *Query) (op.ID, error) { return q.IssueMaxID("") }, testID(1)},
		"greatest of none":         {func(q *Query) (op.ID, error) { return q.IssueMaxID("bd-none") }, op.ID{}},
	} {
		if got := ask(t, db, c.ask); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestCursorAndQuarantine(t *testing.T) {
	db := newDB(t)
	cursor := oplog.Cursor{
		Info:   oplog.Info{Dev: 1<<64 - 1, Inode: 1<<63 + 5, Size: 7, ModTime: -1, ChangeTime: 9},
		Offset: 6, Lines: 2, Tail: [32]byte{1, 31: 2},
	}
	bad := oplog.Entry{Bad: &op.BadLine{Reason: "not JSON"}, Raw: []byte("x\x00y"), Line: 3, Offset: 40}
	empty := oplog.Entry{Bad: &op.BadLine{Reason: "nothing"}}
	must(t, db.Update(context.Background(), func(tx *Tx) error {
		for _, c := range []struct {
			file  string
			entry oplog.Entry
			added bool
		}{{"log", bad, true}, {"log", bad, false}, {"guard", bad, true}, {"log", empty, true}} {
			if added, err := tx.Quarantine(c.file, c.entry); err != nil || added != c.added {
				t.Errorf("quarantine %s %q: %t, %v", c.file, c.entry.Raw, added, err)
			}
		}
		must(t, tx.SetCursor(GuardCopy, oplog.Cursor{}))
		return tx.SetCursor(LogCopy, cursor)
	}))
	if got := ask(t, db, func(q *Query) (oplog.Cursor, error) { return q.Cursor(LogCopy) }); got != cursor {
		t.Errorf("cursor %+v", got)
	}
	if got := ask(t, db, func(q *Query) (oplog.Cursor, error) { return q.Cursor(SourceCopy) }); got != (oplog.Cursor{}) {
		t.Errorf("cursor of a copy never read: %+v", got)
	}
	must(t, db.Rebuild(context.Background(), true, func(*Tx) error { return nil }))
	entries := ask(t, db, (*Query).Quarantined)
	want := QuarantineEntry{File: "log", Line: 3, Offset: 40, Reason: "not JSON", Raw: bad.Raw}
	if len(entries) != 3 || !reflect.DeepEqual(entries[0], want) {
		t.Errorf("after a rebuild: %+v", entries)
	}
	if n := ask(t, db, (*Query).QuarantineCount); n != 3 {
		t.Errorf("%d in quarantine", n)
	}
}

// Every field survives the way into the database and back.
func TestRoundTrip(t *testing.T) {
	db := newDB(t)
	o := operation(1, "import", "bd-a",
		"title", `"T\u0000x"`, "description", `"d\n\"q\""`, "design", `"ds"`, "acceptance_criteria", `"ac"`, "notes", `"n"`,
		"status", `"strange"`, "priority", "4", "issue_type", `"odd"`, "assignee", `"a"`, "owner", `"o"`, "estimated_minutes", "90",
		"external_ref", `"e"`, "metadata", `{"k":[1,2]}`, "due_at", `"2026-02-01T10:00:00.123456Z"`, "defer_until", `"2026-02-02T00:00:00Z"`,
		"created_at", `"1969-12-31T23:59:59.999999Z"`, "updated_at", `"2026-01-01T00:00:00Z"`,
		"my_field", `{"n":1.50}`, "other \" field", `[1e400]`)
	apply(t, db, o)
	record := decode(t, encode(t, o))
	want, _ := op.Fold("bd-a", []*op.Operation{record.Op})
	got := ask(t, db, func(q *Query) (op.State, error) { return q.State("bd-a") })
	if !reflect.DeepEqual(normal(got), normal(want)) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
