package op

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"beads/internal/issue"
)

func TestFold(t *testing.T) {
	both := func(o *Operation, change func(*Operation)) *Operation {
		change(o)
		return o
	}
	verb := func(n int, do string) *Operation { return operation(n, do, "") }
	for _, c := range []struct {
		name     string
		ops      []*Operation
		want     func(*State) bool
		problems []string // "kind: detail" in order
	}{
		{"create gives defaults", []*Operation{create(1, `{"title":"t"}`)}, func(s *State) bool {
			i := s.Issue
			return s.Visible() && i.ID == "x-1" && i.Title == "t" && i.Status == "open" && i.Priority == 2 && i.Type == "task" &&
				i.CreatedBy == "alice" && i.CreatedAt.Equal(at(1)) && i.UpdatedAt.Equal(at(1)) && i.ClosedAt.IsZero()
		}, nil},
		{"an update before the create stays hidden", []*Operation{update(1, `{"priority":0}`)}, func(s *State) bool {
			return !s.Exists && !s.Visible() && s.Issue.Priority == 0 && s.Issue.CreatedAt.IsZero()
		}, nil},
		{"and shows after it", []*Operation{update(1, `{"priority":0}`), create(2, `{"title":"t"}`)}, func(s *State) bool {
			return s.Visible() && s.Issue.Priority == 0 && s.Issue.CreatedAt.Equal(at(2))
		}, nil},
		{"second create updates", []*Operation{create(1, `{"title":"a","notes":"n"}`), create(2, `{"title":"b"}`)}, func(s *State) bool {
			return s.Issue.Title == "b" && s.Issue.Notes == "n" && s.Issue.CreatedAt.Equal(at(1)) && s.Issue.UpdatedAt.Equal(at(2))
		}, []string{"duplicate_create: issue existed already"}},
		{"an import of an existing issue is no duplicate", []*Operation{create(1, ""), operation(2, DoImport, `{"title":"i"}`)},
			func(s *State) bool { return s.Issue.Title == "i" }, nil},
		{"null puts back the default", []*Operation{
			create(1, `{"title":"t","status":"blocked","priority":0,"issue_type":"bug","notes":"n","estimated_minutes":5,"due_at":"2026-01-02T00:00:00Z"}`),
			update(2, `{"title":null,"status":null,"priority":null,"issue_type":null,"notes":null,"estimated_minutes":null,"due_at":null}`),
		}, func(s *State) bool {
			i := s.Issue
			return i.Title == "" && i.Status == "open" && i.Priority == 2 && i.Type == "task" && i.Notes == "" &&
				i.EstimatedMinutes == 0 && i.DueAt.IsZero()
		}, nil},
		{"bad values are ignored, good ones beside them apply", []*Operation{
			create(1, `{"title":5,"priority":"high","status":"","issue_type":"`+strings.Repeat("é", 51)+`","estimated_minutes":-1,"due_at":"soon","assignee":[],"notes":"n"}`),
			update(2, `{"priority":5,"estimated_minutes":1.5,"status":"tombstone","issue_type":"`+strings.Repeat("é", 50)+`"}`),
		}, func(s *State) bool {
			i := s.Issue
			return i.Title == "" && i.Priority == 2 && i.Status == "open" && i.Notes == "n" && i.Type == strings.Repeat("é", 50)
		}, []string{
			"bad_value: assignee is not a string: []", `bad_value: due_at is not an RFC 3339 time: "soon"`,
			"bad_value: estimated_minutes is not between 0 and 2147483647: -1",
			`bad_value: issue_type is longer than 50 characters: "` + strings.Repeat("é", 29) + "…",
			`bad_value: priority is not a whole number: "high"`, "bad_value: title is not a string: 5",
			"bad_value: estimated_minutes is not a whole number: 1.5", "bad_value: priority is not between 0 and 4: 5",
			`bad_value: status is not a status: use delete: "tombstone"`,
		}},
		{"only an import sets what derives", []*Operation{
			create(1, `{"created_at":"2020-01-01T00:00:00Z"}`), update(2, `{"closed_at":"2020-01-01T00:00:00Z"}`),
		}, func(s *State) bool { return s.Issue.CreatedAt.Equal(at(1)) && s.Issue.ClosedAt.IsZero() }, []string{
			`bad_value: created_at can be set by an import only: "2020-01-01T00:00:00Z"`,
			`bad_value: closed_at can be set by an import only: "2020-01-01T00:00:00Z"`,
		}},
		{"an import sets them", []*Operation{operation(1, DoImport,
			`{"status":"closed","created_at":"2020-01-01T01:00:00+01:00","created_by":"eve","updated_at":"2021-01-01T00:00:00.1234567Z","closed_at":"2022-01-01T00:00:00Z"}`)},
			func(s *State) bool {
				i := s.Issue
				return i.CreatedAt.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) && i.CreatedBy == "eve" &&
					i.UpdatedAt.Equal(time.Date(2021, 1, 1, 0, 0, 0, 123456000, time.UTC)) && i.ClosedAt.Year() == 2022
			}, nil},
		{"close and reopen", []*Operation{
			create(1, ""), operation(2, DoClose, `{"status":"closed","close_reason":"done"}`), operation(3, DoClose, `{"status":"closed"}`),
			operation(4, DoReopen, `{"status":"open"}`),
		}, func(s *State) bool { return s.Issue.ClosedAt.IsZero() && s.Issue.CloseReason == "" }, nil},
		{"closing again keeps the first time", []*Operation{
			create(1, ""), operation(2, DoClose, `{"status":"closed","close_reason":"done"}`), operation(3, DoClose, `{"status":"closed"}`),
		}, func(s *State) bool { return s.Issue.ClosedAt.Equal(at(2)) && s.Issue.CloseReason == "done" }, nil},
		{"reopening with a reason keeps it", []*Operation{
			create(1, `{"status":"closed","close_reason":"a"}`), update(2, `{"status":"open","close_reason":"b"}`),
		}, func(s *State) bool { return s.Issue.CloseReason == "b" }, nil},
		{"edits do not revive", []*Operation{create(1, ""), verb(2, DoDelete), update(3, `{"title":"t"}`), create(4, "")},
			func(s *State) bool { return s.Exists && s.Deleted && !s.Visible() && s.Issue.Title == "t" },
			[]string{"duplicate_create: issue existed already"}},
		{"restore does", []*Operation{create(1, ""), verb(2, DoDelete), verb(3, DoRestore)},
			func(s *State) bool { return s.Visible() }, nil},
		{"a delete before the create holds", []*Operation{verb(1, DoDelete), create(2, "")},
			func(s *State) bool { return s.Exists && !s.Visible() }, nil},
		{"unknown verbs apply by their members", []*Operation{create(1, ""), operation(2, "ponder", `{"title":"t"}`)},
			func(s *State) bool { return s.Issue.Title == "t" }, nil},
		{"unknown fields are kept, null removes them", []*Operation{
			create(1, `{"sprint": {"b":1, "a":1.0}, "mood":"good"}`), update(2, `{"mood":null,"none":null}`),
		}, func(s *State) bool {
			return len(s.Issue.Extra) == 1 && string(s.Issue.Extra["sprint"]) == `{"a":1.0,"b":1}`
		}, nil},
		{"what has its own members cannot be set", []*Operation{create(1, `{"labels":["a"],"id":"y-1"}`)},
			func(s *State) bool { return s.Issue.Extra == nil && s.Issue.Labels == nil && s.Issue.ID == "x-1" },
			[]string{`bad_value: id cannot be set: "y-1"`, `bad_value: labels cannot be set: ["a"]`}},
		{"a newer version is not applied", []*Operation{create(1, ""), both(update(2, `{"title":"t"}`), func(o *Operation) { o.V = 2 })},
			func(s *State) bool {
				return s.Issue.Title == "" && s.Last == testID(2) && s.Issue.UpdatedAt.Equal(at(1))
			},
			[]string{"newer_version: format version 2"}},
		{"nor is an unknown condition", []*Operation{create(1, ""), both(update(2, `{"title":"t"}`), func(o *Operation) {
			o.If = &Condition{Unknown: true, Raw: json.RawMessage(`{"moon":"full"}`)}
		})}, func(s *State) bool { return s.Issue.Title == "" && s.Last == testID(2) },
			[]string{`unknown_condition: condition {"moon":"full"}`}},
		{"unset holds once", []*Operation{
			create(1, ""),
			both(update(2, `{"owner":"a"}`), func(o *Operation) { o.If = &Condition{Unset: true} }),
			both(update(3, `{"owner":"b","notes":"n"}`), func(o *Operation) { o.If = &Condition{Unset: true} }),
		}, func(s *State) bool {
			return s.Issue.Owner == "a" && s.Issue.Notes == "" && s.Issue.UpdatedAt.Equal(at(2)) && s.Last == testID(3)
		}, nil},
		{"set, remove, add, append apply in this order", []*Operation{
			both(create(1, `{"notes":"set"}`), func(o *Operation) {
				o.Add = &Elements{Labels: []string{"b", "a", "b"}}
				o.Remove = &Elements{Labels: []string{"a"}}
				o.Append = map[string]string{"notes": "appended"}
			}),
		}, func(s *State) bool {
			return slices.Equal(s.Issue.Labels, []string{"a", "b"}) && s.Issue.Notes == "set\n\nappended"
		}, nil},
		{"append to nothing, to an unknown text, and to what is no text", []*Operation{
			both(create(1, `{"mood":"good","sprint":3}`), func(o *Operation) {
				o.Append = map[string]string{"design": "d", "mood": "still", "sprint": "x", "title": "t", "priority": "1", "notes": ""}
			}),
		}, func(s *State) bool {
			return s.Issue.Design == "d" && string(s.Issue.Extra["mood"]) == `"good\n\nstill"` && s.Issue.Title == ""
		}, []string{
			"bad_value: priority is not a text that can be appended to", "bad_value: sprint is not a text that can be appended to",
			"bad_value: title is not a text that can be appended to",
		}},
		{"dependencies are keyed by target and type", []*Operation{
			both(create(1, ""), func(o *Operation) {
				o.Add = &Elements{Deps: []Dep{{To: "x-3", Type: "related"}, {To: "x-2", Type: "blocks"}, {To: "x-3", Type: "blocks"}}}
			}),
			both(update(2, ""), func(o *Operation) {
				o.Remove = &Elements{Deps: []Dep{{To: "x-3", Type: "related"}, {To: "x-9", Type: "blocks"}}}
				o.Add = &Elements{Deps: []Dep{{To: "x-2", Type: "blocks", Metadata: json.RawMessage(`{"why":1}`)}}}
			}),
		}, func(s *State) bool {
			d := s.Issue.Dependencies
			return len(d) == 2 && d[0].To == "x-2" && d[0].CreatedAt.Equal(at(1)) && d[0].CreatedBy == "alice" &&
				string(d[0].Metadata) == `{"why":1}` && d[1].To == "x-3" && d[1].Type == "blocks"
		}, nil},
		{"bad labels and dependencies are ignored", []*Operation{both(create(1, ""), func(o *Operation) {
			o.Add = &Elements{Labels: []string{"", "a\nb", "ok"}, Deps: []Dep{{To: "x-2", Type: strings.Repeat("t", 51)}}}
		})}, func(s *State) bool {
			return slices.Equal(s.Issue.Labels, []string{"ok"}) && s.Issue.Dependencies == nil
		}, []string{
			"bad_value: dependency type is longer than 50 characters: " + strings.Repeat("t", 51),
			"bad_value: label holds the control character U+000A: a\nb", "bad_value: label is empty: ",
		}},
		{"what is not understood is reported and the rest applies", []*Operation{both(create(1, `{"title":"t"}`), func(o *Operation) {
			o.Unknown = fields("zeta", `1`)
			o.Add = &Elements{Unknown: fields("watchers", `["w"]`)}
		})}, func(s *State) bool { return s.Issue.Title == "t" },
			[]string{"unknown_member: add.watchers", `unknown_member: member "zeta"`}},
		{"comments", []*Operation{
			both(create(1, ""), func(o *Operation) { o.Comment = &CommentText{Text: "one"} }),
			both(update(2, ""), func(o *Operation) { o.Comment = &CommentText{Text: "two"}; o.By = "bob" }),
			both(update(3, ""), func(o *Operation) { o.CommentEdit = &CommentText{Ref: testID(2).String(), Text: "two!"} }),
			both(update(4, ""), func(o *Operation) { o.CommentDelete = &CommentText{Ref: testID(1).String()} }),
			both(update(5, ""), func(o *Operation) { o.CommentDelete = &CommentText{Ref: "missing"} }),
		}, func(s *State) bool {
			return slices.Equal(s.Issue.Comments, []issue.Comment{{
				ID: testID(2).String(), Author: "bob", Text: "two!", CreatedAt: at(2), UpdatedAt: at(3),
			}})
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, problems := Fold("x-1", c.ops)
			if !c.want(&s) {
				t.Errorf("state: %s", stateJSON(t, s))
			}
			var got []string
			for _, p := range problems {
				if p.Issue != "x-1" || p.Op.IsZero() {
					t.Errorf("problem of %q, %v", p.Issue, p.Op)
				}
				got = append(got, p.Kind+": "+p.Detail)
			}
			if !slices.Equal(got, c.problems) {
				t.Errorf("problems:\n got %q\nwant %q", got, c.problems)
			}
		})
	}
}

