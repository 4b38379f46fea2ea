// Command man writes the manual pages of bd: one for each command, and bd(1). It
// is a program of its own, so that nothing of it is linked into bd.
//
//	go run ./scripts/man dist/man
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: man DIR")
		os.Exit(2)
	}
	if err := writePages(os.Args[1], cli.Documented()); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// writePages writes the pages of root and of every command below it that help
// shows to DIR/man1.
func writePages(dir string, root *cobra.Command) error {
	dir = filepath.Join(dir, "man1")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var write func(*cobra.Command) error
	write = func(cmd *cobra.Command) error {
		if cmd.Hidden || cmd.Name() == "help" {
			return nil
		}
		if err := os.WriteFile(filepath.Join(dir, pageName(cmd)+".1"), []byte(page(cmd)), 0o644); err != nil {
			return err
		}
		for _, c := range cmd.Commands() {
			if err := write(c); err != nil {
				return err
			}
		}
		return nil
	}
	return write(root)
}

// pageName is what a command's page is called: bd-dep-add.
func pageName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "-")
}
