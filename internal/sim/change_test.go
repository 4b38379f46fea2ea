package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"beads/internal/op"
	"beads/internal/workspace"
)

// people are at several sites each: who works here may work there too.
var people = []string{"alice", "bob", "carol"}

// change makes a random change at the site, as a command would.
func (s *site) change() {
	s.by = pick(s.world, people)
	switch n := s.rand.IntN(100); {
	case len(s.issues) == 0 || n < 14:
		s.create()
	case n < 22:
		s.importRecords()
	case n < 34:
		s.claim(s.issue())
	case n < 40: // one command on several issues
		var all []*op.Operation
		for range 2 + s.rand.IntN(3) {
			all = append(all, s.edit(s.issue()))
		}
		s.commit(all...)
	default:
		s.commit(s.edit(s.issue()))
	}
}

// commit writes operations that are made here and returns them, nil if they were
// not acknowledged.
func (s *site) commit(all ...*op.Operation) []*op.Operation {
	s.Helper()
	var what []string
	for _, o := range all {
		what = append(what, o.Do+" "+o.Issue)
	}
	made, err := s.write(s.by+" "+strings.Join(what, ", "), func(*workspace.Tx) ([]workspace.Draft, error) {
		var drafts []workspace.Draft
		for _, o := range all {
			drafts = append(drafts, workspace.Draft{Op: o})
		}
		return drafts, nil
	})
	for _, o := range all {
		if o.Comment != nil && !o.ID.IsZero() {
			s.comments = append(s.comments, commentRef{o.Issue, o.ID.String()})
		}
	}
	if err != nil {
		return nil
	}
	return made
}

func (s *site) create() {
	id, err := op.NewIssueID("bd", s.random)
	s.must(err)
	o := &op.Operation{Do: op.DoCreate, Issue: id, Set: fields("title", s.text())}
	if s.chance(30) && len(s.issues) > 0 {
		o.Add = &op.Elements{Deps: []op.Dep{{To: s.issue(), Type: "parent-child"}}}
	}
	if s.chance(5) && len(s.issues) > 0 { // the same id, made twice
		o.Issue = s.issue()
	}
	// The id is known to the others at once: an edit may be there before.
	s.issues = append(s.issues, o.Issue)
	s.commit(o)
}

// claim claims an issue. What is refused must be refused by the rules.
func (s *site) claim(id string) {
	s.Helper()
	o := &op.Operation{
		Do: op.DoClaim, Issue: id, If: &op.Condition{Unassigned: true, Lease: pick(s.world, []int64{0, 14400, 14400, 60})},
		Set: fields("assignee", s.by, "status", "in_progress"),
	}
	made := s.commit(o)
	switch {
	case made != nil:
		s.claims = append(s.claims, workspace.Claim{Op: o.ID.String(), Issue: id, By: o.By, Session: o.Session})
	case !s.faulty && !o.ID.IsZero():
		if r, plain := s.fold(s.lines(), id); plain && r.met(o) {
			s.Errorf("%s refused claim %s of %s", s.name, o.ID, r.describe(id))
		}
	}
}

// text is some text that no other call makes.
func (s *site) text() string {
	return fmt.Sprintf("%s %d", pick(s.world, []string{"fix", "write", "été <&>", "two\nlines", "\"quoted\""}), s.rand.IntN(1e6))
}

func fields(pairs ...string) map[string]json.RawMessage {
	set := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		set[pairs[i]] = op.Str(pairs[i+1])
	}
	return set
}

var (
	labels   = []string{"api", "ui", "slow", "é"}
	depTypes = []string{"blocks", "blocks", "related", "discovered-from"}
)

// edit is a random operation on an issue that may be there or not.
func (s *site) edit(id string) *op.Operation {
	o := &op.Operation{Do: op.DoUpdate, Issue: id}
	switch n := s.rand.IntN(100); {
	case n < 24:
		o.Set = s.values()
	case n < 32:
		o.Append = map[string]string{pick(s.world, []string{"notes", "description"}): s.text()}
	case n < 42:
		o.Do, o.Add = op.DoLabel, &op.Elements{Labels: []string{pick(s.world, labels)}}
	case n < 47:
		o.Do, o.Remove = op.DoLabel, &op.Elements{Labels: []string{pick(s.world, labels)}}
	case n < 54:
		o.Do, o.Add = op.DoDep, &op.Elements{Deps: []op.Dep{{To: s.issue(), Type: pick(s.world, depTypes)}}}
	case n < 58:
		o.Do, o.Remove = op.DoDep, &op.Elements{Deps: []op.Dep{{To: s.issue(), Type: pick(s.world, depTypes)}}}
	case n < 72:
		s.comment(o)
	case n < 77:
		o.Do, o.Set = op.DoUnclaim, map[string]json.RawMessage{"assignee": op.Null(), "status": op.Str("open")}
	case n < 82:
		o.Do, o.Set = op.DoClose, fields("status", "closed", "close_reason", s.text())
	case n < 86:
		o.Do, o.Set = op.DoReopen, fields("status", "open")
	case n < 90:
		o.Do = op.DoDelete
	case n < 94:
		o.Do = op.DoRestore
	case n < 97:
		o.If, o.Set = &op.Condition{Unset: true}, fields("owner", s.by)
	default:
		o.Do, o.Issue, o.Set = op.DoConfig, "", s.settings()
	}
	return o
}

