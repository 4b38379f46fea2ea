package op

import (
	"testing"
	"time"
)

// hour is how many of the tests' operations, a second apart, make an hour.
const hour = 3600

func claim(n int, by, session string, lease int64) *Operation {
	o := operation(n, DoClaim, `{"assignee":"`+by+`","status":"in_progress"}`)
	o.By, o.Session, o.If = by, session, &Condition{Unassigned: true, Lease: lease}
	return o
}

func by(o *Operation, name, session string) *Operation {
	o.By, o.Session = name, session
	return o
}

func TestClaim(t *testing.T) {
	start := create(0, `{"title":"t"}`)
	for _, c := range []struct {
		name   string
		before []*Operation
		claim  *Operation
		want   Refusal
	}{
		{"free", []*Operation{start}, claim(9, "bob", "", 0), ""},
		{"not there", nil, claim(9, "bob", "", 0), RefusedMissing},
		{"only edited, not created", []*Operation{update(0, `{"title":"t"}`)}, claim(9, "bob", "", 0), RefusedMissing},
		{"deleted", []*Operation{start, operation(1, DoDelete, "")}, claim(9, "bob", "", 0), RefusedDeleted},
		{"closed", []*Operation{start, update(1, `{"status":"closed"}`)}, claim(9, "bob", "", 0), RefusedClosed},
		{"held by another", []*Operation{start, claim(1, "eve", "", 0)}, claim(9, "bob", "", 0), RefusedHeld},
		{"held by the same name, no session", []*Operation{start, claim(1, "bob", "", 0)}, claim(9, "bob", "", 0), RefusedHeld},
		{"renewed by the same session", []*Operation{start, claim(1, "bob", "s1", 0)}, claim(9, "bob", "s1", 0), ""},
		{"same name, another session", []*Operation{start, claim(1, "bob", "s1", 0)}, claim(9, "bob", "s2", 0), RefusedHeld},
		{"same name, session only now", []*Operation{start, claim(1, "bob", "", 0)}, claim(9, "bob", "s1", 0), RefusedHeld},
		{"assigned by another, still open: taken up", []*Operation{start, by(update(1, `{"assignee":"bob"}`), "eve", "s1")},
			claim(9, "bob", "s2", 0), ""},
		{"assigned to another, still open", []*Operation{start, update(1, `{"assignee":"eve"}`)}, claim(9, "bob", "", 0), RefusedHeld},
		{"assigned by another in progress: the session is not the assigner's",
			[]*Operation{start, by(update(1, `{"assignee":"bob","status":"in_progress"}`), "eve", "s1")}, claim(9, "bob", "s1", 0), RefusedHeld},
		{"unclaimed", []*Operation{start, claim(1, "eve", "", 0), update(2, `{"assignee":null,"status":"open"}`)}, claim(9, "bob", "", 0), ""},
		{"emptied", []*Operation{start, claim(1, "eve", "", 0), update(2, `{"assignee":""}`)}, claim(9, "bob", "", 0), ""},
		{"a second before the lease ends", []*Operation{start, claim(1, "eve", "", 0)}, claim(4*hour, "bob", "", 0), RefusedHeld},
		{"the lease ended", []*Operation{start, claim(1, "eve", "", 0)}, claim(4*hour+1, "bob", "", 0), ""},
		{"a lease of its own", []*Operation{start, claim(1, "eve", "", 0)}, claim(61, "bob", "", 60), ""},
		{"not quite over", []*Operation{start, claim(1, "eve", "", 0)}, claim(60, "bob", "", 60), RefusedHeld},
		{"the lease of the holder's claim does not count", []*Operation{start, claim(1, "eve", "", 60)}, claim(100, "bob", "", 0), RefusedHeld},
		{"the holder did something since",
			[]*Operation{start, claim(1, "eve", "s1", 0), by(update(2*hour, `{"notes":"n"}`), "eve", "s1")},
			claim(4*hour+1, "bob", "", 0), RefusedHeld},
		{"and then nothing for a lease",
			[]*Operation{start, claim(1, "eve", "s1", 0), by(update(2*hour, `{"notes":"n"}`), "eve", "s1")},
			claim(6*hour, "bob", "", 0), ""},
		{"what the same name does in another session does not count",
			[]*Operation{start, claim(1, "eve", "s1", 0), by(update(2*hour, `{"notes":"n"}`), "eve", "s2")},
			claim(4*hour+1, "bob", "", 0), ""},
		{"nor what others do", []*Operation{start, claim(1, "eve", "", 0), by(update(2*hour, `{"notes":"n"}`), "zoe", "")},
			claim(4*hour+1, "bob", "", 0), ""},
		{"a void claim of the holder does not count",
			[]*Operation{start, claim(1, "eve", "", 0), claim(2*hour, "eve", "", 0)}, claim(4*hour+1, "bob", "", 0), ""},
		{"a void claim does not make a holder", []*Operation{start, claim(1, "eve", "s1", 0), claim(2, "bob", "s2", 0)},
			claim(9, "bob", "s2", 0), RefusedHeld},
		{"setting the assignee again makes a new holder", []*Operation{start, claim(1, "eve", "s1", 0), by(update(2, `{"assignee":"eve"}`), "eve", "s2")},
			claim(9, "eve", "s1", 0), RefusedHeld},
		{"and its session renews", []*Operation{start, claim(1, "eve", "s1", 0), by(update(2, `{"assignee":"eve"}`), "eve", "s2")},
			claim(9, "eve", "s2", 0), ""},
		{"a bad assignee does not", []*Operation{start, claim(1, "eve", "s1", 0), by(update(2, `{"assignee":7}`), "zoe", "")},
			claim(9, "eve", "s1", 0), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := Fold("x-1", c.before)
			if got := s.Refuses(c.claim); got != c.want {
				t.Errorf("Refuses = %q, want %q", got, c.want)
			}
			if got, want := s.Holds(c.claim), c.want == ""; got != want {
				t.Errorf("Holds = %v, want %v", got, want)
			}
			before := stateJSON(t, s)
			after := s.Clone()
			effective, problems := after.Apply(c.claim)
			if effective != (c.want == "") || len(problems) > 0 {
				t.Errorf("Apply = %v, %v", effective, problems)
			}
			if !effective {
				after.Last = s.Last
				if got := stateJSON(t, after); got != before {
					t.Errorf("a void claim changed the state\n got %s\nwant %s", got, before)
				}
			} else if after.HolderOp != c.claim.ID || after.Issue.Assignee != c.claim.By || after.Issue.Status != "in_progress" {
				t.Errorf("after the claim: %s", stateJSON(t, after))
			}
		})
	}
}

