package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"beads/internal/op"
	"beads/internal/projection"
)

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		name string
		o    op.Operation
		want string
	}{
		{"fields by name", op.Operation{Set: map[string]json.RawMessage{
			"title": op.Str("Fix login"), "priority": op.Int(1), "assignee": op.Null(), "status": op.Str("open"),
		}}, `assignee cleared, priority 1, status open, title "Fix login"`},
		{"elements", op.Operation{
			Remove: &op.Elements{Labels: []string{"old"}},
			Add:    &op.Elements{Labels: []string{"new"}, Deps: []op.Dep{{To: "bd-2", Type: "blocks"}}},
		}, `-label old, +label new, +blocks bd-2`},
		{"appended text", op.Operation{Append: map[string]string{"notes": "a\nb"}}, `notes += "a\nb"`},
		{"a comment", op.Operation{Comment: &op.CommentText{Text: "so it is"}}, `"so it is"`},
		{"a comment removed", op.Operation{CommentDelete: &op.CommentText{Ref: "x"}}, `comment removed`},
		{"a snapshot record", op.Operation{Legacy: json.RawMessage(`{"id":"a-1"}`)}, `a snapshot record`},
		{"nothing", op.Operation{Do: op.DoDelete}, ``},
		{"a value that is no string", op.Operation{Set: map[string]json.RawMessage{"x": json.RawMessage(`{"a":[1]}`)}}, `x {"a":[1]}`},
	} {
		if got := describe(&test.o); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// A line that can no longer be read is no JSON to pass on; its id is.
func TestHistoryJSONOfUnreadableLine(t *testing.T) {
	var out strings.Builder
	a := &app{out: bufio.NewWriter(&out), json: true}
	entry := projection.HistoryEntry{Op: op.Operation{Issue: "bd-1"}, Line: []byte("\x00 not JSON"), Effect: projection.EffectUnreadable}
	if err := errors.Join(a.historyJSON([]projection.HistoryEntry{entry}), a.out.Flush()); err != nil {
		t.Fatal(err)
	}
	var entries []map[string]string
	if err := json.Unmarshal([]byte(out.String()), &entries); err != nil || len(entries) != 1 ||
		entries[0]["effect"] != "unreadable" || entries[0]["issue"] != "bd-1" || entries[0]["op"] == "" {
		t.Errorf("got %v, %s", err, &out)
	}
}
