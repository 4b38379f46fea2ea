// Command bd-mcp serves the issues of bd to language models, over the Model
// Context Protocol on standard input and output. People start it as bd mcp.
// This file only hands what the process has to package mcpserver.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"beads/internal/mcpserver"
	"beads/internal/process"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return mcpserver.Main(ctx, process.Current())
}