// An issue is a function of the set of its operations.
func TestFoldIgnoresOrderAndRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := genOperations().Draw(t, "operations")
		want, wantProblems := Fold("x-1", ops)
		shuffled := rapid.Permutation(append(slices.Clone(ops), ops[:rapid.IntRange(0, len(ops)).Draw(t, "twice")]...)).Draw(t, "order")
		got, problems := Fold("x-1", shuffled)
		compareStates(t, got, want)
		if !slices.Equal(problems, wantProblems) {
			t.Fatalf("problems\n got %v\nwant %v", problems, wantProblems)
		}
	})
}

// Applying what is newest and folding again where something arrives late, as
// the projection does, over states that were stored and loaded, ends where a
// whole fold ends.
func TestLateArrivals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := genOperations().Draw(t, "operations")
		want, _ := Fold("x-1", ops)
		var state State
		var held []*Operation
		for _, o := range rapid.Permutation(ops).Draw(t, "order") {
			held = append(held, o)
			if o.ID.Compare(state.Last) > 0 {
				next := state.Clone()
				before := stateBytes(t, state)
				next.Apply(o)
				if !bytes.Equal(before, stateBytes(t, state)) {
					t.Fatalf("applying %s to a clone altered the original", o.ID)
				}
				state = next
			} else {
				state, _ = Fold("x-1", held)
			}
			if effective, problems := state.Apply(o); effective || problems != nil {
				t.Fatal("an operation applied twice")
			}
		}
		compareStates(t, state, want)
	})
}

