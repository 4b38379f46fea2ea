package cli

import (
	"bufio"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A CommandLine is what a line of arguments asks for.
type CommandLine struct {
	Path  string   // "dep add"; "" if there is no such command
	Flags []string // long names of the flags that were given, sorted
	Args  int      // how many arguments that are no flags
}

// Has reports whether the flag was given.
func (l CommandLine) Has(flag string) bool { return slices.Contains(l.Flags, flag) }

// ReadCommandLine reads args, without the program's name, as Run would. Of a
// line with a flag that does not exist only what stands before it is known,
// but for --json.
func ReadCommandLine(args []string) CommandLine {
	root := Tree()
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root {
		return CommandLine{Flags: jsonFlag(args)}
	}
	line := CommandLine{Path: strings.TrimPrefix(cmd.CommandPath(), "bd ")}
	if cmd.DisableFlagParsing {
		line.Args = len(rest)
		return line
	}
	cmd.InitDefaultHelpFlag()
	wrong := cmd.ParseFlags(rest) != nil
	cmd.Flags().Visit(func(f *pflag.Flag) { line.Flags = append(line.Flags, f.Name) })
	if wrong && !line.Has("json") {
		line.Flags = append(line.Flags, jsonFlag(args)...)
	}
	slices.Sort(line.Flags)
	line.Args = cmd.Flags().NArg()
	return line
}

func jsonFlag(args []string) []string {
	if slices.Contains(args, "--json") {
		return []string{"json"}
	}
	return nil
}

// Tree is the command tree of a run that is about nothing.
func Tree() *cobra.Command {
	return newRoot(&app{Process: Process{Stdout: io.Discard, Stderr: io.Discard}, out: bufio.NewWriter(io.Discard)})
}
