// Command bd is a local-first issue tracker for people and coding agents. This
// file only hands what the process has to package cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"beads/internal/cli"
	"beads/internal/process"
)

func main() {
	os.Exit(run())
}

func run() int {
	// To stop listening is left to the end of the process: it would have to wait
	// for another thread.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	return cli.Run(ctx, process.Current())
}
