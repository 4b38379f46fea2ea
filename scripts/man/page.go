package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"beads/internal/cli"
)

// page is the manual page of a command in the man macros of roff. The library's
// generator takes help for Markdown, which it is not: it loses columns, asterisks
// and what stands in angle brackets.
func page(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"bd %s\" \"bd Manual\"\n", quoted(strings.ToUpper(pageName(cmd))), escape(cli.Version()))
	section(&b, "NAME")
	fmt.Fprintf(&b, "%s \\- %s\n", escape(pageName(cmd)), escape(strings.ToLower(cmd.Short[:1])+cmd.Short[1:]))
	section(&b, "SYNOPSIS")
	use := []string{}
	if cmd.Runnable() {
		use = append(use, cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		use = append(use, cmd.CommandPath()+" COMMAND [flags]")
	}
	for n, line := range use {
		if n > 0 {
			b.WriteString(".br\n")
		}
		b.WriteString(text(line))
	}
	section(&b, "DESCRIPTION")
	paragraphs(&b, description(cmd))
	commands(&b, cmd)
	options(&b, "OPTIONS", cmd.LocalFlags())
	options(&b, "GLOBAL OPTIONS", cmd.InheritedFlags())
	if cmd.Example != "" {
		section(&b, "EXAMPLES")
		verbatim(&b, strings.Split(cmd.Example, "\n"))
	}
	section(&b, "EXIT STATUS")
	b.WriteString("0 if it is done, 1 if it failed, 2 if it was called wrongly.\n")
	seeAlso(&b, cmd)
	return b.String()
}

func description(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

func section(b *strings.Builder, title string) { fmt.Fprintf(b, ".SH %s\n", title) }

// paragraphs writes text whose paragraphs stand apart. One with columns or an
// indentation keeps its lines.
func paragraphs(b *strings.Builder, long string) {
	for n, part := range strings.Split(strings.TrimSpace(long), "\n\n") {
		lines := strings.Split(part, "\n")
		if n > 0 {
			b.WriteString(".PP\n")
		}
		if columns(lines) {
			verbatim(b, lines)
			continue
		}
		for _, line := range lines {
			b.WriteString(text(line))
		}
	}
}

// columns reports whether lines are more than running text.
func columns(lines []string) bool {
	for _, line := range lines {
		if strings.Contains(line, "  ") {
			return true
		}
	}
	return false
}

// verbatim writes lines as they are.
func verbatim(b *strings.Builder, lines []string) {
	b.WriteString(".nf\n")
	for _, line := range lines {
		b.WriteString(text(line))
	}
	b.WriteString(".fi\n")
}

func commands(b *strings.Builder, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	section(b, "COMMANDS")
	groups := append(cmd.Groups(), &cobra.Group{})
	for _, group := range groups {
		if group.Title != "" {
			fmt.Fprintf(b, ".SS %s\n", quoted(strings.TrimSuffix(group.Title, ":")))
		}
		for _, c := range cmd.Commands() {
			if c.GroupID == group.ID && c.IsAvailableCommand() {
				fmt.Fprintf(b, ".TP\n.B %s\n%s", quoted(c.Name()), text(c.Short))
			}
		}
	}
}

func options(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	section(b, title)
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(flag)
		b.WriteString(".TP\n")
		name := "\\fB" + escape("--"+flag.Name) + "\\fR"
		if flag.Shorthand != "" {
			name = "\\fB" + escape("-"+flag.Shorthand) + "\\fR, " + name
		}
		if value != "" {
			name += " \\fI" + escape(value) + "\\fR"
		}
		if def := flag.DefValue; def != "" && def != "false" && def != "[]" && def != "0" && def != "0s" {
			usage += " (default " + def + ")"
		}
		b.WriteString(name + "\n" + text(usage))
	})
}

func seeAlso(b *strings.Builder, cmd *cobra.Command) {
	var names []string
	if cmd.HasParent() {
		names = append(names, pageName(cmd.Parent()))
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, pageName(c))
		}
	}
	if len(names) == 0 {
		return
	}
	section(b, "SEE ALSO")
	for n, name := range names {
		comma := ","
		if n == len(names)-1 {
			comma = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", escape(name), comma)
	}
}

// text is a line of running text: one that begins with a dot or an apostrophe
// would be taken for a macro.
func text(line string) string {
	line = escape(line)
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		line = "\\&" + line
	}
	return line + "\n"
}

// escape writes what means something to roff, and characters beyond ASCII, by
// their names. A hyphen is a minus, so that people can copy commands.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString("\\e")
		case r == '-':
			b.WriteString("\\-")
		case r == '\'':
			b.WriteString("\\(aq")
		case r == '`':
			b.WriteString("\\(ga")
		case r == '^':
			b.WriteString("\\(ha")
		case r == '~':
			b.WriteString("\\(ti")
		case r == '\t':
			b.WriteString("    ")
		case r > 0x7e:
			fmt.Fprintf(&b, "\\[u%04X]", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// quoted is an argument of a macro.
func quoted(s string) string { return `"` + strings.ReplaceAll(escape(s), `"`, "\\(dq") + `"` }
