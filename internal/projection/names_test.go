package projection

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"beads/internal/op"
)

func TestNames(t *testing.T) {
	db := newDB(t)
	for n, who := range []string{"zoe", "amy", "", "amy"} {
		o := operation(n+1, "create", fmt.Sprint("bd-", n), "title", `"T"`)
		if who != "" {
			o = operation(n+1, "create", fmt.Sprint("bd-", n), "title", `"T"`, "assignee", `"`+who+`"`)
		}
		o.Add = &op.Elements{Labels: []string{"l" + fmt.Sprint(n%2)}, Deps: []op.Dep{{To: "bd-0", Type: "knows"}}}
		apply(t, db, o)
	}
	apply(t, db, operation(9, "close", "bd-1", "status", `"closed"`))
	apply(t, db, operation(10, "delete", "bd-0"))
	for of, want := range map[string]string{
		"assignee": "amy", "status": "closed open", "type": "task", "label": "l0 l1", "dependency": "knows",
	} {
		got := ask(t, db, func(q *Query) (string, error) {
			names, err := q.Names(of, 9)
			return strings.Join(names, " "), err
		})
		if got != want {
			t.Errorf("names of %s: %q, want %q", of, got, want)
		}
		if of == "dependency" {
			continue
		}
		text := map[string]string{
			"assignee": skipScan("assignee", "issue", "visible = 1 AND assignee IS NOT NULL"), "status": skipScan("status", "issue", "visible = 1"),
			"type": skipScan("issue_type", "issue", "visible = 1"), "label": skipScan("label", "label", "1"),
		}[of]
		steps := ask(t, db, func(q *Query) (string, error) { return plan(t, q, text, 9), nil })
		if strings.Contains(steps, "SCAN issue") || strings.Contains(steps, "SCAN label") || strings.Contains(steps, "TEMP") {
			t.Errorf("names of %s read everything:\n%s", of, steps)
		}
	}
	for start, want := range map[string]string{"": "bd-0", "bd-": "bd-0", "bd-1": ""} {
		got := ask(t, db, func(q *Query) (string, error) {
			found, err := q.Deleted(start, 9)
			var ids []string
			for _, c := range found {
				ids = append(ids, c.ID)
			}
			return strings.Join(ids, " "), err
		})
		if got != want {
			t.Errorf("deleted ones that begin with %q: %q, want %q", start, got, want)
		}
	}
	if err := db.View(context.Background(), func(q *Query) error { _, err := q.Names("owner", 1); return err }); err == nil {
		t.Error("names of an unknown column are no error")
	}
}
