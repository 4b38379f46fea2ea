// Nobody needs to look whether the machine has other processors by now, and not to
// look is a goroutine less at every start (runtime.GOMAXPROCS).
//
//go:debug updatemaxprocs=0

// Command bd is a local-first issue tracker for people and coding agents. This
// file only hands what the process has to package cli.
package main

import (
	"os"

	"beads/internal/cli"
	"beads/internal/interrupt"
	"beads/internal/process"
)

func main() {
	os.Exit(run())
}

func run() int {
	return cli.Run(interrupt.Context(), process.Current())
}
