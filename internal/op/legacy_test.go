package op

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// record makes the canonical record of x-1 with the members given.
func record(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"id":"x-1"` + members + `}`
}

// history folds the records, imported one after the other, with native
// operations between: those follow the import before them.
func history(t testing.TB, steps ...any) (State, []Problem) {
	t.Helper()
	var ops []*Operation
	var prior []ID
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			o := imported(t, step, prior...)
			prior = append(prior, o.ID)
			ops = append(ops, o)
		case *Operation:
			ops = append(ops, step)
		}
	}
	return Fold("x-1", ops)
}

func TestImportOperation(t *testing.T) {
	const usual = `{"status":"open","id":"x-1", "created_at":"2025-11-02T21:58:07.295058-08:00","updated_at":"2025-11-03T05:58:07.295157+00:00","n":1.50}`
	o := imported(t, usual)
	if got := o.ID.Time(); !got.Equal(time.Date(2025, 11, 3, 5, 58, 7, 295e6, time.UTC)) || o.ID.Counter() != 157 {
		t.Errorf("id at %v, counter %d", got, o.ID.Counter())
	}
	if o.Do != DoImport || o.By != "import" || o.Issue != "x-1" || !o.At.Equal(o.ID.Time()) || o.Session != "" {
		t.Errorf("operation %+v", o)
	}
	const canonical = `{"created_at":"2025-11-02T21:58:07.295058-08:00","id":"x-1","n":1.50,"status":"open","updated_at":"2025-11-03T05:58:07.295157+00:00"}`
	if string(o.Legacy) != canonical {
		t.Errorf("legacy %s", o.Legacy)
	}
	// sha256sum of the canonical record
	if got, want := o.ID.low(), uint64(0x68e6a1644481d957); got != want {
		t.Errorf("low bits %x, want %x", got, want)
	}
	if first, second := mustEncode(t, o), mustEncode(t, imported(t, usual)); string(first) != string(second) {
		t.Errorf("two imports differ:\n%s\n%s", first, second)
	}
}

func TestImportOperationTimes(t *testing.T) {
	r := func(members string) *LegacyRecord {
		got, err := Read([]byte(record(members)))
		if err != nil {
			t.Fatal(err)
		}
		return got.Legacy
	}
	for _, c := range []struct {
		name, members string
		prior         []ID
		millis        int64
		counter       uint16
	}{
		{"none", ``, nil, 0, 0},
		{"bad ones do not count", `"updated_at":"soon","created_at":5`, nil, 0, 0},
		{"closed_at", `"created_at":"1970-01-01T00:00:00Z","closed_at":"1970-01-01T00:00:01.5Z"`, nil, 1500, 0},
		{"deleted_at", `"deleted_at":"1970-01-01T00:00:01.000007Z"`, nil, 1000, 7},
		{"a dependency's", `"dependencies":[{"created_at":"1970-01-01T00:00:02Z"},3]`, nil, 2000, 0},
		{"a comment's", `"comments":[{"created_at":"1970-01-01T00:00:03Z"}],"dependencies":"x"`, nil, 3000, 0},
		{"beyond microseconds", `"updated_at":"1970-01-01T00:00:00.0000019Z"`, nil, 0, 1},
		{"before 1970", `"updated_at":"1969-12-31T23:59:59Z"`, nil, 0, 0},
		{"after 2200", `"updated_at":"9999-12-31T23:59:59Z"`, nil, endMillis - 1, 999},
		{"another record at the same time", `"updated_at":"1970-01-01T00:00:01Z"`, []ID{makeID(1000, 0, 1)}, 1000, 1},
		{"and at a greater within the millisecond", `"updated_at":"1970-01-01T00:00:01.000005Z"`,
			[]ID{makeID(1000, 9, 1), makeID(1000, 6, 2), makeID(1001, 20, 3)}, 1000, 10},
		{"smaller ones do not matter", `"updated_at":"1970-01-01T00:00:01.000005Z"`, []ID{makeID(1000, 4, 1)}, 1000, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, ok := ImportOperation(r(c.members), c.prior)
			if !ok || o.ID.millis() != c.millis || o.ID.Counter() != c.counter {
				t.Errorf("ImportOperation: %v, %d ms, counter %d; want %d, %d", ok, o.ID.millis(), o.ID.Counter(), c.millis, c.counter)
			}
			if _, again := ImportOperation(r(c.members), append(c.prior, o.ID)); again {
				t.Error("the record is imported again though it is held")
			}
		})
	}
}

func TestLegacyFold(t *testing.T) {
	const t1, t2, t3 = `"updated_at":"2025-01-01T00:00:01.000001Z"`, `"updated_at":"2025-01-01T00:00:02Z"`, `"updated_at":"2025-01-01T00:00:03Z"`
	between := func(set string) *Operation { // after t1, before t2
		o := update(1, set)
		o.ID = MinID(time.Date(2025, 1, 1, 0, 0, 1, 500e6, time.UTC))
		o.At = o.ID.Time()
		return o
	}
	dep := func(to string) string {
		return `{"issue_id":"x-1","depends_on_id":"` + to + `","type":"blocks","created_at":"2024-01-01T00:00:00Z","created_by":"d"}`
	}
	comment := func(text string) string {
		return `{"id":3,"issue_id":"x-1","author":"c","text":"` + text + `","created_at":"2024-01-01T00:00:00Z"}`
	}
	for _, c := range []struct {
		name     string
		steps    []any
		want     string // what the issue has, as JSON, id and times of creation and update left out
		hidden   bool
		problems int
	}{
		{"the first sets everything", []any{record(t1 + `,"title":"t","status":"hooked","priority":0,"issue_type":"bug","labels":["b","a"],"estimated_minutes":5,` +
			`"due_at":"2026-01-01T01:00:00+01:00","sprint":1.50,"dependencies":[` + dep("x-2") + `],"owner":"","assignee":null,"closed_at":"0001-01-01T00:00:00Z"`)},
			`{"title":"t","status":"hooked","priority":0,"issue_type":"bug","labels":["a","b"],"estimated_minutes":5,"due_at":"2026-01-01T00:00:00Z",` +
				`"dependencies":[` + dep("x-2") + `],"sprint":1.50}`, false, 0},
		{"defaults", []any{record(t1)}, `{"title":"","status":"open","priority":2,"issue_type":"task"}`, false, 0},
		{"closed without a time", []any{record(t1 + `,"status":"closed","close_reason":"r"`)},
			`{"title":"","status":"closed","priority":2,"issue_type":"task","closed_at":"2025-01-01T00:00:01Z","close_reason":"r"}`, false, 0},
		{"closed with a time", []any{record(t1 + `,"status":"closed","closed_at":"2024-01-01T00:00:00.1Z"`)},
			`{"title":"","status":"closed","priority":2,"issue_type":"task","closed_at":"2024-01-01T00:00:00.1Z"}`, false, 0},
		{"reopened upstream", []any{record(t1 + `,"status":"closed","closed_at":"2024-01-01T00:00:00Z","close_reason":"r"`), record(t2 + `,"status":"open"`)},
			`{"title":"","status":"open","priority":2,"issue_type":"task"}`, false, 0},
		{"a later one sets only what differs", []any{record(t1 + `,"title":"a","notes":"n","sprint":1`), between(`{"title":"mine","sprint":7}`), record(t2 + `,"title":"a","notes":"m","sprint":1`)},
			`{"title":"mine","notes":"m","status":"open","priority":2,"issue_type":"task","sprint":7}`, false, 0},
		{"also clears", []any{record(t1 + `,"title":"a","notes":"n","sprint":1,"priority":0`), record(t2)},
			`{"title":"","status":"open","priority":2,"issue_type":"task"}`, false, 0},
		{"a time in another zone is no difference", []any{record(t1 + `,"due_at":"2026-01-01T00:00:00Z"`), between(`{"due_at":null}`), record(t2 + `,"due_at":"2026-01-01T01:00:00+01:00"`)},
			`{"title":"","status":"open","priority":2,"issue_type":"task"}`, false, 0},
		{"labels and dependencies", []any{record(t1 + `,"labels":["a","b"],"dependencies":[` + dep("x-2") + `,` + dep("x-3") + `]`),
			record(t2 + `,"labels":["b","c"],"dependencies":[` + dep("x-3") + `,` + dep("x-4") + `]`)},
			`{"title":"","status":"open","priority":2,"issue_type":"task","labels":["b","c"],"dependencies":[` + dep("x-3") + `,` + dep("x-4") + `]}`, false, 0},
		{"comments are only ever added", []any{record(t1 + `,"comments":[` + comment("one") + `]`), record(t2 + `,"comments":[` + comment("two") + `]`), record(t3 + `,"comments":[` + comment("one") + `]`)},
			`{"title":"","status":"open","priority":2,"issue_type":"task","comments":[` +
				`{"id":"` + importedCommentID("x-1", "c", "2024-01-01T00:00:00Z", "one") + `","issue_id":"x-1","author":"c","text":"one","created_at":"2024-01-01T00:00:00Z"},` +
				`{"id":"` + importedCommentID("x-1", "c", "2024-01-01T00:00:00Z", "two") + `","issue_id":"x-1","author":"c","text":"two","created_at":"2024-01-01T00:00:00Z"}]}`, false, 0},
		{"a tombstone deletes and is no status", []any{record(t1 + `,"title":"t","status":"tombstone","issue_type":"task","original_type":"bug","deleted_at":"2025-01-01T00:00:01Z","deleted_by":"d","delete_reason":"r"`)},
			`{"title":"t","status":"open","priority":2,"issue_type":"bug"}`, true, 0},
		{"a later tombstone keeps the status", []any{record(t1 + `,"status":"blocked"`), record(t2 + `,"status":"tombstone"`)},
			`{"title":"","status":"blocked","priority":2,"issue_type":"task"}`, true, 0},
		{"a live record does not revive", []any{record(t1 + `,"status":"tombstone"`), record(t2 + `,"status":"closed","closed_at":"2025-01-01T00:00:02Z"`)},
			`{"title":"","status":"closed","priority":2,"issue_type":"task","closed_at":"2025-01-01T00:00:02Z"}`, true, 0},
		{"another tombstone after a restore does not delete again", []any{record(t1 + `,"status":"tombstone"`),
			func() *Operation { o := between(""); o.Do = DoRestore; return o }(), record(t2 + `,"status":"tombstone","title":"t"`)},
			`{"title":"t","status":"open","priority":2,"issue_type":"task"}`, false, 0},
		{"bad values are ignored and reported", []any{record(t1 + `,"title":7,"priority":"high","labels":[1,""],"dependencies":[{"type":"blocks"},5],"comments":[{"author":"a"}]`)},
			`{"title":"","status":"open","priority":2,"issue_type":"task"}`, false, 7},
		{"a bad value does not clear", []any{record(t1 + `,"priority":0`), record(t2 + `,"priority":"high"`)},
			`{"title":"","status":"open","priority":0,"issue_type":"task"}`, false, 1},
		{"members that are no lists", []any{record(t1 + `,"labels":"a","dependencies":{},"comments":null`)},
			`{"title":"","status":"open","priority":2,"issue_type":"task"}`, false, 2},
		{"a dependency without a type blocks", []any{record(t1 + `,"dependencies":[{"depends_on_id":"x-2","created_at":"2024-01-01T00:00:00Z","metadata":{"b":1,"a":2}}]`)},
			`{"title":"","status":"open","priority":2,"issue_type":"task","dependencies":[{"issue_id":"x-1","depends_on_id":"x-2","type":"blocks","created_at":"2024-01-01T00:00:00Z","metadata":{"a":2,"b":1}}]}`, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, problems := history(t, c.steps...)
			if got := plain(t, s); !reflect.DeepEqual(got, plainJSON(t, c.want)) {
				t.Errorf("issue\n got %v\nwant %s", got, c.want)
			}
			if s.Visible() == c.hidden {
				t.Errorf("visible: %v", s.Visible())
			}
			if len(problems) != c.problems {
				t.Errorf("problems: %v", problems)
			}
		})
	}
}

// plain is the issue as decoded JSON, without what the cases leave out.
func plain(t *testing.T, s State) any {
	t.Helper()
	m := plainJSON(t, string(s.Issue.AppendJSON(nil))).(map[string]any)
	for _, name := range []string{"id", "created_at", "updated_at"} {
		delete(m, name)
	}
	return m
}

func plainJSON(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func TestLegacyTimes(t *testing.T) {
	s, _ := history(t, record(`"created_at":"2024-01-01T00:00:00Z","created_by":"c","updated_at":"2025-01-01T00:00:01.000007Z"`))
	if s.Issue.CreatedAt.Year() != 2024 || s.Issue.CreatedBy != "c" || s.Issue.UpdatedAt.Nanosecond() != 7000 {
		t.Errorf("first: created %v by %q, updated %v", s.Issue.CreatedAt, s.Issue.CreatedBy, s.Issue.UpdatedAt)
	}
	// Changed without a new updated_at: the time stays, and does not lose its microseconds.
	s, _ = history(t, record(`"updated_at":"2025-01-01T00:00:01.000007Z"`), record(`"updated_at":"2025-01-01T00:00:01.000007Z","title":"t"`))
	if s.Issue.Title != "t" || s.Issue.UpdatedAt.Nanosecond() != 7000 {
		t.Errorf("second: title %q, updated %v", s.Issue.Title, s.Issue.UpdatedAt)
	}
	if s.Issue.CreatedBy != "" {
		t.Errorf("created by %q, of which the record says nothing", s.Issue.CreatedBy)
	}
}

// A comment exported by this program and imported again keeps its id, and is
// known also after it was edited.
func TestLegacyCommentIDs(t *testing.T) {
	native := create(1, `{"title":"t"}`)
	native.Comment = &CommentText{Text: "one"}
	edit := update(2, "")
	edit.CommentEdit = &CommentText{Ref: native.ID.String(), Text: "edited"}
	s, _ := Fold("x-1", []*Operation{native})
	o := imported(t, string(s.Issue.AppendJSON(nil)))

	fresh, _ := Fold("x-1", []*Operation{o})
	if got := fresh.Issue.Comments[0].ID; got != native.ID.String() {
		t.Errorf("in a fresh workspace the comment has the id %q", got)
	}
	both, _ := Fold("x-1", []*Operation{native, edit, o})
	if n := len(both.Issue.Comments); n != 1 || both.Issue.Comments[0].Text != "edited" {
		t.Errorf("beside the original: %v", both.Issue.Comments)
	}
	// A snapshot from before the edit that was touched later does not undo it.
	s.Issue.UpdatedAt = at(9)
	late := imported(t, string(s.Issue.AppendJSON(nil)))
	after, _ := Fold("x-1", []*Operation{native, edit, late})
	if n := len(after.Issue.Comments); n != 1 || after.Issue.Comments[0].Text != "edited" {
		t.Errorf("after the edit: %v", after.Issue.Comments)
	}
}

func TestLegacyOfAnotherIssue(t *testing.T) {
	o := imported(t, record(`"title":"t"`))
	o.Issue = "x-2"
	s, problems := Fold("x-2", []*Operation{o})
	if s.Issue.Title != "" || s.Legacy != nil || len(problems) != 1 {
		t.Errorf("state %s, problems %v", stateJSON(t, s), problems)
	}
}

// Without changes of ours, what a sequence of snapshots ends in is what its
// last one says (comments and deletion aside, which only accumulate, and what
// an ignored bad value leaves).
func TestLegacyDifferencesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ops []*Operation
		var prior []ID
		for i := range rapid.IntRange(1, 5).Draw(t, "records") {
			members := fields("id", `"x-1"`, "updated_at", string(Str(at(i).Format(time.RFC3339))))
			for _, name := range []string{"title", "status", "priority", "notes", "labels", "sprint", "due_at"} {
				switch value := rapid.IntRange(0, 3).Draw(t, name); {
				case value == 0:
				case name == "priority":
					members[name] = Int(value)
				case name == "labels":
					members[name] = json.RawMessage([]string{`["a"]`, `["a","b"]`, `["b","c"]`}[value-1])
				case name == "due_at":
					members[name] = json.RawMessage([]string{`"2026-01-01T00:00:00Z"`, `"2026-01-01T01:00:00+01:00"`, `"2027-01-01T00:00:00Z"`}[value-1])
				case name == "status":
					members[name] = json.RawMessage([]string{`"open"`, `"closed"`, `"in_progress"`}[value-1])
				default:
					members[name] = Str(string(rune('a' + value)))
				}
			}
			raw, _ := json.Marshal(members)
			r, err := Read(raw)
			if err != nil {
				t.Fatal(err)
			}
			o, ok := ImportOperation(r.Legacy, prior)
			if !ok {
				continue
			}
			prior = append(prior, o.ID)
			ops = append(ops, o)
		}
		got, _ := Fold("x-1", ops)
		want, _ := Fold("x-1", ops[len(ops)-1:])
		// These tell the story, not only its end.
		want.Issue.CreatedAt = got.Issue.CreatedAt
		if want.Issue.Status == "closed" {
			want.Issue.ClosedAt = got.Issue.ClosedAt
		}
		compareStates(t, got, want)
	})
}

// An export that was read back has the comments that were made here, and its
// import may sort before one of them: both can be of one millisecond.
func TestCommentComesAfterItsCopy(t *testing.T) {
	const at = "2026-01-02T00:00:00.005Z"
	copied := imported(t, record(`"title":"T","created_at":"2026-01-01T00:00:00Z","updated_at":"`+at+
		`","comments":[{"id":1,"issue_id":"x-1","author":"alice","text":"a word","created_at":"`+at+`"}]`))
	when, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		t.Fatal(err)
	}
	made := &Operation{ID: MinID(when.Add(time.Millisecond)), V: Version, Do: DoComment, Issue: "x-1", At: when, By: "alice",
		Comment: &CommentText{Text: "a word"}}
	if made.ID.Compare(copied.ID) <= 0 {
		t.Fatal("the copy should come first")
	}
	state, _ := Fold("x-1", []*Operation{made, copied})
	if len(state.Issue.Comments) != 1 || state.Issue.Comments[0].ID != made.ID.String() {
		t.Errorf("the comments are %+v, want the one that was made", state.Issue.Comments)
	}
}

