package projection

import (
	"encoding/json"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"beads/internal/issue"
	"beads/internal/op"
)

// generateOperation draws an operation with id n on one of a few issues, so
// that they meet each other often.
func generateOperation(t *rapid.T, n int) *op.Operation {
	names := []string{"bd-a", "bd-b", "bd-c", "bd-d", "bd-e"}
	pick := rapid.SampledFrom(names)
	o := operation(n, "update", pick.Draw(t, "issue"))
	o.By = rapid.SampledFrom([]string{"alice", "bob"}).Draw(t, "by")
	set := func(field, value string) { o.Set = map[string]json.RawMessage{field: json.RawMessage(value)} }
	kind := rapid.SampledFrom([]string{"blocks", "blocks", "parent-child", "parent-child", "related"})
	dep := func() *op.Elements {
		return &op.Elements{Deps: []op.Dep{{To: pick.Draw(t, "to"), Type: kind.Draw(t, "type")}}}
	}
	switch rapid.IntRange(0, 16).Draw(t, "kind") {
	case 0, 1, 2, 3:
		o.Do = op.DoCreate
		set("title", `"t"`)
		if rapid.Bool().Draw(t, "with dependency") {
			o.Add = dep()
		}
	case 4, 5, 6:
		o.Add = dep()
	case 7:
		o.Remove = dep()
	case 8:
		set("status", `"closed"`)
	case 9:
		set("status", `"open"`)
	case 10:
		o.Do = op.DoDelete
	case 11:
		o.Do = op.DoRestore
	case 12:
		o.Add = &op.Elements{Labels: []string{rapid.SampledFrom([]string{"x", "y"}).Draw(t, "label")}}
	case 13:
		o.Comment = &op.CommentText{Text: "hello"}
	case 14:
		o.CommentEdit = &op.CommentText{Ref: testID(rapid.IntRange(1, 40).Draw(t, "ref")).String(), Text: "changed"}
	case 15:
		o.Do = op.DoClaim
		o.If = &op.Condition{Unassigned: true, Lease: 10}
		o.Set = map[string]json.RawMessage{"assignee": op.Str(o.By), "status": op.Str("in_progress")}
	case 16:
		set("priority", `"high"`)
	}
	if rapid.IntRange(0, 15).Draw(t, "settings") == 0 {
		o = operation(n, op.DoConfig, "", "claim_lease", "60")
	}
	return o
}

// generateLines draws the lines of a small tracker: operations, imported
// records and lines that share an id, in any order and partly twice.
func generateLines(t *rapid.T) [][]byte {
	var lines [][]byte
	encoded := func(o *op.Operation) {
		line, err := op.Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	for n := range rapid.IntRange(0, 2).Draw(t, "newer") {
		lines = append(lines, fmt.Appendf(nil, `{"op":"%s","v":2,"do":"update","issue":"bd-%c","new":{}}`, testID(7*n+5), 'a'+n))
	}
	for n, name := range []string{"bd-a", "bd-b", "bd-c", "bd-d"} {
		if rapid.IntRange(0, 4).Draw(t, "created") > 0 {
			encoded(operation(n+100*rapid.IntRange(0, 1).Draw(t, "late"), op.DoCreate, name))
		}
	}
	count := rapid.IntRange(1, 40).Draw(t, "operations")
	for n := 1; n <= count; n++ {
		o := generateOperation(t, n)
		encoded(o)
		if rapid.IntRange(0, 9).Draw(t, "same id") == 0 {
			other := generateOperation(t, n)
			encoded(other)
		}
	}
	var comments []string
	for n := range 3 {
		comments = append(comments, fmt.Sprintf(`{"author":"a","text":"c%d","created_at":"2026-01-01T00:00:0%dZ"}`, n, n))
	}
	for n := range rapid.IntRange(0, len(comments)).Draw(t, "records") {
		record := fmt.Sprintf(`{"id":"bd-a","title":"old %d","status":"open","updated_at":"2026-01-01T00:00:%02dZ","created_at":"2026-01-01T00:00:00Z",`+
			`"labels":["l%d"],"comments":[%s]}`, n, 5+n, n%2, strings.Join(comments[:n+1], ","))
		read, err := op.Read([]byte(record))
		if err != nil {
			t.Fatal(err)
		}
		o, _ := op.ImportOperation(read.Legacy, nil)
		encoded(o)
	}
	lines = append(lines, rapid.SliceOfN(rapid.SampledFrom(lines), 0, 5).Draw(t, "again")...)
	return rapid.Permutation(lines).Draw(t, "arrival")
}

// expected folds lines by the rules, without a database.
func expected(lines [][]byte) map[string]op.State {
	winners := make(map[op.ID][]byte)
	for _, line := range lines {
		id, _ := op.Operations.PeekID(line)
		if best, ok := winners[id]; !ok || op.Wins(line, best) {
			winners[id] = line
		}
	}
	byIssue := make(map[string][]*op.Operation)
	for _, line := range winners {
		record, err := op.Read(line)
		if err != nil {
			panic(err)
		}
		byIssue[record.Op.Issue] = append(byIssue[record.Op.Issue], record.Op)
	}
	delete(byIssue, "")
	states := make(map[string]op.State)
	for issueID, operations := range byIssue {
		states[issueID], _ = op.Fold(issueID, operations)
	}
	return states
}

// expectedBlocked is the rule of readiness, applied until nothing changes.
func expectedBlocked(states map[string]op.State) map[string]bool {
	blocked := make(map[string]bool)
	alive := func(id string) bool {
		s, ok := states[id]
		return ok && s.Visible() && s.Issue.Status != issue.StatusClosed
	}
	for changed := true; changed; {
		changed = false
		for id, s := range states {
			if !alive(id) || blocked[id] {
				continue
			}
			for _, d := range s.Issue.Dependencies {
				if alive(d.To) && (d.Type == issue.DepBlocks || d.Type == issue.DepParentChild && blocked[d.To]) {
					blocked[id], changed = true, true
				}
			}
		}
	}
	return blocked
}
