package issue

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAppendJSON(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name string
		i    Issue
		want string
	}{
		{"empty", Issue{}, `{"id":"","title":"","status":"","priority":0,"issue_type":"","created_at":"0001-01-01T00:00:00Z","updated_at":"0001-01-01T00:00:00Z"}`},
		{"everything in its place", Issue{
			ID: "x-1", Title: "t", Description: "d", Design: "e", AcceptanceCriteria: "a", Notes: "n", Status: "closed", Priority: 1,
			Type: "bug", Assignee: "b", Owner: "o", EstimatedMinutes: 5, ExternalRef: "gh-1", Metadata: json.RawMessage(`{"a":1.0}`),
			CreatedAt: at("2025-01-01T01:00:00.1200009+01:00"), CreatedBy: "c", UpdatedAt: at("2025-01-02T00:00:00Z"),
			ClosedAt: at("2025-01-03T00:00:00.000001Z"), CloseReason: "r", DueAt: at("2025-01-04T00:00:00Z"), DeferUntil: at("2025-01-05T00:00:00Z"),
			Labels: []string{"a", "b"},
			Dependencies: []Dependency{
				{To: "x-2", Type: "blocks", CreatedAt: at("2025-01-01T00:00:00Z"), CreatedBy: "c"},
				{To: "x-3", Type: "related", Metadata: json.RawMessage(`[]`)},
			},
			Comments: []Comment{{ID: "k", Author: "w", Text: "hi", CreatedAt: at("2025-01-01T00:00:00Z"), UpdatedAt: at("2025-01-02T00:00:00Z")}},
			Extra:    map[string]json.RawMessage{"zeta": json.RawMessage(`1.50`), "beta": json.RawMessage(`{}`)},
		}, `{"id":"x-1","title":"t","description":"d","design":"e","acceptance_criteria":"a","notes":"n","status":"closed","priority":1,` +
			`"issue_type":"bug","assignee":"b","owner":"o","labels":["a","b"],"estimated_minutes":5,"external_ref":"gh-1","metadata":{"a":1.0},` +
			`"created_at":"2025-01-01T00:00:00.12Z","created_by":"c","updated_at":"2025-01-02T00:00:00Z","closed_at":"2025-01-03T00:00:00.000001Z",` +
			`"close_reason":"r","due_at":"2025-01-04T00:00:00Z","defer_until":"2025-01-05T00:00:00Z",` +
			`"dependencies":[{"issue_id":"x-1","depends_on_id":"x-2","type":"blocks","created_at":"2025-01-01T00:00:00Z","created_by":"c"},` +
			`{"issue_id":"x-1","depends_on_id":"x-3","type":"related","created_at":"0001-01-01T00:00:00Z","metadata":[]}],` +
			`"comments":[{"id":"k","issue_id":"x-1","author":"w","text":"hi","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-02T00:00:00Z"}],` +
			`"beta":{},"zeta":1.50}`},
		{"no HTML escaping, extra cannot override, bytes that are not UTF-8", Issue{
			ID: "x-1", Title: "<a>&\u2028\"\\\n\x01\xff", Status: "open", Type: "task",
			Extra: map[string]json.RawMessage{"title": json.RawMessage(`"other"`), "labels": json.RawMessage(`["l"]`), "closed_at": json.RawMessage(`"x"`)},
		}, `{"id":"x-1","title":"<a>&` + "\u2028" + `\"\\\n\u0001` + "\ufffd" + `","status":"open","priority":0,"issue_type":"task",` +
			`"created_at":"0001-01-01T00:00:00Z","updated_at":"0001-01-01T00:00:00Z"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(c.i.AppendJSON(nil)); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if got := string(c.i.AppendJSON([]byte("before "))); got != "before "+c.want {
				t.Errorf("appended: %s", got)
			}
		})
	}
}

func TestAppendMembers(t *testing.T) {
	i := Issue{ID: "x-1"}
	got := append(i.AppendMembers([]byte(`{"first":1`)), `,"last":2}`...)
	if !json.Valid(got) || !strings.HasPrefix(string(got), `{"first":1,"id":"x-1",`) {
		t.Errorf("%s", got)
	}
}

// What known says is what AppendJSON writes: a field that one of them forgets
// could be overridden by an extra one.
func TestKnownMembers(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	full := Issue{
		ID: "a", Title: "a", Description: "a", Design: "a", AcceptanceCriteria: "a", Notes: "a", Status: "a", Priority: 1, Type: "a",
		Assignee: "a", Owner: "a", EstimatedMinutes: 1, ExternalRef: "a", Metadata: json.RawMessage("1"), CreatedAt: now, CreatedBy: "a",
		UpdatedAt: now, ClosedAt: now, CloseReason: "a", DueAt: now, DeferUntil: now, Labels: []string{"a"},
		Dependencies: []Dependency{{}}, Comments: []Comment{{}},
	}
	v := reflect.ValueOf(full)
	for n := range v.NumField() {
		if name := v.Type().Field(n).Name; v.Field(n).IsZero() && name != "Extra" {
			t.Errorf("the test does not fill %s", name)
		}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(full.AppendJSON(nil), &members); err != nil {
		t.Fatal(err)
	}
	if got, want := len(members), v.NumField()-1; got != want {
		t.Errorf("%d members for %d fields", got, want)
	}
	for name := range members {
		if !known(name) {
			t.Errorf("%s is not known", name)
		}
	}
}

func drawTime(t *rapid.T, what string) time.Time {
	if rapid.Bool().Draw(t, "no "+what) {
		return time.Time{}
	}
	return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, what)).UTC()
}

func drawIssue(t *rapid.T) Issue {
	text := func(what string) string { return rapid.String().Draw(t, what) }
	i := Issue{
		ID: text("id"), Title: text("title"), Description: text("description"), Design: text("design"),
		AcceptanceCriteria: text("acceptance"), Notes: text("notes"), Status: text("status"), Priority: rapid.IntRange(0, 4).Draw(t, "priority"),
		Type: text("type"), Assignee: text("assignee"), Owner: text("owner"), EstimatedMinutes: rapid.IntRange(0, 99).Draw(t, "estimate"),
		ExternalRef: text("external"), CreatedAt: drawTime(t, "created"), CreatedBy: text("creator"), UpdatedAt: drawTime(t, "updated"),
		ClosedAt: drawTime(t, "closed"), CloseReason: text("reason"), DueAt: drawTime(t, "due"), DeferUntil: drawTime(t, "defer"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "parts") {
		i.AddLabel(text("label"))
		i.AddDependency(Dependency{To: text("to"), Type: text("kind"), CreatedAt: drawTime(t, "linked"), CreatedBy: text("linker")})
		i.AddComment(Comment{ID: text("comment"), Author: text("author"), Text: text("text"), CreatedAt: drawTime(t, "said"), UpdatedAt: drawTime(t, "edited")})
	}
	if rapid.Bool().Draw(t, "with metadata") {
		i.Metadata = json.RawMessage(`{"a":[1,2.50]}`)
		i.Extra = map[string]json.RawMessage{"sprint": json.RawMessage(`7`)}
	}
	return i
}

func TestJSONReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawIssue(t)
		var got Issue
		if err := json.Unmarshal(want.AppendJSON(nil), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("\n got %+v\nwant %+v", got, want)
		}
		marshalled, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got = Issue{}
		if err := json.Unmarshal(marshalled, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("through Marshal: %v", err)
		}
	})
}

func TestUnmarshalErrors(t *testing.T) {
	for _, text := range []string{`[]`, `{"priority":"high"}`, `{"created_at":"soon"}`, `{"dependencies":[5]}`, `{"comments":[5]}`} {
		i := Issue{Title: "kept"}
		if err := json.Unmarshal([]byte(text), &i); err == nil || i.Title != "kept" {
			t.Errorf("Unmarshal(%s) = %v, %+v", text, err, i)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	i := Issue{
		ID: "bd-x7k2m9q4t1", Title: "Fix the login", Description: strings.Repeat("what should happen ", 20), Status: "open", Priority: 1, Type: "bug",
		CreatedAt: time.UnixMicro(1763866967857123), UpdatedAt: time.UnixMicro(1763866967857123), Labels: []string{"a", "b"},
		Dependencies: []Dependency{{To: "bd-a9x8c7v6b5", Type: "blocks", CreatedAt: time.UnixMicro(1763866967857123), CreatedBy: "alice"}},
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = i.AppendJSON(buf[:0])
	}
}