// Records as long as a line may be, with as many elements as fit, each kind first
// added and then taken away: at the cost of their square this takes many minutes.
func TestRecordsOfVeryManyElements(t *testing.T) {
	members := func(n int, format string) []string {
		all := make([]string, n)
		for i := range n {
			all[i] = fmt.Sprintf(format, 999_999-i)
		}
		return all
	}
	of := func(name string, n int, format string) string {
		return record(`"` + name + `":` + string(list(members(n, format))))
	}
	s, problems := history(t,
		record(strings.Join(members(60_000, `"%d":1`), ",")),
		of("labels", 110_000, `"%d"`),
		of("labels", 100_000, `"%d"`),
		of("dependencies", 33_000, `{"depends_on_id":"%d"}`),
		of("dependencies", 30_000, `{"depends_on_id":"%d"}`),
		of("comments", 45_000, `{"text":"%d"}`),
		record(`"labels":["a"]`),
	)
	is := s.Issue
	if len(problems) != 0 || len(is.Extra) != 0 || len(is.Labels) != 1 || len(is.Dependencies) != 0 || len(is.Comments) != 45_000 {
		t.Errorf("%d problems, %d fields, %d labels, %d dependencies, %d comments",
			len(problems), len(is.Extra), len(is.Labels), len(is.Dependencies), len(is.Comments))
	}
}
