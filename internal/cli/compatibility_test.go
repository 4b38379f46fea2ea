package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/beadsjson"
	"beads/internal/issue"
	"beads/internal/op"
)

// compatibilityRows are the rows of the first table in a section of
// docs/compatibility.md, without its head.
func compatibilityRows(t *testing.T, section string) [][]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## "+section+"\n")
	if !found {
		t.Fatalf("the page has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var rows [][]string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		cells[0] = strings.Trim(cells[0], "`")
		rows = append(rows, cells)
	}
	return rows
}

// TestCompatibilityCommands: the page names every command that is here, and every
// one that is not has its replacement.
func TestCompatibilityCommands(t *testing.T) {
	here := map[string]bool{}
	var walk func(*cobra.Command)
	walk = func(parent *cobra.Command) {
		for _, c := range parent.Commands() {
			if c.Name() != "help" {
				here[strings.TrimPrefix(c.CommandPath(), "bd ")] = true
				walk(c)
			}
		}
	}
	walk(newRoot(&app{}))
	described := map[string]bool{}
	for _, row := range compatibilityRows(t, "Commands") {
		name, verdict := row[0], row[1]
		if described[name] {
			t.Errorf("%s is there twice", name)
		}
		described[name] = true
		_, replaced := replacements()[name]
		switch verdict {
		case "same", "differs", "here only":
			if !here[name] {
				t.Errorf("the page says that %s is here (%s), but it is not", name, verdict)
			}
		case "left out":
			if here[name] {
				t.Errorf("the page says that %s is left out, but it is here", name)
			}
			if !replaced {
				t.Errorf("%s is left out and has no replacement in unknown.go", name)
			}
		default:
			t.Errorf("%s: what is %q?", name, verdict)
		}
	}
	for name := range here {
		if !described[name] {
			t.Errorf("docs/compatibility.md has no row for bd %s", name)
		}
	}
	for name := range replacements() {
		if !described[name] {
			t.Errorf("docs/compatibility.md has no row for %s, which is left out", name)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range guesses() {
		if here[name] || replacements()[name] != "" || laterReplacements()[name] != "" {
			t.Errorf("the guess %s is answered already", name)
		}
	}
	for name := range laterReplacements() {
		if here[name] || !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("docs/compatibility.md should list %s among those of other versions", name)
		}
	}
}

// TestCompatibilityFields: the page has every field of an issue with its type in
// JSON, and no other. The types are upstream's.
func TestCompatibilityFields(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC)
	full := issue.Issue{
		ID: "a-1", Title: "t", Description: "d", Design: "d", AcceptanceCriteria: "a", Notes: "n", Status: "closed",
		Type: "task", Assignee: "a", Owner: "o", Labels: []string{"l"}, EstimatedMinutes: 1, ExternalRef: "r",
		Metadata: []byte(`{}`), CreatedAt: at, CreatedBy: "c", UpdatedAt: at, ClosedAt: at, CloseReason: "c", DueAt: at,
		DeferUntil: at, Dependencies: []issue.Dependency{{To: "a-2", Type: "blocks", CreatedAt: at, CreatedBy: "c"}},
		Comments: []issue.Comment{{ID: "x", Author: "a", Text: "t", CreatedAt: at}},
	}
	var out bytes.Buffer
	w := beadsjson.NewWriter(&out)
	if err := w.Write(full); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteTombstone(full, op.Deletion{At: at, By: "b", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for line := range bytes.Lines(out.Bytes()) {
		types = merged(types, jsonTypes(t, line))
	}
	var comment struct {
		Comments, Dependencies []json.RawMessage
	}
	first, _, _ := bytes.Cut(out.Bytes(), []byte("\n"))
	if err := json.Unmarshal(first, &comment); err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range compatibilityRows(t, "Issues: field by field") {
		documented[row[0]] = row[1]
	}
	sameTypes(t, "an issue", types, documented)
	sameTypes(t, "a comment", jsonTypes(t, comment.Comments[0]), map[string]string{
		"id": "integer", "issue_id": "string", "author": "string", "text": "string", "created_at": "time"})
	sameTypes(t, "a dependency", jsonTypes(t, comment.Dependencies[0]), map[string]string{
		"issue_id": "string", "depends_on_id": "string", "type": "string", "created_at": "time", "created_by": "string"})
}

func merged(a, b map[string]string) map[string]string {
	maps.Copy(a, b)
	return a
}

func sameTypes(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(merged(maps.Clone(got), want))) {
		if got[name] != want[name] {
			t.Errorf("%s: %s is %q, and %q is documented", what, name, got[name], want[name])
		}
	}
}

// jsonTypes are the types of an object's members.
func jsonTypes(t *testing.T, object []byte) map[string]string {
	t.Helper()
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for name, value := range members {
		switch v := value.(type) {
		case string:
			types[name] = "string"
			if _, err := time.Parse(time.RFC3339Nano, v); err == nil {
				types[name] = "time"
			}
		case json.Number:
			types[name] = "integer"
		case bool:
			types[name] = "boolean"
		case []any:
			types[name] = "array"
		case map[string]any:
			types[name] = "object"
		}
	}
	return types
}
