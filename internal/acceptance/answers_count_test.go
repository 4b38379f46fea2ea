package acceptance

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// counted are count --by-… and status.
func (a answers) counted() {
	a.c.t.Helper()
	none := map[string]string{"assignee": "(unassigned)", "label": "(no labels)", "parent": "(no parent)"} // upstream's words
	for key, values := range map[string]func(rec) []string{
		"status": field("status"), "type": field("issue_type"), "assignee": field("assignee"),
		"priority": priorities, "label": rec.labels, "parent": parents,
	} {
		var got struct {
			Total  int
			Groups []struct {
				Group string
				Count int
			}
		}
		a.decode(&got, "count", "--by-"+key)
		groups := map[string]int{}
		for _, g := range got.Groups {
			groups[g.Group] = g.Count
		}
		want := a.groups(values)
		if n := want[""]; n > 0 && none[key] != "" {
			delete(want, "")
			want[none[key]] = n
		}
		if !maps.Equal(groups, want) || got.Total != len(a.recs) {
			a.c.t.Errorf("bd count --by-%s: %d in %v, the records have %d in %v", key, got.Total, groups, len(a.recs), want)
		}
	}
	var got struct{ Summary map[string]float64 }
	a.decode(&got, "status")
	status := a.groups(field("status"))
	lead, closed := 0.0, 0.0
	for _, r := range a.recs {
		if at := r.at("closed_at"); r.closed() && !at.IsZero() {
			lead, closed = lead+at.Sub(r.at("created_at")).Hours(), closed+1
		}
	}
	for name, want := range map[string]int{
		"total_issues": len(a.recs), "open_issues": status["open"], "in_progress_issues": status["in_progress"], "closed_issues": status["closed"],
		"deferred_issues": status["deferred"], "pinned_issues": status["pinned"], "ready_issues": len(a.choose(a.ready)),
		"blocked_issues": len(a.choose(func(r rec) bool { return a.blocked(r, map[string]bool{}) })),
		"open_deferred_issues": len(a.choose(func(r rec) bool {
			return r.text("status") == "open" && !a.blocked(r, map[string]bool{}) && !a.ready(r)
		})),
		"epics_eligible_for_closure": len(a.choose(func(r rec) bool { n, c := a.progress(r); return r.openEpic() && n > 0 && n == c })),
	} {
		if int(got.Summary[name]) != want {
			a.c.t.Errorf("bd status: %s is %v, by the records %d", name, got.Summary[name], want)
		}
	}
	if want := lead / closed; math.Abs(got.Summary["average_lead_time_hours"]-want) > 0.01 {
		a.c.t.Errorf("bd status: average_lead_time_hours is %v, by the records %v", got.Summary["average_lead_time_hours"], want)
	}
}

func (r rec) openEpic() bool { return r.text("issue_type") == "epic" && !r.closed() }

// progress is how many children an issue has, and how many of them are closed.
func (s *snapshot) progress(epic rec) (children, closed int) {
	for _, r := range s.recs {
		if slices.Contains(parents(r), epic.id()) {
			children++
			if r.closed() {
				closed++
			}
		}
	}
	return children, closed
}

// family are epic status, and show's dependencies and dependents.
func (a answers) family() {
	a.c.t.Helper()
	var epics []struct {
		Epic     struct{ ID string }
		Children int  `json:"total_children"`
		Closed   int  `json:"closed_children"`
		Eligible bool `json:"eligible_for_close"`
	}
	a.decode(&epics, "epic", "status")
	got := []string{}
	for _, e := range epics {
		got = append(got, e.Epic.ID)
		children, closed := a.progress(a.byID[e.Epic.ID])
		if e.Children != children || e.Closed != closed || e.Eligible != (children > 0 && children == closed) {
			a.c.t.Errorf("bd epic status: %+v, by the records %d of %d", e, closed, children)
		}
	}
	a.equal(got, a.urgentFirst(a.choose(rec.openEpic)), "epic", "status")

	var rows []struct {
		ID         string
		On         int `json:"dependency_count"`
		Dependents int `json:"dependent_count"`
		Comments   int `json:"comment_count"`
	}
	a.decode(&rows, "list", "--all")
	on, by, comments := map[string]int{}, map[string]int{}, map[string]int{}
	for _, r := range a.recs {
		list, _ := r["dependencies"].([]any)
		on[r.id()] = len(list)
		for _, d := range list {
			by[d.(map[string]any)["depends_on_id"].(string)]++
		}
		said, _ := r["comments"].([]any)
		comments[r.id()] = len(said)
	}
	for _, row := range rows {
		if row.On != on[row.ID] || row.Dependents != by[row.ID] || row.Comments != comments[row.ID] {
			a.c.t.Errorf("bd list: %+v, by the records %d, %d and %d", row, on[row.ID], by[row.ID], comments[row.ID])
		}
	}
}

// queries are expressions, among them each of the words that filters have too.
func (a answers) queries() {
	a.c.t.Helper()
	kind, label, parent := a.most(1, field("issue_type"))[0], a.most(1, rec.labels)[0], a.most(1, parents)[0]
	middle := a.recs[len(a.recs)/2].at("created_at").UTC().Format("2006-01-02")
	for expression, holds := range map[string]func(rec) bool{
		"priority<=1 AND type=" + kind:      func(r rec) bool { return r.priority() <= 1 && r.text("issue_type") == kind },
		"type!=" + kind:                     func(r rec) bool { return r.text("issue_type") != kind },
		"label=" + label + " OR title~SYNC": func(r rec) bool { return r.has(label) || r.contains("sync", "title") },
		"NOT (assignee=none)":               func(r rec) bool { return r.text("assignee") != "" },
		"assignee!=none priority>2":         func(r rec) bool { return r.text("assignee") != "" && r.priority() > 2 },
		"parent=" + parent:                  func(r rec) bool { return slices.Contains(parents(r), parent) },
		"text~daemon":                       func(r rec) bool { return r.contains("daemon", everywhere...) },
		"description=none":                  func(r rec) bool { return r.text("description") == "" },
		"status=closed closed>=" + middle: func(r rec) bool {
			return r.closed() && r.text("closed_at") != "" && r.at("closed_at").UTC().Format("2006-01-02") >= middle
		},
		"created<" + middle: func(r rec) bool { return r.at("created_at").UTC().Format("2006-01-02") < middle },
		"created=" + middle: func(r rec) bool { return r.at("created_at").UTC().Format("2006-01-02") == middle },
		"updated>300d":      func(r rec) bool { return r.at("updated_at").After(a.now.AddDate(0, 0, -300)) },
		"ready":             a.ready,
		"blocked":           func(r rec) bool { return a.blocked(r, map[string]bool{}) },
		"close_reason~done OR created_by=" + strings.Join(a.most(1, field("created_by")), ""): func(r rec) bool {
			return r.contains("done", "close_reason") || r.text("created_by") == a.most(1, field("created_by"))[0]
		},
	} {
		a.equal(a.ids("query", expression, "--all", "--sort", "id"), a.choose(holds), "query", expression)
	}
	a.equal(a.ids("query", "priority<=1", "--sort", "id"), a.choose(func(r rec) bool { return r.priority() <= 1 && !r.closed() }), "query", "priority<=1")
}
