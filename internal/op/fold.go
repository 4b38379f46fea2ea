package op

import (
	"cmp"
	"encoding/json"
	"slices"

	"beads/internal/issue"
)

// FoldVersion grows whenever the same operations would give another State than
// before. What is derived with another fold version must be derived again.
const FoldVersion = 3

// State is an issue as folded so far, with what the next operation needs to
// know. The zero State is the empty issue. It can be stored column by column
// (all fields exported) and loaded again.
type State struct {
	Issue   issue.Issue
	Exists  bool // a create or import took effect
	Deleted bool
	Last    ID // greatest id folded, void ones included

	// Claims: the operation that last set the assignee, its session if it was
	// the assignee's own, and the holder's last effective operation.
	HolderOp      ID
	HolderSession string
	HolderSeen    ID

	// Legacy is the previous legacy record, nil if none.
	Legacy json.RawMessage

	extra int // what Issue.Extra counts against MaxGrown; 0 while it was not counted
}

// Visible reports whether the issue exists and is not deleted.
func (s *State) Visible() bool { return s.Exists && !s.Deleted }

// Kinds of Problem.
const (
	BadValue         = "bad_value"         // a value of the wrong type or range was ignored
	NewerVersion     = "newer_version"     // the operation is of a greater format version and was not applied
	UnknownCondition = "unknown_condition" // its condition is not understood and it was not applied
	UnknownMember    = "unknown_member"    // it was applied without a member that is not understood
	DuplicateCreate  = "duplicate_create"  // a create of an issue that existed was applied as an update
)

// Problem is something the fold ignored or wants reported. A void operation is
// none.
type Problem struct {
	Op     ID
	Issue  string
	Kind   string
	Detail string
}

// Fold sorts ops (of one issue) by id, drops duplicates of an id, and applies
// them to the empty issue. Of different lines with one id the caller passes
// the one that counts (Wins). ops is not altered.
func Fold(issueID string, ops []*Operation) (State, []Problem) {
	s := State{}
	s.begin(issueID)
	var problems []Problem
	for _, o := range inOrder(ops) {
		_, found := s.Apply(o)
		problems = append(problems, found...)
	}
	return s, problems
}

func inOrder(ops []*Operation) []*Operation {
	sorted := slices.Clone(ops)
	slices.SortStableFunc(sorted, func(a, b *Operation) int { return a.ID.Compare(b.ID) })
	return slices.CompactFunc(sorted, func(a, b *Operation) bool { return a.ID == b.ID })
}

// begin gives the empty issue its id and defaults.
func (s *State) begin(issueID string) {
	s.Issue.ID = issueID
	s.Issue.Status = issue.StatusOpen
	s.Issue.Priority = defaultPriority
	s.Issue.Type = issue.TypeTask
}

const defaultPriority = 2

// Apply applies o, whose id must be greater than s.Last (else nothing happens),
// and reports whether it took effect (a void, newer or not understood
// operation does not) and what it ignored. It may alter s's maps and slices in
// place (Clone first what is shared), and keeps nothing of o's raw values.
func (s *State) Apply(o *Operation) (effective bool, problems []Problem) {
	if o.ID.Compare(s.Last) <= 0 {
		return false, nil
	}
	if s.Last.IsZero() && s.Issue.Status == "" {
		s.begin(o.Issue)
	}
	s.Last = o.ID
	a := application{s: s, o: o}
	switch {
	case o.V > Version:
		a.report(NewerVersion, "format version %d", o.V)
		return false, a.problems
	case o.If != nil && o.If.Unknown:
		a.report(UnknownCondition, "condition %s", clip(string(o.If.Raw)))
		return false, a.problems
	case !s.Holds(o):
		return false, nil
	}
	a.run()
	// Set is a map: without an order the report would differ between runs.
	slices.SortStableFunc(a.problems, func(x, y Problem) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Detail, y.Detail))
	})
	return true, a.problems
}

// Clone is a deep copy.
func (s *State) Clone() State {
	c := *s
	c.Issue = s.Issue.Clone()
	c.Legacy = slices.Clone(s.Legacy)
	c.extra = 0 // as in a State that was loaded: equal ones compare equal
	return c
}

// application is one operation while it is applied.
type application struct {
	s        *State
	o        *Operation
	problems []Problem

	importing   bool // may set what otherwise derives from the operations
	setUpdated  bool // the operation gave these three itself
	setReason   bool
	setClosed   bool
	setAssignee bool
}

func (a *application) run() {
	s, o := a.s, a.o
	wasStatus := s.Issue.Status
	a.importing = o.Do == DoImport
	switch o.Do {
	case DoCreate, DoImport:
		if s.Exists && o.Do == DoCreate {
			a.report(DuplicateCreate, "issue existed already")
		}
		if !s.Exists {
			s.Exists = true
			s.Issue.CreatedAt = o.At
			if o.Legacy == nil {
				s.Issue.CreatedBy = o.By
			}
		}
	case DoDelete:
		s.Deleted = true
	case DoRestore:
		s.Deleted = false
	}
	if o.Legacy != nil {
		a.legacy()
	}
	a.set(o.Set)
	a.remove(o.Remove)
	a.add(o.Add)
	for _, name := range sortedKeys(o.Append) {
		a.appendText(name, o.Append[name])
	}
	a.comments()
	for name := range o.Unknown {
		a.report(UnknownMember, "member %q", clip(name))
	}
	a.settleClosing(wasStatus)
	a.settleHolder()
	if !a.setUpdated {
		s.Issue.UpdatedAt = o.At
	}
}

// settleClosing keeps closed_at and close_reason in step with the status.
func (a *application) settleClosing(was string) {
	is := &a.s.Issue
	switch {
	case is.Status != issue.StatusClosed:
		is.ClosedAt = noTime()
		if was == issue.StatusClosed && !a.setReason {
			is.CloseReason = ""
		}
	case was != issue.StatusClosed && !a.setClosed, is.ClosedAt.IsZero():
		is.ClosedAt = a.o.At
	}
}

// settleHolder notes who holds the issue and when they last did something.
func (a *application) settleHolder() {
	s, o := a.s, a.o
	if a.setAssignee {
		s.HolderOp, s.HolderSession, s.HolderSeen = ID{}, "", ID{}
		if s.Issue.Assignee != "" {
			s.HolderOp = o.ID
			if o.By == s.Issue.Assignee {
				s.HolderSession = o.Session
			}
		}
	}
	if s.Issue.Assignee != "" && o.By == s.Issue.Assignee && o.Session == s.HolderSession {
		s.HolderSeen = o.ID
	}
}

// cloneRaw is a canonical copy of a value; the original aliases its line.
func cloneRaw(value json.RawMessage) json.RawMessage {
	c, err := appendCanonical(make([]byte, 0, len(value)), value)
	if err != nil { // not from a decoded line
		return nil
	}
	return c
}
