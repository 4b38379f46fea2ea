package projection

import (
	"fmt"
	"strings"
	"testing"

	"beads/internal/issue"
	"beads/internal/op"
)

// Each step is one update; after it, exactly the issues behind "=" are blocked.
// A word is "x>y" (blocks dependency of x on y), "x-y" (y is the parent of x),
// "x!>y" and "x!-y" (no longer), "+x" (open), "*x" (closed), "~x" (deleted),
// "^x" (restored). Every issue exists from the start.
func TestReadiness(t *testing.T) {
	for name, steps := range map[string][]string{
		"a blocker comes and goes":            {"a>b = a", "*b =", "+b = a", "~b =", "^b = a", "a!>b ="},
		"a closed issue is not blocked":       {"a>b = a", "*a =", "+a = a"},
		"a deleted issue is not blocked":      {"a>b = a", "~a =", "^a = a"},
		"children inherit":                    {"p>b c-p d-c = p c d", "*b =", "+b = p c d"},
		"not through a closed parent":         {"p>b c-p d-c = p c d", "*c = p", "+c = p c d", "*p ="},
		"a child moves":                       {"p>b c-p q-z = p c", "c!-p c-q = p", "c!-q c-p = p c"},
		"one of two reasons goes":             {"p>b c-p c>x = c p", "*x = c p", "*b =", "+x = c"},
		"parents form a cycle":                {"p-q q-p c-p =", "q>b = c p q", "*b =", "+b = c p q", "q!>b ="},
		"blockers form a cycle":               {"a>b b>a = a b", "*a =", "+a = a b"},
		"an issue blocks itself":              {"a>a = a", "*a =", "+a = a"},
		"a blocker that is blocked":           {"a>b b>c = a b", "*b =", "*c =", "+b = a"},
		"a parent that is nowhere":            {"c-nowhere c>none ="},
		"two levels, the upper one is freed":  {"p>b c-p d-c d>x = c d p", "*b = d", "*x ="},
		"blocked by the own child":            {"p>c c-p = c p", "*c ="},
		"one update frees and blocks another": {"a>b c-a = a c", "*b d>x = d", "*x +b = a c"},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t)
			number := 0
			next := func(do, issueID string, set ...string) *op.Operation {
				number++
				return operation(number, do, issueID, set...)
			}
			var creates []*op.Operation
			for _, name := range strings.Fields("a b c d p q x z") {
				creates = append(creates, next(op.DoCreate, name))
			}
			apply(t, db, creates...)
			for _, step := range steps {
				words, want, _ := strings.Cut(step, "=")
				var operations []*op.Operation
				for word := range strings.FieldsSeq(words) {
					operations = append(operations, readinessOperation(t, word, next))
				}
				apply(t, db, operations...)
				rows := ask(t, db, func(q *Query) ([]Row, error) {
					return q.List(issue.Filter{Blocked: true, Sort: issue.SortID})
				})
				if got := rowIDs(rows); got != sorted(want) {
					t.Fatalf("after %q: blocked %q", step, got)
				}
			}
		})
	}
}

func sorted(words string) string {
	var found []string
	for _, name := range strings.Fields("a b c d p q x z") {
		if strings.Contains(" "+words+" ", " "+name+" ") {
			found = append(found, name)
		}
	}
	return strings.Join(found, " ")
}

func readinessOperation(t *testing.T, word string, next func(do, issueID string, set ...string) *op.Operation) *op.Operation {
	t.Helper()
	switch word[0] {
	case '+':
		return next(op.DoReopen, word[1:], "status", `"open"`)
	case '*':
		return next(op.DoClose, word[1:], "status", `"closed"`)
	case '~':
		return next(op.DoDelete, word[1:])
	case '^':
		return next(op.DoRestore, word[1:])
	}
	for mark, kind := range map[string]string{">": issue.DepBlocks, "-": issue.DepParentChild} {
		if from, to, ok := strings.Cut(word, "!"+mark); ok {
			o := next(op.DoDep, from)
			o.Remove = &op.Elements{Deps: []op.Dep{{To: to, Type: kind}}}
			return o
		}
		if from, to, ok := strings.Cut(word, mark); ok && !strings.Contains(word, "!") {
			o := next(op.DoDep, from)
			o.Add = &op.Elements{Deps: []op.Dep{{To: to, Type: kind}}}
			return o
		}
	}
	t.Fatalf("step %q", word)
	return nil
}

// An imported record does not bring again what was commented here already.
func TestImportKnowsComments(t *testing.T) {
	db := newDB(t)
	native := operation(2, op.DoComment, "bd-a")
	native.Comment = &op.CommentText{Text: "hello"}
	apply(t, db, operation(1, op.DoCreate, "bd-a"), native)
	record := fmt.Sprintf(`{"id":"bd-a","title":"A","updated_at":"2026-01-02T00:00:00Z","comments":[{"author":"alice","text":"hello","created_at":%q}]}`,
		native.At.Format("2006-01-02T15:04:05.000Z"))
	o, _ := op.ImportOperation(decode(t, []byte(record)).Legacy, nil)
	apply(t, db, o)
	if i := ask(t, db, func(q *Query) (issue.Issue, error) { return q.Issue("bd-a") }); len(i.Comments) != 1 {
		t.Errorf("comments %+v", i.Comments)
	}
}