func TestHolder(t *testing.T) {
	s, _ := Fold("x-1", []*Operation{create(0, ""), claim(5, "eve", "s1", 0), by(update(9, `{"notes":"n"}`), "eve", "s1")})
	name, session, since := s.Holder()
	if name != "eve" || session != "s1" || !since.Equal(at(5)) {
		t.Errorf("Holder = %q, %q, %v", name, session, since)
	}
	if end := s.LeaseEnd(time.Hour); !end.Equal(at(9).Add(time.Hour)) {
		t.Errorf("LeaseEnd = %v", end)
	}
	free, _ := Fold("x-1", []*Operation{create(0, "")})
	if name, session, since := free.Holder(); name != "" || session != "" || !since.IsZero() || !free.LeaseEnd(time.Hour).IsZero() {
		t.Errorf("Holder of a free issue = %q, %q, %v", name, session, since)
	}
}

// Of the claims that several clones made without knowing of each other, the
// first by id counts, whatever order they arrive in.
func TestFirstClaimWins(t *testing.T) {
	ops := []*Operation{claim(3, "zoe", "", 0), create(0, ""), claim(2, "bob", "", 0), claim(1, "eve", "", 0)}
	s, problems := Fold("x-1", ops)
	if s.Issue.Assignee != "eve" || len(problems) > 0 {
		t.Errorf("assignee %q, problems %v", s.Issue.Assignee, problems)
	}
}
