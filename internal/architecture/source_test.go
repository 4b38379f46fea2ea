package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "beads"

// A sourceFile is one parsed Go file of the module, for whatever system it is.
type sourceFile struct {
	path string // from the module's root, with slashes
	test bool
	ast  *ast.File
}

// A source is all Go code of the module, with test files.
type source struct {
	fset     *token.FileSet
	packages map[string][]sourceFile // by directory from the module's root
}

// readSource parses the module that this test lies in.
func readSource(t *testing.T) source {
	t.Helper()
	root := filepath.Join("..", "..")
	s := source{fset: token.NewFileSet(), packages: map[string][]sourceFile{}}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := entry.Name()
			if rel != "." && (base == "testdata" || base == "bin" || strings.HasPrefix(base, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(s.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(rel)
		dir := path.Dir(slashed)
		s.packages[dir] = append(s.packages[dir], sourceFile{
			path: slashed,
			test: strings.HasSuffix(slashed, "_test.go"),
			ast:  file,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.packages["cmd/bd"]) == 0 {
		t.Fatal("cmd/bd not found: this test no longer sees the module")
	}
	return s
}

// product calls fn for every file that is not a test.
func (s source) product(fn func(dir string, file sourceFile)) {
	for dir, files := range s.packages {
		for _, file := range files {
			if !file.test {
				fn(dir, file)
			}
		}
	}
}

// at is the place of a node for messages: file:line, from the module's root.
func (s source) at(file sourceFile, node ast.Node) string {
	return file.path + ":" + strconv.Itoa(s.fset.Position(node.Pos()).Line)
}

// imports lists the import paths of a file.
func (f sourceFile) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// selected calls fn for every PACKAGE.NAME in the file, with the package's
// import path.
func (f sourceFile) selected(fn func(importPath, name string, node ast.Node)) {
	names := map[string]string{}
	for _, spec := range f.ast.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = importPath
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && names[x.Name] != "" {
			fn(names[x.Name], sel.Sel.Name, sel)
		}
		return true
	})
}
