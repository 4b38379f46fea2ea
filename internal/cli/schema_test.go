package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/rogpeppe/go-internal/testscript"

	"beads/internal/cli"
)

// docsDir has the page that says which schema describes what a command prints,
// and the schemas.
var docsDir = filepath.Join("..", "..", "docs")

// A printed row of docs/json.md: what a command prints with --json.
type printed struct {
	command string   // "sync"
	flags   []string // with these: "--status"
	schema  string   // name of its file without .json; "" if it prints no JSON
	lines   bool     // one value a line
}

// A contract is docs/json.md with its schemas, ready to be held against what
// commands print.
type contract struct {
	rows    []printed
	schemas map[string]*jsonschema.Resolved
}

// keptFields are what records of other programs bring along in scripts: bd
// keeps fields that it does not know.
var keptFields = []string{"story_points"}

func readContract(t *testing.T) *contract {
	t.Helper()
	c := &contract{schemas: map[string]*jsonschema.Resolved{}}
	var err error
	if c.rows, err = readRows(filepath.Join(docsDir, "json.md")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(docsDir, "schema", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if c.schemas[name], err = resolveSchema(name); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return c
}

// readRows reads the table of commands.
func readRows(file string) ([]printed, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	link := regexp.MustCompile(`^\[([a-z-]+)\]\(schema/([a-z-]+)\.json\)(, one a line)?$`)
	command := regexp.MustCompile("`bd ([^`]+)`")
	var rows []printed
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		cells := strings.Split(scanner.Text(), " | ")
		if len(cells) != 2 || !strings.HasPrefix(cells[0], "| `bd ") {
			continue
		}
		what := strings.TrimSuffix(cells[1], " |")
		row := printed{}
		if m := link.FindStringSubmatch(what); m != nil && m[1] == m[2] {
			row.schema, row.lines = m[1], m[3] != ""
		} else if !strings.HasPrefix(what, "no JSON: ") {
			return nil, fmt.Errorf("%s: cannot read the row %q", file, scanner.Text())
		}
		for _, m := range command.FindAllStringSubmatch(cells[0], -1) {
			one := row
			words := strings.Fields(m[1])
			at := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "--") })
			if at < 0 {
				at = len(words)
			}
			one.command = strings.Join(words[:at], " ")
			for _, flag := range words[at:] {
				one.flags = append(one.flags, strings.TrimPrefix(flag, "--"))
			}
			rows = append(rows, one)
		}
	}
	return rows, scanner.Err()
}

// row is the row of a command line: of those whose flags are all given, the one
// with the most. nil: the page has none.
func (c *contract) row(line cli.CommandLine) *printed {
	var best *printed
	for i, row := range c.rows {
		if row.command == line.Path && !slices.ContainsFunc(row.flags, func(f string) bool { return !line.Has(f) }) &&
			(best == nil || len(row.flags) > len(best.flags)) {
			best = &c.rows[i]
		}
	}
	return best
}

// resolveSchema makes a schema ready, in a stricter form than it is published
// in: what it does not name is wrong.
func resolveSchema(name string) (*jsonschema.Resolved, error) {
	root := &jsonschema.Schema{}
	use := fmt.Sprintf(`{"$ref":%q,"unevaluatedProperties":false}`, name+".json")
	if err := json.Unmarshal([]byte(use), root); err != nil {
		return nil, err
	}
	return root.Resolve(&jsonschema.ResolveOptions{BaseURI: "file:///schema/use.json", Loader: loadSchema})
}

func loadSchema(uri *url.URL) (*jsonschema.Schema, error) {
	text, err := os.ReadFile(filepath.Join(docsDir, "schema", path.Base(uri.Path)))
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if properties, ok := members["properties"].(map[string]any); ok && path.Base(uri.Path) == "issue-fields.json" {
		for _, name := range keptFields {
			properties[name] = true
		}
	}
	for _, value := range members {
		close(value)
	}
	if text, err = json.Marshal(members); err != nil {
		return nil, err
	}
	schema := &jsonschema.Schema{}
	return schema, json.Unmarshal(text, schema)
}

// close forbids, in the schemas below value, members that nothing names. The
// root of a file stays open, for what refers to it to add its own.
func close(value any) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			close(element)
		}
	case map[string]any:
		for _, member := range v {
			close(member)
		}
		_, object := v["properties"].(map[string]any)
		_, refers := v["$ref"].(string)
		if v["additionalProperties"] == nil && (object || refers) {
			v["unevaluatedProperties"] = false
		}
	}
}

// check holds one run against the contract.
func (c *contract) check(r record) error {
	line := cli.ReadCommandLine(r.args)
	if !line.Has("json") || line.Has("help") || line.Has("version") {
		return nil
	}
	failed := r.ended && r.exit != 0
	if r.stdout == "" && failed {
		return c.checkError(r.stderr)
	}
	row := c.row(line)
	switch {
	case row == nil && line.Path == "":
		return fmt.Errorf("printed %q without a command", r.stdout)
	case row == nil:
		return fmt.Errorf("docs/json.md has no row for bd %s", line.Path)
	case row.schema == "":
		return nil
	case row.lines:
		lines := strings.SplitAfter(r.stdout, "\n")
		for _, one := range lines[:len(lines)-1] { // what is not ended was cut off by a signal
			if err := c.valid(row.schema, one); err != nil {
				return err
			}
		}
		return nil
	case !r.ended:
		return nil // killed
	}
	return c.valid(row.schema, r.stdout)
}

// checkError demands that standard error has one error, and else only notices.
func (c *contract) checkError(stderr string) error {
	errors := 0
	for one := range strings.Lines(stderr) {
		if strings.HasPrefix(one, "bd: ") && !strings.HasPrefix(one, "bd: error:") && !strings.HasPrefix(one, "bd: hint:") {
			continue
		}
		if errors++; errors > 1 {
			return fmt.Errorf("standard error has more than one error: %q", stderr)
		}
		if err := c.valid("error", one); err != nil {
			return err
		}
	}
	if errors == 0 {
		return fmt.Errorf("failed without a word on standard output or an error on standard error: %q", stderr)
	}
	return nil
}

func (c *contract) valid(schema, text string) error {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return fmt.Errorf("not one JSON value: %w: %q", err, text)
	}
	if c.schemas[schema] == nil {
		return fmt.Errorf("docs/json.md names schema/%s.json, which is not there", schema)
	}
	if err := c.schemas[schema].Validate(value); err != nil {
		why := strings.ReplaceAll(err.Error(), "unevaluatedProperties: not: validated against <anonymous schema>", "has a member that nothing documents")
		return fmt.Errorf("not as docs/schema/%s.json says: %s\n%s", schema, why, text)
	}
	return nil
}

// checkScript holds everything that a script's bd printed against the contract.
func (c *contract) checkScript(env *testscript.Env) {
	runs, err := records(env.Getenv(recordVariable))
	if err != nil {
		env.T().Fatal("reading what was recorded: ", err)
	}
	wrong := 0
	for _, r := range runs {
		if err := c.check(r); err != nil {
			env.T().Log(fmt.Sprintf("bd %s: %v", strings.Join(r.args, " "), err))
			wrong++
		}
	}
	if wrong > 0 {
		env.T().Fatal(fmt.Sprintf("%d of %d commands printed other JSON than docs/json.md says", wrong, len(runs)))
	}
}
