package cli

// style is the parameter of an ANSI "select graphic rendition" sequence.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	blue   style = "34"
	cyan   style = "36"
)

// colours reports whether output may be coloured: on a terminal that can,
// unless --no-color or NO_COLOR (no-color.org: any value but the empty one)
// or output.color says no.
func (a *app) colours() bool {
	if !a.StdoutTerminal || a.noColor || a.json || a.Getenv("NO_COLOR") != "" || a.dumb() {
		return false
	}
	return a.ws == nil || a.configValue(a.ws.Place(), "output.color") != "never"
}

// paint gives text a style. The text must be safe to print already (visible).
func (a *app) paint(s style, text string) string {
	if s == plain || text == "" || !a.colours() {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// statusStyle is how the status of an issue looks.
func statusStyle(status string, blocked bool) style {
	switch {
	case status == "closed":
		return dim
	case status == "in_progress":
		return yellow
	case blocked, status == "blocked":
		return red
	case status == "open":
		return green
	}
	return plain
}

// priorityStyle is how a priority looks.
func priorityStyle(priority int) style {
	switch priority {
	case 0:
		return red
	case 1:
		return yellow
	}
	return plain
}
