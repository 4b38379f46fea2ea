package cli

import "strings"

// symbols are the characters beyond ASCII that bd itself prints to people.
type symbols struct {
	ellipsis               string // ends what was cut
	dot                    string // between facts
	horizontal, vertical   string
	topLeft, top, topRight string
	left, bottom, right    string // of the lower edge
	branch, last           string // of a tree: before a child, before the last one
}

// symbols are plain ASCII where the locale says that the terminal, or whoever
// reads us, takes nothing else. Texts of issues are passed on as they are.
func (a *app) symbols() symbols {
	if a.narrowLocale() {
		return symbols{"...", "-", "-", "|", "+", "+", "+", "+", "+", "+", "|", "`"}
	}
	return symbols{"…", "·", "─", "│", "┌", "┬", "┐", "└", "┴", "┘", "├", "└"}
}

// narrowLocale reports whether the locale is one without UTF-8, such as C. The
// first of LC_ALL, LC_CTYPE and LANG that is set decides, as POSIX has it; if none
// is, nobody has chosen, and UTF-8 is what terminals speak today.
func (a *app) narrowLocale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(a.Getenv(name)); value != "" {
			return !strings.Contains(value, "utf-8") && !strings.Contains(value, "utf8")
		}
	}
	return false
}

// dumb reports whether the terminal can neither colour nor move its cursor.
func (a *app) dumb() bool { return a.Getenv("TERM") == "dumb" }

// printLine prints a line, cut to the terminal's width. It may hold colours.
func (a *app) printLine(line string) {
	if a.StdoutTerminal && a.Width > 0 {
		line = cutPainted(line, a.Width, a.symbols().ellipsis)
	}
	a.printf("%s\n", line)
}

// cutPainted is cutWith for text with colours, which take no room and go on to their
// end in what is left.
func cutPainted(s string, width int, ellipsis string) string {
	if !strings.Contains(s, "\x1b") {
		return cutWith(s, width, ellipsis)
	}
	var texts, codes []string // in turns, beginning with a text
	for rest := s; ; {
		text, after, found := strings.Cut(rest, "\x1b[")
		texts = append(texts, text)
		if !found {
			break
		}
		code, then, _ := strings.Cut(after, "m")
		codes = append(codes, "\x1b["+code+"m")
		rest = then
	}
	whole := strings.Join(texts, "")
	kept := cutWith(whole, width, ellipsis)
	if kept == whole {
		return s
	}
	left := strings.TrimSuffix(kept, ellipsis)
	var b strings.Builder
	for n, text := range texts {
		if len(text) > len(left) {
			b.WriteString(left + ellipsis)
			if n > 0 {
				b.WriteString("\x1b[0m")
			}
			break
		}
		b.WriteString(text)
		left = left[len(text):]
		if n < len(codes) {
			b.WriteString(codes[n])
		}
	}
	return b.String()
}
