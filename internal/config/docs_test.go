package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// documentation is the page that describes every key.
func documentation(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "daemon.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "## Settings")
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// TestDocumentation: the page has every key, in order, with what is true of it.
func TestDocumentation(t *testing.T) {
	var rows [][]string
	for line := range strings.Lines(documentation(t)) {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| `") && len(cells) == 4 {
			rows = append(rows, cells)
		}
	}
	known := Keys()
	if len(rows) != len(known) {
		t.Fatalf("%d keys are documented, there are %d", len(rows), len(known))
	}
	for i, k := range known {
		def := "none"
		if k.Default != "" {
			def = "`" + k.Default + "`"
		}
		for j, want := range []string{"| `" + k.Name + "`", def, k.Allowed} {
			if got := rows[i][j]; got != want {
				t.Errorf("row %d of docs/daemon.md says %q, want %q", i+1, got, want)
			}
		}
		if len(rows[i][3]) < len("x |\n")+5 {
			t.Errorf("%s: no effect is documented", k.Name)
		}
	}
}

// TestDocumentedExamples: what the page shows can be used as it is.
func TestDocumentedExamples(t *testing.T) {
	var examples []Daemon
	for _, part := range strings.Split(documentation(t), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(part, "```")
		c, err := load(t, text, nil)
		if err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
		examples = append(examples, c)
	}
	if len(examples) != 3 {
		t.Fatalf("%d examples, want one and two profiles", len(examples))
	}
	large, small := examples[1], examples[2]
	if large.MaxMemory != 200_000_000 || large.BatchSize != 500 || !large.EnableMetrics {
		t.Errorf("the large profile: %+v", large)
	}
	if small.MaxMemory != 50_000_000 || small.MaxFileDescriptors != 100 || small.EnableMetrics || small.EnableHealthChecks {
		t.Errorf("the small profile: %+v", small)
	}
}
