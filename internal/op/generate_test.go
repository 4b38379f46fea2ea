package op

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"
)

// The generators draw from small pools, so that what they make meets: the same
// fields, labels and people, and times within and beyond a lease.

var (
	genFields = []string{
		"title", "description", "notes", "status", "priority", "issue_type", "assignee", "owner", "estimated_minutes",
		"external_ref", "metadata", "close_reason", "due_at", "defer_until", "created_at", "closed_at", "created_by",
		"updated_at", "labels", "unknown", "unknown2",
	}
	genValues = []string{
		`null`, `""`, `"open"`, `"closed"`, `"in_progress"`, `"tombstone"`, `"alice"`, `"bob"`, `0`, `1`, `4`, `7`, `-1`,
		`1.5`, `true`, `[]`, `{"b":1,"a":[1.0]}`, `"2026-01-02T03:04:05.123456+02:00"`, `"2027-01-01T00:00:00Z"`, `"é\n<&>"`,
	}
	genPeople   = []string{"alice", "bob", "import", ""}
	genSessions = []string{"", "", "s1", "s2"}
	genLabels   = []string{"a", "b", "c", "", "é"}
	genTargets  = []string{"x-2", "x-3", "y-1.2"}
	genVerbs    = []string{
		DoCreate, DoCreate, DoImport, DoUpdate, DoUpdate, DoUpdate, DoClaim, DoClose, DoReopen, DoDelete, DoRestore, "invented",
	}
)

func genID() *rapid.Generator[ID] {
	return rapid.Custom(func(t *rapid.T) ID {
		return makeID(testMillis+rapid.Int64Range(0, 12).Draw(t, "half hours")*1800_000,
			rapid.Uint16Range(0, 3).Draw(t, "counter"), rapid.Uint64Range(1, 4).Draw(t, "low"))
	})
}

func genElements() *rapid.Generator[*Elements] {
	return rapid.Custom(func(t *rapid.T) *Elements {
		e := &Elements{Labels: rapid.SliceOfN(rapid.SampledFrom(genLabels), 0, 3).Draw(t, "labels")}
		for range rapid.IntRange(0, 2).Draw(t, "deps") {
			d := Dep{
				To:   rapid.SampledFrom(genTargets).Draw(t, "to"),
				Type: rapid.SampledFrom([]string{"blocks", "related"}).Draw(t, "type"),
			}
			if rapid.Bool().Draw(t, "with metadata") {
				d.Metadata = json.RawMessage(`{"b":1,"a":2}`)
			}
			e.Deps = append(e.Deps, d)
		}
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
			e.Unknown = fields("watchers", `["zoe"]`)
		}
		return e
	})
}

func genCondition() *rapid.Generator[*Condition] {
	return rapid.SampledFrom([]*Condition{
		nil, nil, nil, {Unassigned: true}, {Unassigned: true, Lease: 3600}, {Unset: true}, {},
		{Unknown: true, Raw: json.RawMessage(`{"status":"open"}`)},
	})
}

func genOperation() *rapid.Generator[*Operation] {
	return rapid.Custom(func(t *rapid.T) *Operation {
		chance := func(what string, oneIn int) bool { return rapid.IntRange(1, oneIn).Draw(t, what) == 1 }
		o := &Operation{
			ID: genID().Draw(t, "id"), V: 1, Issue: "x-1",
			Do:      rapid.SampledFrom(genVerbs).Draw(t, "do"),
			By:      rapid.SampledFrom(genPeople).Draw(t, "by"),
			Session: rapid.SampledFrom(genSessions).Draw(t, "session"),
			If:      genCondition().Draw(t, "if"),
		}
		o.At = o.ID.Time()
		if n := rapid.IntRange(0, 4).Draw(t, "fields"); n > 0 {
			o.Set = make(map[string]json.RawMessage)
			for range n {
				o.Set[rapid.SampledFrom(genFields).Draw(t, "field")] =
					json.RawMessage(rapid.SampledFrom(genValues).Draw(t, "value"))
			}
		}
		if chance("remove", 4) {
			o.Remove = genElements().Draw(t, "removed")
		}
		if chance("add", 3) {
			o.Add = genElements().Draw(t, "added")
		}
		if chance("append", 4) {
			o.Append = map[string]string{rapid.SampledFrom(genFields).Draw(t, "appended"): rapid.String().Draw(t, "text")}
		}
		if chance("comment", 4) {
			o.Comment = &CommentText{Text: rapid.String().Draw(t, "comment text")}
		}
		if chance("comment_edit", 8) {
			o.CommentEdit = &CommentText{Ref: genID().Draw(t, "ref").String(), Text: "edited"}
		}
		if chance("comment_delete", 8) {
			o.CommentDelete = &CommentText{Ref: genID().Draw(t, "ref").String()}
		}
		if o.Do == DoImport && chance("legacy", 2) {
			o.Legacy = genRecord().Draw(t, "record")
		}
		if chance("unknown", 12) {
			o.Unknown = fields("zeta", `{"b":1,"a":2}`, "beta", `[1.50]`)
		}
		return o
	})
}

// genRecord draws a canonical record of x-1.
func genRecord() *rapid.Generator[json.RawMessage] {
	return rapid.Custom(func(t *rapid.T) json.RawMessage {
		record := fields("id", `"x-1"`)
		for range rapid.IntRange(0, 6).Draw(t, "fields") {
			record[rapid.SampledFrom(append(genFields, "deleted_at", "original_type")).Draw(t, "field")] =
				json.RawMessage(rapid.SampledFrom(genValues).Draw(t, "value"))
		}
		if rapid.Bool().Draw(t, "with labels") {
			labels, _ := json.Marshal(rapid.SliceOfN(rapid.SampledFrom(genLabels), 0, 3).Draw(t, "labels"))
			record["labels"] = labels
		}
		var deps, comments []string
		for range rapid.IntRange(0, 2).Draw(t, "deps") {
			deps = append(deps, fmt.Sprintf(`{"depends_on_id":%q,"type":"blocks"}`, rapid.SampledFrom(genTargets).Draw(t, "to")))
		}
		for range rapid.IntRange(0, 2).Draw(t, "comments") {
			comments = append(comments, fmt.Sprintf(`{"id":7,"author":"bob","text":%q,"created_at":"2026-01-01T00:00:00Z"}`,
				rapid.SampledFrom([]string{"one", "two", ""}).Draw(t, "text")))
		}
		record["dependencies"] = list(deps)
		record["comments"] = list(comments)
		raw, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		canonical, err := appendCanonical(nil, raw)
		if err != nil {
			t.Fatal(err)
		}
		return canonical
	})
}

func list(elements []string) json.RawMessage {
	b := []byte{'['}
	for i, e := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e...)
	}
	return append(b, ']')
}

// genOperations draws operations with distinct ids.
func genOperations() *rapid.Generator[[]*Operation] {
	return rapid.SliceOfNDistinct(genOperation(), 1, 25, func(o *Operation) ID { return o.ID })
}
