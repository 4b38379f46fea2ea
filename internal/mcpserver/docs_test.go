package mcpserver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// The table of docs/mcp.md is what the server offers.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "mcp.md"))
	if err != nil {
		t.Fatal(err)
	}
	const head = "| tool | arguments | what it does |\n| --- | --- | --- |\n"
	_, table, found := strings.Cut(string(text), head)
	table, _, _ = strings.Cut(table, "\n\n")
	s, err := newServer(t.Context(), surroundingsOf(t, t.TempDir()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]string, len(s.all))
	for n, tool := range s.all {
		rows[n] = fmt.Sprintf("| `%s` | %s | %s |", tool.Name, argumentsOf(t, tool.InputSchema), tool.Description)
	}
	if want := strings.Join(rows, "\n"); !found || table != want {
		t.Errorf("docs/mcp.md has another table than:\n%s", want)
	}
}

// argumentsOf lists a tool's arguments, the optional ones in brackets.
func argumentsOf(t *testing.T, schema any) string {
	t.Helper()
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	input := schema.(*jsonschema.Schema)
	var sent struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(text, &sent); err != nil {
		t.Fatal(err)
	}
	var required, optional []string
	for _, name := range input.PropertyOrder {
		switch _, there := sent.Properties[name]; {
		case !there || name == "workspace_root": // an embedded struct; said in the text
		case slices.Contains(input.Required, name):
			required = append(required, "`"+name+"`")
		default:
			optional = append(optional, "`"+name+"`")
		}
	}
	if len(optional) > 0 {
		required = append(required, "["+strings.Join(optional, ", ")+"]")
	}
	return strings.Join(required, ", ")
}