// values are new values of some fields, sometimes ones that are not acceptable.
func (s *site) values() map[string]json.RawMessage {
	set := map[string]json.RawMessage{}
	for range 1 + s.rand.IntN(2) {
		switch name := pick(s.world, []string{"title", "description", "notes", "owner", "priority", "status", "assignee", "severity", "due_at"}); name {
		case "priority":
			set[name] = json.RawMessage(pick(s.world, []string{"0", "1", "4", "9", `"high"`, "null"}))
		case "status":
			set[name] = op.Str(pick(s.world, []string{"open", "in_progress", "blocked", "review"}))
		case "assignee":
			set[name] = op.Str(pick(s.world, people))
		case "severity":
			set[name] = json.RawMessage(pick(s.world, []string{`{"b":1,"a":[2]}`, `"x"`, "null"}))
		case "due_at":
			set[name] = op.Str(pick(s.world, []string{"2026-12-01T00:00:00Z", "tomorrow", ""}))
		default:
			set[name] = op.Str(s.text())
		}
	}
	return set
}

// comment makes o add, edit or delete a comment.
func (s *site) comment(o *op.Operation) {
	o.Do = op.DoComment
	if len(s.comments) == 0 || s.chance(50) {
		o.Comment = &op.CommentText{Text: s.text()}
		return
	}
	ref := pick(s.world, s.comments)
	o.Issue = ref.issue
	if s.chance(60) {
		o.CommentEdit = &op.CommentText{Ref: ref.id, Text: s.text()}
	} else {
		o.CommentDelete = &op.CommentText{Ref: ref.id}
	}
}

func (s *site) settings() map[string]json.RawMessage {
	name := pick(s.world, []string{op.SettingLease, op.SettingStatuses, "team.name"})
	values := map[string][]string{
		op.SettingLease:    {"3600", "14400", `"soon"`, "null"},
		op.SettingStatuses: {`["review"]`, `"review,waiting"`, "7", "null"},
		"team.name":        {`"x"`, `"y"`, "null"},
	}
	return map[string]json.RawMessage{name: json.RawMessage(pick(s.world, values[name]))}
}

// record is a snapshot record of upstream: a new one, a later state of an issue
// that came before, or just the same.
func (w *world) record() string {
	if len(w.records) > 0 && w.chance(40) {
		return pick(w, w.records)
	}
	id := fmt.Sprintf("up-%d", 1+w.rand.IntN(3))
	stamp := func() string {
		t := w.now.AddDate(0, 0, -w.rand.IntN(4))
		return t.Format("2006-01-02T15:04:05.") + pick(w, []string{"000000", "123456", "123457"}) + "Z"
	}
	record := fmt.Sprintf(`{"id":%q,"title":"up %d","status":%q,"priority":%d,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":%q`,
		id, w.rand.IntN(5), pick(w, []string{"open", "open", "closed", "in_progress", "tombstone"}), w.rand.IntN(5), stamp())
	if w.chance(50) {
		record += fmt.Sprintf(`,"labels":[%q]`, pick(w, labels))
	}
	if w.chance(40) {
		record += fmt.Sprintf(`,"comments":[{"id":1,"author":"zoe","text":"c%d","created_at":%q}]`, w.rand.IntN(3), stamp())
	}
	if w.chance(30) {
		record += fmt.Sprintf(`,"dependencies":[{"depends_on_id":%q,"type":"blocks"}]`, w.issue())
	}
	record += "}"
	w.records = append(w.records, record)
	if !slices.Contains(w.issues, id) {
		w.issues = append(w.issues, id)
	}
	return record
}

// importRecords imports snapshot records as bd import does.
func (s *site) importRecords() {
	var records []op.Record
	for range 1 + s.rand.IntN(3) {
		record, err := op.Read([]byte(s.record()))
		s.must(err)
		records = append(records, record)
	}
	_, _ = s.write("import", func(tx *workspace.Tx) ([]workspace.Draft, error) { return tx.Drafts(records) })
}
