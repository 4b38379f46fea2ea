package acceptance

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// answers holds what a clone says against the snapshot that was imported there.
type answers struct {
	*snapshot
	c *clone
}

// equal demands that a command printed these ids, in this order.
func (a answers) equal(got, want []string, args ...string) {
	a.c.t.Helper()
	if !slices.Equal(got, want) {
		missing := slices.DeleteFunc(slices.Clone(want), func(id string) bool { return slices.Contains(got, id) })
		extra := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return slices.Contains(want, id) })
		a.c.t.Errorf("bd %s: %d issues, the records have %d; missing: %v; too many: %v; or the order differs",
			strings.Join(args, " "), len(got), len(want), missing, extra)
	}
}

// ids runs a command that lists issues.
func (a answers) ids(args ...string) []string {
	a.c.t.Helper()
	return strings.Fields(a.c.must(append(args, "--format", "ids", "-n", "0")...))
}

func (a answers) decode(to any, args ...string) {
	a.c.t.Helper()
	must(a.c.t, json.Unmarshal([]byte(a.c.must(append(args, "--json")...)), to))
}

// holds asks list and count for what a filter selects of all issues.
func (a answers) holds(holds func(rec) bool, args ...string) {
	a.c.t.Helper()
	want := a.choose(holds)
	a.equal(a.ids(append([]string{"list", "--all", "--sort", "id"}, args...)...), want, append([]string{"list"}, args...)...)
	var count struct{ Count int }
	if a.decode(&count, append([]string{"count"}, args...)...); count.Count != len(want) {
		a.c.t.Errorf("bd count %s: %d, the records have %d", strings.Join(args, " "), count.Count, len(want))
	}
}

var everywhere = []string{"id", "title", "description", "design", "acceptance_criteria", "notes"}

// filters are the filters on one field each, and some together.
func (a answers) filters() {
	a.c.t.Helper()
	one := func(name string, flag string) {
		for _, value := range a.most(3, field(name)) {
			a.holds(func(r rec) bool { return r.text(name) == value }, flag, value)
		}
	}
	a.holds(func(rec) bool { return true })
	one("status", "--status")
	one("issue_type", "--type")
	one("assignee", "--assignee")
	one("owner", "--owner")
	one("external_ref", "--external-ref")
	for n := range 5 {
		a.holds(func(r rec) bool { return r.priority() == n }, "--priority", fmt.Sprint(n))
		a.holds(func(r rec) bool { return r.priority() >= n }, "--priority-min", fmt.Sprint(n))
		a.holds(func(r rec) bool { return r.priority() <= n }, "--priority-max", fmt.Sprint(n))
	}
	a.holds(func(r rec) bool { return r.priority() == 0 || r.priority() == 3 }, "-p", "0,3")
	types := a.most(2, field("issue_type"))
	a.holds(func(r rec) bool { return slices.Contains(types, r.text("issue_type")) }, "-t", strings.Join(types, ","))
	a.holds(func(r rec) bool { return !slices.Contains(types, r.text("issue_type")) }, "--exclude-type", strings.Join(types, ","))
	a.holds(func(r rec) bool { return r.text("assignee") == "" }, "--unassigned")
	a.holds(func(r rec) bool { return r.text("description") == "" }, "--empty-description")
	a.holds(func(r rec) bool { return len(r.labels()) == 0 }, "--no-labels")
	a.holds(func(r rec) bool { return len(parents(r)) == 0 }, "--no-parent")
	for _, label := range a.most(3, rec.labels) {
		a.holds(func(r rec) bool { return r.has(label) }, "--label", label)
	}
	labels := a.most(2, rec.labels)
	a.holds(func(r rec) bool { return r.has(labels[0]) && r.has(labels[1]) }, "-l", strings.Join(labels, ","))
	a.holds(func(r rec) bool { return r.has(labels[0]) || r.has(labels[1]) }, "--label-any", strings.Join(labels, ","))
	for _, pattern := range []string{"*e*", labels[0][:1] + "*"} {
		a.holds(func(r rec) bool {
			return slices.ContainsFunc(r.labels(), func(l string) bool { ok, _ := path.Match(pattern, l); return ok })
		}, "--label-pattern", pattern)
	}
	for _, parent := range a.most(3, parents) {
		if a.byID[parent] != nil { // the parent itself may be gone
			a.holds(func(r rec) bool { return slices.Contains(parents(r), parent) }, "--parent", parent)
			a.equal(a.ids("children", parent, "--sort", "id"), a.choose(func(r rec) bool { return slices.Contains(parents(r), parent) }), "children", parent)
		}
	}
	for _, text := range []string{"SYNC", "the", "100%", "_", "test"} {
		a.holds(func(r rec) bool { return r.contains(text, everywhere...) }, "--text", text)
		a.holds(func(r rec) bool { return r.contains(text, "title") }, "--title-contains", text)
		a.holds(func(r rec) bool { return r.contains(text, "description") }, "--desc-contains", text)
		a.holds(func(r rec) bool { return r.contains(text, "notes") }, "--notes-contains", text)
		a.equal(a.ids("search", text, "--sort", "id"), a.choose(func(r rec) bool { return r.contains(text, everywhere...) }), "search", text)
	}
	some := a.most(2, func(r rec) []string { return []string{r.id()} })
	a.holds(func(r rec) bool { return slices.Contains(some, r.id()) }, "--id", strings.Join(some, ","))
	a.holds(func(r rec) bool {
		return r.closed() && r.priority() <= 1 && r.text("issue_type") == types[0] && r.contains("a", "title")
	},
		"-s", "closed", "--priority-max", "1", "-t", types[0], "--title", "a")
	a.equal(a.ids("list", "--sort", "id"), a.choose(func(r rec) bool { return !r.closed() }), "list")
}

