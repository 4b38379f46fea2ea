package doctest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the tables whose every row must name a test in its last column.
func pages() map[string]string {
	return map[string]string{"docs/reliability.md": "Faults", "SECURITY.md": "Threats"}
}

// A tree is what there is to name: tests as package.TestName, scripts as
// name.txtar.
type tree struct {
	tests    map[string]string // name to file
	unlisted []string          // of files made for faults and threats
}

// readTree reads the names of all tests, whatever system they are for.
func readTree(t *testing.T, root string) tree {
	t.Helper()
	found := tree{tests: map[string]string{}}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(name, ".") && path != root:
			return filepath.SkipDir
		case strings.HasSuffix(name, ".txtar"):
			found.tests[name] = path
			return nil
		case !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Fuzz") || fn.Name.Name == "TestMain" {
				continue
			}
			full := filepath.Base(filepath.Dir(path)) + "." + fn.Name.Name
			found.tests[full] = path
			if strings.HasPrefix(name, "fault_") || strings.HasPrefix(name, "threat_") {
				found.unlisted = append(found.unlisted, full)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// rows are those of the tables under a heading, as cells.
func rows(text, heading string) (all [][]string) {
	_, section, _ := strings.Cut("\n"+text, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	header := true
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			header = true
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		for n := range cells {
			cells[n] = strings.TrimSpace(cells[n])
		}
		rule := strings.Trim(line, "|- :") == ""
		if header && !rule {
			continue
		}
		if header = false; !rule {
			all = append(all, cells)
		}
	}
	return all
}

var named = regexp.MustCompile("`([^`]+)`")

// faulty says what is wrong with the rows of one table: each must say what
// happens, what is promised, and which tests show it; each of these must exist.
func faulty(table [][]string, tests map[string]string) (wrong []string, names map[string]bool) {
	names = map[string]bool{}
	for _, row := range table {
		if len(row) != 3 || row[0] == "" || row[1] == "" {
			wrong = append(wrong, strings.Join(row, " | ")+": a row is what happens, what is promised, and its tests")
			continue
		}
		found := named.FindAllStringSubmatch(row[2], -1)
		if len(found) == 0 {
			wrong = append(wrong, row[0]+": no test")
		}
		for _, name := range found {
			if tests[name[1]] == "" {
				wrong = append(wrong, row[0]+": there is no test "+name[1])
			}
			names[name[1]] = true
		}
	}
	if len(table) == 0 {
		wrong = append(wrong, "no table")
	}
	return wrong, names
}

// Every fault and every threat of the documents has a test, every test that they
// name exists, and every test that was written for a fault or a threat is named.
func TestEveryPromiseHasATest(t *testing.T) {
	root := filepath.Join("..", "..")
	tree := readTree(t, root)
	named := map[string]bool{}
	for page, heading := range pages() {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
		if err != nil {
			t.Fatal(err)
		}
		table := rows(string(text), heading)
		wrong, names := faulty(table, tree.tests)
		for _, line := range wrong {
			t.Errorf("%s: %s", page, line)
		}
		maps.Copy(named, names)
		t.Logf("%s: %d rows name %d tests", page, len(table), len(names))
	}
	for _, name := range tree.unlisted {
		if !named[name] {
			t.Errorf("%s is in no row of %v", name, slices.Sorted(maps.Keys(pages())))
		}
	}
}

// A row without a test, with one that does not exist, and without a promise are
// each found.
func TestPromisesAreChecked(t *testing.T) {
	text := "# x\n\n## Faults\n\nWords.\n\n| what happens | promise | tests |\n| --- | --- | --- |\n" +
		"| good | kept | `oplog.TestAppend`, `daemon.txtar` |\n| none | kept | |\n| words | kept | by hand |\n| gone | kept | `oplog.TestNothing` |\n| short | `oplog.TestAppend` |\n\n" +
		"## Other\n\n| a | b | c |\n| --- | --- | --- |\n| no | of another | section |\n"
	wrong, names := faulty(rows(text, "Faults"), map[string]string{"oplog.TestAppend": "x", "daemon.txtar": "y"})
	for n, want := range []string{"none: no test", "words: no test", "gone: there is no test oplog.TestNothing", "short | "} {
		if n >= len(wrong) || !strings.HasPrefix(wrong[n], want) {
			t.Errorf("found %q, want %q", wrong, want)
			break
		}
	}
	if len(wrong) != 4 || !names["daemon.txtar"] {
		t.Errorf("found %q, named %v", wrong, names)
	}
	if wrong, _ := faulty(rows(text, "Threats"), nil); len(wrong) != 1 {
		t.Errorf("no table: %q", wrong)
	}
}