// The fold must not keep parts of the buffer from which a line was read.
func TestFoldKeepsNothingOfTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := genOperations().Draw(t, "operations")
		want, _ := Fold("x-1", ops)
		var got State
		var d Decoder
		buffer := make([]byte, 0, 4096)
		for _, o := range inOrder(ops) {
			line, err := Encode(o)
			if err != nil {
				t.Fatal(err)
			}
			buffer = append(buffer[:0], line...)
			r, err := d.Read(buffer)
			if err != nil {
				t.Fatal(err)
			}
			got.Apply(r.Op)
			for i := range buffer {
				buffer[i] = '#'
			}
		}
		compareStates(t, got, want)
	})
}

func TestFoldInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := genOperations().Draw(t, "operations")
		s, _ := Fold("x-1", ops)
		i := s.Issue
		switch {
		case (i.Status == issue.StatusClosed) == i.ClosedAt.IsZero():
			t.Fatalf("status %s, closed at %v", i.Status, i.ClosedAt)
		case i.Status == "" || i.Type == "" || i.Priority < 0 || i.Priority > 4:
			t.Fatalf("status %q, type %q, priority %d", i.Status, i.Type, i.Priority)
		case s.Exists && (i.CreatedAt.IsZero() || i.UpdatedAt.IsZero()):
			t.Fatal("exists without times")
		case !slices.IsSorted(i.Labels) || len(slices.Compact(slices.Clone(i.Labels))) != len(i.Labels):
			t.Fatalf("labels %q", i.Labels)
		case !slices.IsSortedFunc(i.Dependencies, issue.CompareDependencies):
			t.Fatalf("dependencies %v", i.Dependencies)
		case !slices.IsSortedFunc(i.Comments, issue.CompareComments):
			t.Fatalf("comments %v", i.Comments)
		case (i.Assignee == "") != s.HolderOp.IsZero():
			t.Fatalf("assignee %q, set by %v", i.Assignee, s.HolderOp)
		case s.Last != slices.MaxFunc(ops, func(a, b *Operation) int { return a.ID.Compare(b.ID) }).ID:
			t.Fatalf("last is %v", s.Last)
		}
	})
}

func stateBytes(t *rapid.T, s State) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compareStates(t *rapid.T, got, want State) {
	if g, w := stateBytes(t, got), stateBytes(t, want); !bytes.Equal(g, w) {
		t.Fatalf("states differ\n got %s\nwant %s", g, w)
	}
}
