package routes

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

func line(prefix, path string) string {
	return fmt.Sprintf("{%q:%q,%q:%q}\n", "prefix", prefix, "path", path)
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // PREFIX>PATH@LINE, "!" where it leads nowhere, then the problems
	}{
		"nothing":                    {"", ""},
		"comments and blanks":        {"# routes\n\n  # more\n\t\n", ""},
		"the example":                {`{"prefix":"gt-","path":"../gastown"}`, "gt->../gastown@1"},
		"line ends of Windows":       {"#\r\n{\"path\":\"a\",\"prefix\":\"gt-\"}\r\n", "gt->a@2"},
		"without the dash":           {line("gt", "a"), "gt->a@1"},
		"a prefix with a dash":       {line("my-proj-", "a"), "my-proj->a@1"},
		"made clean":                 {line("gt-", "a/.././../b/"), "gt->../b@1"},
		"to itself":                  {line("hq-", "."), "hq->.@1"},
		"a file of upstream's":       {line("hq-", ".") + line("gt-", "gastown/mayor/rig"), "hq->.@1 gt->gastown/mayor/rig@2"},
		"absolute":                   {line("gt-", "/etc"), "gt->/etc@1! routes.jsonl:1: the path is absolute; it must be relative to the top of this workspace"},
		"absolute on Windows":        {line("gt-", "C:/x"), "gt->C:/x@1! routes.jsonl:1: the path is absolute; it must be relative to the top of this workspace"},
		"backslashes":                {line("gt-", `..\x`), `gt->..\x@1! routes.jsonl:1: the path holds a backslash; it is written with slashes`},
		"a NUL byte":                 {`{"prefix":"gt-","path":"a\u0000b"}`, "gt->a\x00b@1! routes.jsonl:1: the path holds a control character"},
		"an escape":                  {`{"prefix":"gt-","path":"a\u001b[2Jb"}`, "gt->a\x1b[2Jb@1! routes.jsonl:1: the path holds a control character"},
		"no path":                    {`{"prefix":"gt-"}`, "gt->@1! routes.jsonl:1: the path is empty"},
		"no prefix":                  {`{"path":"a"}`, `routes.jsonl:1: invalid prefix "": it is empty`},
		"only a dash":                {line("-", "a"), `routes.jsonl:1: invalid prefix "": it is empty`},
		"a prefix that takes all":    {line("", "a"), `routes.jsonl:1: invalid prefix "": it is empty`},
		"a prefix with a wildcard":   {line("*-", "a"), `routes.jsonl:1: invalid prefix "*": only A-Z a-z 0-9 . _ - are allowed`},
		"twice the same prefix":      {line("gt-", "a") + line("GT", "b"), "gt->a@1 routes.jsonl:2: GT- has a route already, in line 1"},
		"a member twice":             {`{"prefix":"gt-","path":"a","path":"b"}`, "routes.jsonl:1: a member is given twice"},
		"a member twice, escaped":    {`{"prefix":"gt-","path":"a","p\u0061th":"b"}`, "routes.jsonl:1: a member is given twice"},
		"a command":                  {`{"prefix":"gt-","path":"a","command":"sh"}`, `routes.jsonl:1: unknown member "command": a route has prefix and path`},
		"a member in capitals":       {`{"Prefix":"gt-","path":"a"}`, `routes.jsonl:1: unknown member "Prefix": a route has prefix and path`},
		"a path of another kind":     {`{"prefix":"gt-","path":["a"]}`, "routes.jsonl:1: path is not a string"},
		"not an object":              {"gt- ../gastown\n[1]\n<<<<<<< ours\n", "routes.jsonl:1: not a JSON object routes.jsonl:2: not a JSON object routes.jsonl:3: not a JSON object"},
		"cut off":                    {`{"prefix":"gt-","path":"a"`, "routes.jsonl:1: the object does not end"},
		"two objects":                {`{"prefix":"gt-","path":"a"} {}`, "routes.jsonl:1: data after the object"},
		"broken lines between good":  {line("a-", "a") + "x\n" + line("b-", "b"), "a->a@1 b->b@3 routes.jsonl:2: not a JSON object"},
		"a long line":                {"{" + strings.Repeat(" ", MaxLine) + "}", "routes.jsonl:1: longer than 4096 bytes"},
		"a long path":                {line("gt-", strings.Repeat("a", MaxPath+1)), "gt->" + strings.Repeat("a", MaxPath+1) + "@1! routes.jsonl:1: the path is longer than 1024 bytes"},
		"a large file":               {strings.Repeat("#\n", MaxFile), "routes.jsonl: larger than 65536 bytes"},
		"a comment may hold rubbish": {"# \xff\x00 {\n" + line("gt-", "a"), "gt->a@2"},
	} {
		t.Run(name, func(t *testing.T) {
			table := Parse([]byte(c.text))
			var got []string
			for _, r := range table.Routes {
				bad := ""
				if r.Problem != "" {
					bad = "!"
				}
				got = append(got, fmt.Sprintf("%s>%s@%d%s", r.Prefix, r.Path, r.Line, bad))
			}
			for _, p := range table.Problems {
				got = append(got, p.String())
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got  %q\nwant %q", text, c.want)
			}
		})
	}
}

