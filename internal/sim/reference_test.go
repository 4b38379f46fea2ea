package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
)

// checkReference compares every issue with what the rules of docs/log-format.md
// make of its operations, written here a second time and as plainly as possible.
// Replicas that agree on something wrong differ from it. Issues with snapshot
// records are left out: of them only equality is known.
func (w *world) checkReference() {
	w.Helper()
	lines := w.sites[0].lines()
	issues := map[string]bool{}
	for _, l := range lines {
		record, err := op.Read([]byte(l.text))
		w.must(err)
		issues[record.Op.Issue] = true
	}
	w.sites[0].view(func(q *projection.Query) error {
		for _, id := range slices.Sorted(maps.Keys(issues)) {
			r, plain := w.fold(lines, id)
			if !plain {
				continue
			}
			got, err := describe(q, id)
			if err != nil {
				return err
			}
			if want := r.describe(id); got != want {
				w.Errorf("%q is\n%s\nand its operations make\n%s", id, got, want)
			}
		}
		return nil
	})
}

// fold applies the operations of one issue in the order of their ids. plain is
// false if there are snapshot records among them.
func (w *world) fold(lines []line, id string) (r *reference, plain bool) {
	counts := map[op.ID]string{}
	for _, l := range lines {
		if other := counts[l.id]; other == "" || l.text < other { // of two lines with one id the smaller counts
			counts[l.id] = l.text
		}
	}
	r = newReference()
	for _, opID := range slices.SortedFunc(maps.Keys(counts), op.ID.Compare) {
		record, err := op.Read([]byte(counts[opID]))
		w.must(err)
		o := record.Op
		if o.Issue != id {
			continue
		}
		if o.Legacy != nil {
			return nil, false
		}
		if o.V <= op.Version && r.met(o) {
			r.apply(o)
		}
	}
	return r, true
}

// A reference is an issue, or the settings.
type reference struct {
	exists, deleted bool
	text            map[string]string
	priority        int
	labels, deps    map[string]bool
	comments        map[string]string
	settings        map[string]string

	holderOp, seen op.ID
	session        string
}

func newReference() *reference {
	return &reference{
		text: map[string]string{"status": issue.StatusOpen}, priority: 2,
		labels: map[string]bool{}, deps: map[string]bool{}, comments: map[string]string{}, settings: map[string]string{},
	}
}

// met is whether the operation's condition holds.
func (r *reference) met(o *op.Operation) bool {
	switch {
	case o.If == nil:
		return true
	case o.If.Unset:
		for name := range o.Set {
			if r.text[name] != "" || r.settings[name] != "" {
				return false
			}
		}
		return true
	case !r.exists || r.deleted || r.text["status"] == issue.StatusClosed:
		return false
	}
	lease := 4 * time.Hour
	if o.If.Lease > 0 {
		lease = time.Duration(o.If.Lease) * time.Second
	}
	last := r.holderOp
	if r.seen.String() > last.String() {
		last = r.seen
	}
	return r.text["assignee"] == "" ||
		r.text["assignee"] == o.By && r.text["status"] == issue.StatusOpen ||
		r.session != "" && r.session == o.Session ||
		!o.ID.Time().Before(last.Time().Add(lease))
}

func (r *reference) apply(o *op.Operation) {
	switch o.Do {
	case op.DoCreate:
		r.exists = true
	case op.DoDelete:
		r.deleted = true
	case op.DoRestore:
		r.deleted = false
	}
	for name, value := range o.Set {
		r.set(o, name, value)
	}
	for _, e := range []struct {
		from *op.Elements
		add  bool
	}{{o.Remove, false}, {o.Add, true}} {
		if e.from == nil {
			continue
		}
		for _, l := range e.from.Labels {
			r.labels[l] = e.add
		}
		for _, d := range e.from.Deps {
			r.deps[d.To+" "+d.Type] = e.add
		}
	}
	for name, text := range o.Append {
		if r.text[name] != "" {
			text = r.text[name] + "\n\n" + text
		}
		if len(text) <= 1<<20 {
			r.text[name] = text
		}
	}
	if o.Comment != nil {
		r.comments[o.ID.String()] = o.Comment.Text
	}
	if e := o.CommentEdit; e != nil && r.comments[e.Ref] != "" {
		r.comments[e.Ref] = e.Text
	}
	if d := o.CommentDelete; d != nil {
		delete(r.comments, d.Ref)
	}
	if r.text["assignee"] != "" && o.By == r.text["assignee"] && o.Session == r.session {
		r.seen = o.ID
	}
}

// set gives a field its value, or keeps the old one if that is not acceptable.
func (r *reference) set(o *op.Operation, name string, value json.RawMessage) {
	var text string
	isText := json.Unmarshal(value, &text) == nil
	switch {
	case o.Issue == "":
		if string(value) == "null" {
			delete(r.settings, name)
		} else if op.CheckSetting(name, value) == nil {
			r.settings[name] = string(value)
		}
	case name == "priority":
		n := 2
		if json.Unmarshal(value, &n) == nil && n >= 0 && n <= 4 {
			r.priority = n
		}
	case !isText || name == "due_at" || name == "severity":
	case name == "status" && text == "":
		r.text[name] = issue.StatusOpen
	default:
		r.text[name] = text
	}
	if name == "assignee" && isText {
		r.holderOp, r.session, r.seen = op.ID{}, "", op.ID{}
		if text != "" {
			r.holderOp = o.ID
		}
		if text == o.By {
			r.session = o.Session
		}
	}
}

func (r *reference) describe(id string) string {
	if id == "" {
		return fmt.Sprint(r.settings)
	}
	held := func(set map[string]bool) string {
		maps.DeleteFunc(set, func(_ string, has bool) bool { return !has })
		return strings.Join(slices.Sorted(maps.Keys(set)), ", ")
	}
	return fmt.Sprintf("exists %v deleted %v\ntitle %q\ndescription %q\nnotes %q\nowner %q\nstatus %s priority %d\n"+
		"assignee %q by %s session %q seen %s\nlabels %s\ndeps %s\ncomments %v",
		r.exists, r.deleted, r.text["title"], r.text["description"], r.text["notes"], r.text["owner"], r.text["status"], r.priority,
		r.text["assignee"], r.holderOp, r.session, r.seen, held(r.labels), held(r.deps), r.comments)
}

// describe is reference.describe of what a site has.
func describe(q *projection.Query, id string) (string, error) {
	r := newReference()
	if id == "" {
		settings, err := q.Settings()
		for name, value := range settings.Values {
			r.settings[name] = string(value)
		}
		return r.describe(id), err
	}
	s, err := q.State(id)
	i := s.Issue
	r.exists, r.deleted, r.priority = s.Exists, s.Deleted, i.Priority
	r.holderOp, r.session, r.seen = s.HolderOp, s.HolderSession, s.HolderSeen
	maps.Copy(r.text, map[string]string{
		"title": i.Title, "description": i.Description, "notes": i.Notes, "owner": i.Owner, "status": i.Status, "assignee": i.Assignee,
	})
	for _, l := range i.Labels {
		r.labels[l] = true
	}
	for _, d := range i.Dependencies {
		r.deps[d.To+" "+d.Type] = true
	}
	for _, c := range i.Comments {
		r.comments[c.ID] = c.Text
	}
	return r.describe(id), err
}
