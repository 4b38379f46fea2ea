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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Run(ctx, process.Current())
}
