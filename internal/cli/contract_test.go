package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestContractIsStrict: what is held against the schemas in the scripts is found
// out if it is not exactly as the page says.
func TestContractIsStrict(t *testing.T) {
	c := readContract(t)
	const one = `{"id":"bd-1","title":"a","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"`
	const counts = `,"dependency_count":0,"dependent_count":0,"comment_count":0}`
	for _, test := range []struct {
		name   string
		args   string
		stdout string
		stderr string
		exit   int
		wrong  string // a part of the message; "" if all is well
	}{
		{"an issue", "create x --json", one + "}", "", 0, ""},
		{"a member that nothing documents", "create x --json", one + `,"colour":"red"}`, "", 0, "has a member that nothing documents"},
		{"one in a list", "list --json", "[" + one + `,"colour":"red"` + counts + "]", "", 0, "colour"},
		{"one in an object in an issue", "show bd-1 --json", "[" + one + `,"labels":[],"dependencies":[],"dependents":[],"comments":[{"id":"1","issue_id":"bd-1","author":"a","text":"b","created_at":"2026-01-01T00:00:00Z","x":1}]}]`, "", 0, `"x"`},
		{"a member that is missing", "list --json", "[" + one + "}]", "", 0, "comment_count"},
		{"an empty list", "list --json", "[]", "", 0, ""},
		{"null for an empty list", "list --json", "null", "", 0, "null"},
		{"a time of somewhere", "create x --json", strings.Replace(one, "00:00:00Z", "09:00:00+09:00", 1) + "}", "", 0, "created_at"},
		{"no time at all", "create x --json", strings.Replace(one, "2026-01-01T", "0001-01-01T", 1) + "}", "", 0, "created_at"},
		{"two values", "list --json", "[]\n[]", "", 0, "not one JSON value"},
		{"words", "list --json", "No issues found.\n", "", 0, "not one JSON value"},
		{"nothing", "list --json", "", "", 0, "not one JSON value"},
		{"a flag that changes what is printed", "count --by-type -s open --json", `{"count":1}`, "", 0, "total"},
		{"an alias", "stats --json", `{"summary":{}}`, "", 0, "total_issues"},
		{"a script for a shell", "completion bash --json", "# bash", "", 0, ""},
		{"lines", "export --json", one + "}\n" + one + "}\n", "", 0, ""},
		{"lines, one of them wrong", "export --json", one + "}\n" + one + ",\"x\":1}\n", "", 0, `"x"`},
		{"an error", "show x --json", "", `{"error":"no","code":"not_found","hint":"do this"}` + "\n", 1, ""},
		{"an error after a notice", "show x --json", "", "bd: restored\n" + `{"error":"no","code":"not_found"}` + "\n", 1, ""},
		{"an error for people", "show x --json", "", "bd: error: no\n", 1, "not one JSON value"},
		{"an error without a code", "show x --json", "", `{"error":"no"}` + "\n", 1, "code"},
		{"an error with a code that is not listed", "show x --json", "", `{"error":"no","code":"odd"}` + "\n", 1, "code"},
		{"an error with more", "show x --json", "", `{"error":"no","code":"failed","x":1}` + "\n", 1, `"x"`},
		{"two errors", "show x --json", "", strings.Repeat(`{"error":"no","code":"failed"}`+"\n", 2), 1, "more than one"},
		{"no error", "show x --json", "", "", 1, "without a word"},
		{"a wrong flag", "show x --nosuchflag --json", "", "bd: error: no\n", 2, "not one JSON value"},
		{"a result that is a failure", "daemon health --json", `{"status":"healthy","checks":[]}`, "", 4, ""},
		{"what is for people", "list", "No issues found.\n", "", 0, ""},
		{"help", "list --help --json", "Usage:\n", "", 0, ""},
	} {
		err := c.check(record{args: strings.Fields(test.args), stdout: test.stdout, stderr: test.stderr, ended: true, exit: test.exit})
		switch {
		case test.wrong == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
			t.Errorf("%s: got %v, want an error about %q", test.name, err, test.wrong)
		}
	}
}

// TestSchemasAreDocumentation: every schema has a title, and the page or another
// schema leads to it.
func TestSchemasAreDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(docsDir, "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(docsDir, "schema", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := string(page)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
		var schema struct {
			Schema string `json:"$schema"`
			Title  string `json:"title"`
		}
		if err := json.Unmarshal(text, &schema); err != nil || schema.Title == "" || schema.Schema != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s: %v: it needs a title, and to say that it is of 2020-12", file, err)
		}
	}
	for _, file := range files {
		name := filepath.Base(file)
		if !strings.Contains(all, "(schema/"+name+")") && !strings.Contains(all, `"$ref": "`+name+`"`) {
			t.Errorf("nothing leads to docs/schema/%s", name)
		}
	}
}

// TestErrorCodes: the codes that this package gives, those that error.json
// allows and those that the page explains are the same.
func TestErrorCodes(t *testing.T) {
	given := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?:failf\(|\bcode = |\bcode: |\{(?:replica|git)\.Err\w+, )"([a-z_]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			given[m[1]] = true
		}
	}
	text, err := os.ReadFile(filepath.Join(docsDir, "schema", "error.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct{ Code struct{ Enum []string } }
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(docsDir, "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok && strings.HasPrefix(line, "| `") && !strings.HasPrefix(line, "| `bd ") {
			for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(cell, -1) {
				explained[m[1]] = true
			}
		}
	}
	for name := range given {
		if !slices.Contains(schema.Properties.Code.Enum, name) {
			t.Errorf("the code %s is not in docs/schema/error.json", name)
		}
		if !explained[name] {
			t.Errorf("the code %s is not in docs/json.md", name)
		}
	}
	for _, name := range schema.Properties.Code.Enum {
		if !given[name] {
			t.Errorf("nothing gives the code %s of docs/schema/error.json", name)
		}
		delete(explained, name)
	}
	for name := range explained {
		t.Errorf("docs/json.md explains the code %s, which docs/schema/error.json does not have", name)
	}
}