// dates are the filters on times, each with a moment that some record has: it
// counts for after and not for before.
func (a answers) dates() {
	a.c.t.Helper()
	for name, flag := range map[string]string{"created_at": "created", "updated_at": "updated", "closed_at": "closed", "due_at": "due"} {
		var times []time.Time
		for _, r := range a.recs {
			if at := r.at(name); !at.IsZero() {
				times = append(times, at)
			}
		}
		if len(times) == 0 {
			times = append(times, a.now)
		}
		slices.SortFunc(times, time.Time.Compare)
		for _, at := range []time.Time{times[0], times[len(times)/2], times[len(times)-1]} {
			text := at.Format(time.RFC3339Nano)
			a.holds(func(r rec) bool { return !r.at(name).IsZero() && !r.at(name).Before(at) }, "--"+flag+"-after", text)
			a.holds(func(r rec) bool { return !r.at(name).IsZero() && r.at(name).Before(at) }, "--"+flag+"-before", text)
		}
		middle := times[len(times)/2].UTC()
		day := time.Date(middle.Year(), middle.Month(), middle.Day(), 0, 0, 0, 0, time.UTC)
		a.holds(func(r rec) bool { return !r.at(name).Before(day) && r.at(name).Before(day.AddDate(0, 0, 1)) },
			"--"+flag+"-after", day.Format(time.DateOnly), "--"+flag+"-before", day.AddDate(0, 0, 1).Format(time.DateOnly))
	}
	a.holds(func(r rec) bool { return !r.at("due_at").IsZero() && r.at("due_at").Before(a.now) && !r.closed() }, "--overdue")
	a.holds(func(r rec) bool { return r.at("defer_until").After(a.now) }, "--deferred")
	for _, days := range []int{0, 30, 310, 400} {
		want := slices.SortedFunc(slices.Values(a.choose(func(r rec) bool {
			return !r.closed() && r.at("updated_at").Before(a.now.AddDate(0, 0, -days))
		})), a.by("updated_at", false))
		a.equal(a.ids("stale", "--days", fmt.Sprint(days)), want, "stale", "--days", fmt.Sprint(days))
	}
}

// by orders ids by a time, then by id.
func (a answers) by(name string, newest bool) func(x, y string) int {
	return func(x, y string) int {
		c := a.byID[x].at(name).Compare(a.byID[y].at(name))
		if newest {
			c = -c
		}
		if c == 0 {
			c = strings.Compare(x, y)
		}
		return c
	}
}

// orders are --sort and the limit.
func (a answers) orders() {
	a.c.t.Helper()
	open := a.choose(func(r rec) bool { return !r.closed() })
	a.equal(a.ids("list"), a.urgentFirst(open), "list")
	for name, sort := range map[string]string{"created_at": "created", "updated_at": "updated"} {
		want := slices.SortedFunc(slices.Values(open), a.by(name, true))
		a.equal(a.ids("list", "--sort", sort), want, "list", "--sort", sort)
	}
	var first []struct{ ID string }
	a.decode(&first, "list", "-n", "3")
	for n, i := range first {
		if i.ID != a.urgentFirst(open)[n] {
			a.c.t.Errorf("bd list -n 3: %d is %s", n, i.ID)
		}
	}
}

// waiting are ready and blocked.
func (a answers) waiting() {
	a.c.t.Helper()
	ready := a.urgentFirst(a.choose(a.ready))
	a.equal(a.ids("ready"), ready, "ready")
	a.equal(a.ids("list", "--ready"), ready, "list", "--ready")
	oldest := slices.SortedFunc(slices.Values(ready), a.by("created_at", false))
	a.equal(a.ids("ready", "--sort", "oldest"), oldest, "ready", "--sort", "oldest")
	for _, kind := range a.most(4, field("issue_type")) {
		want := slices.DeleteFunc(slices.Clone(ready), func(id string) bool { return a.byID[id].text("issue_type") != kind })
		a.equal(a.ids("ready", "-t", kind), want, "ready", "-t", kind)
	}
	var rows []struct {
		ID string
		By []string `json:"blocked_by"`
		N  int      `json:"blocked_by_count"`
	}
	a.decode(&rows, "blocked")
	got := []string{}
	for _, row := range rows {
		got = append(got, row.ID)
		by := a.waitsFor(a.byID[row.ID], map[string]bool{})
		if slices.Sort(row.By); !slices.Equal(row.By, by) || row.N != len(by) {
			a.c.t.Errorf("bd blocked: %s waits for %v (%d), by the records for %v", row.ID, row.By, row.N, by)
		}
	}
	a.equal(got, a.urgentFirst(a.choose(func(r rec) bool { return a.blocked(r, map[string]bool{}) })), "blocked")
}

// waitsFor is what blocks r directly, else what blocks its parents.
func (a answers) waitsFor(r rec, seen map[string]bool) []string {
	by := a.blockers(r)
	if seen[r.id()] || len(by) > 0 {
		return by
	}
	seen[r.id()] = true
	for _, id := range parents(r) {
		if parent := a.byID[id]; parent != nil && !parent.closed() {
			by = append(by, a.waitsFor(parent, seen)...)
		}
	}
	slices.Sort(by)
	return slices.Compact(by)
}
