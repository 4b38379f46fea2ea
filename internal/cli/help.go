package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth is how wide help is where nothing says how wide the terminal is.
const helpWidth = 80

// writeUsage prints how a command is called, in lines that fit the terminal. It
// stands in for the library's template, which knows no width.
func (a *app) writeUsage(cmd *cobra.Command) error {
	width := helpWidth
	if a.StdoutTerminal && a.Width > 0 {
		width = a.Width
	}
	out := cmd.OutOrStderr()
	var b strings.Builder
	part := func(title, text string) {
		if text = strings.TrimRight(text, " \n"); text != "" {
			b.WriteString("\n" + title + ":\n" + text + "\n")
		}
	}
	var use string
	if cmd.Runnable() {
		use = "  " + cmd.UseLine() + "\n"
	}
	if cmd.HasAvailableSubCommands() {
		use += "  " + cmd.CommandPath() + " [command]\n"
	}
	b.WriteString("Usage:\n" + use)
	if len(cmd.Aliases) > 0 {
		part("Aliases", "  "+cmd.NameAndAliases())
	}
	part("Examples", cmd.Example)
	for _, group := range cmd.Groups() {
		part(strings.TrimSuffix(group.Title, ":"), commandList(cmd, group.ID, width))
	}
	title := "Available Commands"
	if len(cmd.Groups()) > 0 {
		title = "Additional Commands"
	}
	part(title, commandList(cmd, "", width))
	part("Flags", cmd.LocalFlags().FlagUsagesWrapped(width))
	part("Global Flags", cmd.InheritedFlags().FlagUsagesWrapped(width))
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n" + wrapLine("Use \""+cmd.CommandPath()+" [command] --help\" for more information about a command.", width) + "\n")
	}
	_, err := out.Write([]byte(b.String()))
	return err
}

// writeHelp prints what a command does, and how it is called. The help of a name that
// is no command is an error, which the library leaves this function no way to return.
func (a *app) writeHelp(cmd *cobra.Command, _ []string) {
	if names := cmd.Flags().Args(); len(names) > 0 && onlyParent(cmd) {
		a.noTopic = unknownCommand(cmd, names[0])
		return
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	width := 0
	if a.StdoutTerminal {
		width = a.Width
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, " \n"), "\n") {
		cmd.Println(wrapLine(line, width))
	}
	cmd.Println()
	_ = a.writeUsage(cmd) // a failure shows when the output is flushed
}

// checkTopics makes bd help refuse a name that is no command; the library shows
// the help of what stands before it.
func checkTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		return
	}
	help.Args = func(_ *cobra.Command, names []string) error {
		found, rest, err := root.Find(names)
		if err != nil || len(rest) == 0 || !found.HasSubCommands() {
			return err
		}
		return unknownCommand(found, rest[0])
	}
}

// commandList are the commands of a group, with what they do.
func commandList(cmd *cobra.Command, group string, width int) string {
	var b strings.Builder
	for _, c := range cmd.Commands() {
		if c.GroupID == group && (c.IsAvailableCommand() || c.Name() == "help") {
			name := "  " + c.Name() + strings.Repeat(" ", max(1, c.NamePadding()-len(c.Name())+1))
			b.WriteString(wrapLine(name+c.Short, width) + "\n")
		}
	}
	return b.String()
}

// wrapLine breaks a line between words, so that it fits width (0: any). What goes
// on begins below the second column of a list, or as far in as the line itself.
func wrapLine(line string, width int) string {
	if width <= 0 || displayWidth(line) <= width {
		return line
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	if at := strings.LastIndex(line, "  "); at > indent && at+2 < width/2 {
		indent = at + 2
	}
	indent = min(indent, width/2)
	var b strings.Builder
	used := 0
	for n, word := range strings.SplitAfter(line, " ") {
		if room := displayWidth(strings.TrimRight(word, " ")); n > 0 && used+room > width && used > indent {
			text := strings.TrimRight(b.String(), " ")
			b.Reset()
			b.WriteString(text + "\n" + strings.Repeat(" ", indent))
			used = indent
		}
		b.WriteString(word)
		used += displayWidth(word)
	}
	return strings.TrimRight(b.String(), " ")
}
