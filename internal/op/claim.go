package op

import (
	"encoding/json"
	"time"

	"beads/internal/issue"
)

// DefaultLease is how long a claim holds when its holder does nothing.
const DefaultLease = 4 * time.Hour

// maxLease is in seconds.
const maxLease = 1 << 31

// Holds reports whether o's condition holds in s (true when it has none). An
// unknown condition holds for nobody.
func (s *State) Holds(o *Operation) bool {
	c := o.If
	switch {
	case c == nil:
		return true
	case c.Unknown:
		return false
	case c.Unset && !s.unset(o.Set):
		return false
	}
	return !c.Unassigned || s.Refuses(o) == ""
}

// Refusal says why a claim's condition does not hold.
type Refusal string

const (
	RefusedMissing Refusal = "missing" // no such issue
	RefusedDeleted Refusal = "deleted"
	RefusedClosed  Refusal = "closed"
	RefusedHeld    Refusal = "held" // by who Holder says
)

// Refuses says why the condition "unassigned" of o, a claim by o.By in
// o.Session at o.ID's time, does not hold in s; "" if it does.
func (s *State) Refuses(o *Operation) Refusal {
	is := &s.Issue
	switch {
	case !s.Exists:
		return RefusedMissing
	case s.Deleted:
		return RefusedDeleted
	case is.Status == issue.StatusClosed:
		return RefusedClosed
	case is.Assignee == "":
		return ""
	case is.Assignee == o.By && is.Status == issue.StatusOpen:
		return "" // assigned work is taken up
	case s.HolderSession != "" && s.HolderSession == o.Session:
		return "" // renewal
	}
	lease := DefaultLease
	if o.If != nil && o.If.Lease > 0 {
		lease = time.Duration(o.If.Lease) * time.Second
	}
	if o.ID.Time().Sub(s.lastSeen().Time()) >= lease {
		return "" // the holder is gone
	}
	return RefusedHeld
}

// Holder is who holds the issue: the assignee, the session of the operation
// that set it if it was the assignee's own, and since when. All are zero when
// nobody does.
func (s *State) Holder() (assignee, session string, since time.Time) {
	if s.Issue.Assignee == "" {
		return "", "", time.Time{}
	}
	if !s.HolderOp.IsZero() {
		since = s.HolderOp.Time()
	}
	return s.Issue.Assignee, s.HolderSession, since
}

// LeaseEnd is when the holder's claim stops keeping others away, if the
// holder does nothing more; the zero time when nobody holds the issue.
func (s *State) LeaseEnd(lease time.Duration) time.Time {
	if s.Issue.Assignee == "" {
		return time.Time{}
	}
	return s.lastSeen().Time().Add(lease)
}

func (s *State) lastSeen() ID {
	if s.HolderSeen.Compare(s.HolderOp) > 0 {
		return s.HolderSeen
	}
	return s.HolderOp
}

// unset reports whether every field in set is null.
func (s *State) unset(set map[string]json.RawMessage) bool {
	is := s.Issue // a copy: textField and timeField give pointers to write to
	for name := range set {
		isUnset := true
		if text, _ := textField(&is, name); text != nil {
			isUnset = *text == ""
		} else if t := timeField(&is, name); t != nil {
			isUnset = t.IsZero()
		} else {
			switch name {
			case "status", "issue_type", "priority":
				isUnset = false // never null
			case "estimated_minutes":
				isUnset = is.EstimatedMinutes == 0
			case "metadata":
				isUnset = is.Metadata == nil
			default:
				_, held := is.Extra[name]
				isUnset = !held
			}
		}
		if !isUnset {
			return false
		}
	}
	return true
}
