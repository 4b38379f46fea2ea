package cli

import (
	"encoding/json"
	"testing"

	"beads/internal/op"
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
