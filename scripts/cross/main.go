// Command cross asks whether the programs compile for other systems:
//
//	go run ./scripts/cross darwin windows
//
// It checks the types of our packages with the files that are for that system, and what
// the packages that they are made of declare, and then asks what go vet asks. That is
// all but the making of code, which took a minute a system, mostly for SQLite.
package main

import (
	"fmt"
	"os"

	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/suite/vet"
	"golang.org/x/tools/go/packages"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(systems []string) int {
	for _, system := range systems {
		fmt.Println("types for GOOS=" + system)
		if bad := check(system); bad > 0 {
			fmt.Fprintf(os.Stderr, "%d errors for %s\n", bad, system)
			return 1
		}
	}
	return 0
}

// check prints what is wrong for a system, and returns how much it is.
func check(system string) int {
	config := &packages.Config{
		// With the syntax of dependencies their types come from their sources, for
		// which nothing has to be compiled.
		Mode: packages.LoadAllSyntax,
		Env:  append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0", "GOFLAGS="),
	}
	found, err := packages.Load(config, "./cmd/...", "./internal/...")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if len(found) == 0 {
		fmt.Fprintln(os.Stderr, "no packages")
		return 1
	}
	if bad := packages.PrintErrors(found); bad > 0 {
		return bad
	}
	graph, err := checker.Analyze(vet.Suite, found, nil)
	if err == nil {
		err = graph.PrintText(os.Stderr, -1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	bad := 0
	for _, asked := range graph.Roots {
		bad += len(asked.Diagnostics)
		if asked.Err != nil {
			bad++
		}
	}
	return bad
}
