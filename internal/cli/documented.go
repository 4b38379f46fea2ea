package cli

import (
	"bufio"
	"io"

	"github.com/spf13/cobra"
)

// Documented is the whole tree of commands, for who writes manuals of it. It is
// not to be executed.
func Documented() *cobra.Command {
	return newRoot(&app{out: bufio.NewWriter(io.Discard)})
}

// Version is that of this program.
func Version() string { return version }
