package architecture

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// State at package level is shared by everything in the process: two workspaces
// in one daemon, two tests in one binary. What may stand there is what never
// changes:
//
//   - error sentinels (errors.New, fmt.Errorf),
//   - embedded files (//go:embed),
//   - sync.OnceValue, OnceValues and OnceFunc of something constant,
//   - assertions such as `var _ Interface = (*T)(nil)`,
//   - tables: literals that no code of the package assigns to or takes the
//     address of.
//
// Anything else that is called there runs at the start of every command.
func TestNoPackageState(t *testing.T) {
	s := readSource(t)
	for dir, files := range s.packages {
		var product []*ast.File
		for _, file := range files {
			if !file.test {
				product = append(product, file.ast)
			}
		}
		for _, complaint := range packageState(s.fset, product) {
			t.Errorf("%s: %s", dir, complaint)
		}
	}
}

// packageState lists what is wrong with the package-level variables of a
// package's files.
func packageState(fset *token.FileSet, files []*ast.File) []string {
	var complaints []string
	complain := func(node ast.Node, format string, args ...any) {
		position := fset.Position(node.Pos())
		complaints = append(complaints, fmt.Sprintf("%s:%d: ", position.Filename, position.Line)+fmt.Sprintf(format, args...))
	}
	tables := map[types.Object]bool{}
	info := resolve(fset, files)
	for _, file := range files {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				checkVariables(spec.(*ast.ValueSpec), group, info, tables, complain)
			}
		}
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			for _, target := range written(n) {
				if name := base(target); name != nil && tables[info.Uses[name]] {
					complain(n, "%s is changed here: package-level variables stay as they are", name.Name)
				}
			}
			return true
		})
	}
	return complaints
}

// checkVariables judges one declaration and enters its tables.
func checkVariables(spec *ast.ValueSpec, group *ast.GenDecl, info *types.Info, tables map[types.Object]bool, complain func(ast.Node, string, ...any)) {
	for i, name := range spec.Names {
		switch {
		case name.Name == "_" || embedded(spec.Doc) || embedded(group.Doc):
		case i >= len(spec.Values):
			complain(name, "%s has no value of its own, so it can only be state", name.Name)
		default:
			if reason := mutable(spec.Values[i]); reason != "" {
				complain(name, "%s %s", name.Name, reason)
			}
		}
		tables[info.Defs[name]] = true
	}
}

// resolve ties identifiers to the package's declarations. Imports are not
// loaded, and the errors that follow from that do not matter here.
func resolve(fset *token.FileSet, files []*ast.File) *types.Info {
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Error: func(error) {}, Importer: noImporter{}}
	// The error has been reported to Error, which does not want it.
	_, _ = config.Check("package", fset, files, info)
	return info
}

type noImporter struct{}

func (noImporter) Import(string) (*types.Package, error) {
	return nil, errors.New("imports are not loaded")
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// mutable says what is wrong with a package-level variable's value, "" if
// nothing is.
func mutable(value ast.Expr) string {
	switch v := value.(type) {
	case *ast.CallExpr:
		fn, ok := v.Fun.(*ast.SelectorExpr)
		if !ok {
			return "is computed when the program starts"
		}
		if pkg, ok := fn.X.(*ast.Ident); ok {
			switch pkg.Name + "." + fn.Sel.Name {
			case "errors.New", "fmt.Errorf", "sync.OnceValue", "sync.OnceValues", "sync.OnceFunc":
				return ""
			}
		}
		if _, ok := fn.X.(*ast.CompositeLit); ok && len(v.Args) == 0 {
			return "" // a method of a literal, such as time.Time{}.UnixMicro()
		}
		return "is computed when the program starts"
	case *ast.UnaryExpr:
		if v.Op == token.AND {
			return "is a pointer, through which anyone can change it"
		}
	}
	return ""
}

// written lists the operands that a node changes, or hands out for change.
func written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		if fn, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && (fn.Name == "delete" || fn.Name == "clear" || fn.Name == "copy") {
			return n.Args[:1]
		}
	}
	return nil
}

// base is x of x, x.f, x[i], x[i:j] and (*x), nil of anything else.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// The rule itself is tested on both sides: a checker that sees nothing passes
// everything.
func TestPackageStateIsSeen(t *testing.T) {
	tests := []struct {
		about string
		code  string
		want  string // part of the complaint, "" for none
	}{
		{"an error sentinel", `var ErrX = errors.New("x")`, ""},
		{"an embedded file", "//go:embed schema.sql\nvar schema string", ""},
		{"an interface assertion", `var _ error = (*T)(nil)`, ""},
		{"a once value", `var x = sync.OnceValue(func() int { return 1 })`, ""},
		{"a table that is read", "var t = []string{\"a\"}\nfunc f() string { return t[0] }", ""},
		{"a local of the same name", "var t = []string{\"a\"}\nfunc f() { t := 1; t = 2; _ = t }", ""},
		{"a mutex", `var mu sync.Mutex`, "can only be state"},
		{"a map made at start", `var m = make(map[string]int)`, "computed when the program starts"},
		{"a pattern compiled at start", `var re = regexp.MustCompile("x")`, "computed when the program starts"},
		{"a pointer", `var p = &T{}`, "is a pointer"},
		{"a counter", "var n = 0\nfunc f() { n++ }", "n is changed"},
		{"a table that is written", "var t = map[string]int{}\nfunc f() { t[\"a\"] = 1 }", "t is changed"},
		{"a table that is emptied", "var t = map[string]int{}\nfunc f() { clear(t) }", "t is changed"},
		{"an address handed out", "var t = [2]int{}\nfunc f() *[2]int { return &t }", "t is changed"},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, "x.go", "package x\n\n"+test.code+"\n", parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(packageState(fset, []*ast.File{file}), "\n")
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("complaints %q, want %q", got, test.want)
			}
		})
	}
}