func TestParseIsBounded(t *testing.T) {
	var text strings.Builder
	for n := range MaxRoutes + 50 {
		text.WriteString(line(fmt.Sprintf("p%d-", n), "a"))
	}
	table := Parse([]byte(text.String()))
	if len(table.Routes) != MaxRoutes || table.Broken != 1 {
		t.Errorf("%d routes, %d problems", len(table.Routes), table.Broken)
	}
	table = Parse([]byte(strings.Repeat("x\n", 1000)))
	if len(table.Problems) != mostListed || table.Broken != 1000 {
		t.Errorf("%d problems listed of %d", len(table.Problems), table.Broken)
	}
}

func TestMatch(t *testing.T) {
	table := Parse([]byte(line("gt-", "a") + line("gt-ops-", "b") + line("hq-", ".") + line("gt-bad-", "/abs") + line("Up-", "c")))
	for id, want := range map[string]string{
		"gt-1":        "gt-",
		"GT-1":        "gt-",
		"up-1":        "Up-",
		"gt-ops-1":    "gt-ops-",
		"gt-ops":      "gt-",
		"gt-bad-1":    "gt-bad-", // it leads nowhere, and so does the id
		"gt-":         "",
		"gt":          "",
		"gtx-1":       "",
		"xgt-1":       "",
		"x7k2":        "",
		"hq-1":        "",
		"":            "",
		"\u212A-1":    "",
		"gt-\xff\x00": "gt-",
	} {
		r, ok := table.Match(id)
		if ok != (want != "") || ok && r.Prefix != want {
			t.Errorf("%q: %v %q, want %q", id, ok, r.Prefix, want)
		}
	}
}

func FuzzRoutes(f *testing.F) {
	sample, err := os.ReadFile("testdata/routes.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample, "gt-1")
	f.Add([]byte(line("gt-", "a")+line("GT", "..")), "GT-1")
	f.Add([]byte(`{"prefix":"a-","path":"a\u0000"}`), "a-x")
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		table := Parse(data)
		if len(table.Routes) > MaxRoutes || len(table.Problems) > mostListed || table.Broken < len(table.Problems) {
			t.Fatalf("%d routes, %d problems of %d", len(table.Routes), len(table.Problems), table.Broken)
		}
		seen := map[string]bool{}
		for _, r := range table.Routes {
			folded := strings.ToLower(r.Prefix)
			if !strings.HasSuffix(r.Prefix, "-") || len(r.Prefix) < 2 || seen[folded] || r.Line < 1 {
				t.Fatalf("route %+v", r)
			}
			seen[folded] = true
			if r.Problem == "" && (path.IsAbs(r.Path) || path.Clean(r.Path) != r.Path || strings.ContainsAny(r.Path, "\\\x00\n") || !utf8.ValidString(r.Path)) {
				t.Fatalf("path of %+v", r)
			}
		}
		if r, ok := table.Match(id); ok && (!r.Takes(id) || r.Own()) {
			t.Fatalf("%q matches %+v", id, r)
		}
	})
}
