package architecture

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// calls names functions that only some packages may use in product code.
var calls = []struct {
	importPath string
	names      []string
	only       []string
	why        string
}{
	{"os", []string{"Exit"}, []string{"cmd/bd", "cmd/bd-mcp", "bench", "scripts/cross", "scripts/man", "torture"},
		"only main ends the process: deferred unlocking must run everywhere else"},
	{"log", []string{"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"}, nil,
		"errors are returned, and one place maps them to exit codes"},
	{"os", []string{"Getwd", "Chdir", "Getenv", "LookupEnv", "Environ", "Setenv", "Stdin", "Stdout", "Stderr", "Args"}, []string{"internal/process", "bench", "scripts/cross", "scripts/man", "torture"},
		"directory, environment and streams are passed in, so that tests need no process of their own"},
	{"time", []string{"Sleep"}, nil,
		"loops wait for a context, an event or a timer that can be stopped"},
	{"os", []string{"FindProcess"}, nil,
		"a process id read from somewhere is never signalled; pidfds are"},
	{"syscall", []string{"Kill"}, []string{"internal/git", "torture"},
		"a process id read from somewhere is never signalled; pidfds are. Only git and torture signal the group of their own child, which they have not reaped"},
	{"golang.org/x/sys/unix", []string{"Kill"}, nil,
		"a process id read from somewhere is never signalled; pidfds are"},
}

func TestReservedCalls(t *testing.T) {
	s := readSource(t)
	s.product(func(dir string, file sourceFile) {
		file.selected(func(importPath, name string, node ast.Node) {
			for _, c := range calls {
				if c.importPath == importPath && slices.Contains(c.names, name) && !slices.Contains(c.only, dir) {
					t.Errorf("%s: %s.%s does not belong here: %s", s.at(file, node), importPath, name, c.why)
				}
			}
		})
	})
}

func TestNoPanicAndNoInit(t *testing.T) {
	s := readSource(t)
	s.product(func(_ string, file sourceFile) {
		for _, decl := range file.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init: every command would pay for it at start-up", s.at(file, fn))
			}
		}
		ast.Inspect(file.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if fn, ok := call.Fun.(*ast.Ident); ok && fn.Name == "panic" {
					t.Errorf("%s: panic: a fault is an error with one clear line, not a stack trace", s.at(file, call))
				}
			}
			return true
		})
	})
}

func TestNoSleepInTests(t *testing.T) {
	s := readSource(t)
	for _, files := range s.packages {
		for _, file := range files {
			if !file.test {
				continue
			}
			file.selected(func(importPath, name string, node ast.Node) {
				if importPath == "time" && name == "Sleep" {
					t.Errorf("%s: time.Sleep: a test waits for what it tests, or runs in a synctest bubble", s.at(file, node))
				}
			})
		}
	}
}

// A package has one doc comment, so that there is one place for what it
// guarantees. Build constraints do not matter: all files count.
func TestOnePackageDoc(t *testing.T) {
	for dir, files := range readSource(t).packages {
		var docs []string
		for _, file := range files {
			if file.ast.Doc == nil {
				continue
			}
			docs = append(docs, file.path)
			name := file.ast.Name.Name
			want := "Package " + name + " "
			if name == "main" {
				want = "Command "
			}
			if text := file.ast.Doc.Text(); !strings.HasPrefix(text, want) {
				t.Errorf("%s: the package comment begins %.30q, want %q", file.path, text, want)
			}
		}
		if len(docs) != 1 {
			t.Errorf("%s has %d package comments %v, want exactly one", dir, len(docs), docs)
		}
	}
}

// Longer ones are read by nobody, and hide that they do two things.
func TestSizes(t *testing.T) {
	const fileLines, functionLines = 400, 80
	s := readSource(t)
	s.product(func(_ string, file sourceFile) {
		if n := s.fset.File(file.ast.Pos()).LineCount(); n > fileLines {
			t.Errorf("%s has %d lines, more than %d", file.path, n, fileLines)
		}
		for _, decl := range file.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := s.fset.Position(fn.End()).Line - s.fset.Position(fn.Pos()).Line + 1
			if n > functionLines {
				t.Errorf("%s: %s has %d lines, more than %d", s.at(file, fn), fn.Name.Name, n, functionLines)
			}
		}
	})
}
