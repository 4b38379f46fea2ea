package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// printf writes to standard output. Texts of others go through visible first.
func (a *app) printf(format string, args ...any) {
	fmt.Fprintf(a.out, format, args...)
}

// say writes a line for people: nothing with --json or --quiet.
func (a *app) say(format string, args ...any) {
	if !a.json && !a.quiet {
		fmt.Fprintf(a.out, format+"\n", args...)
	}
}

// printJSON writes v as the one JSON value of the command.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.dataOutput())
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// dataOutput is standard output for JSON, with characters escaped that JSON may
// hold but that a terminal would act on: what goes into a pipe often ends on one.
// The value stays the same.
func (a *app) dataOutput() io.Writer { return &escapingWriter{out: a.out} }

// escapingWriter writes JSON with control and bidi characters above ASCII as
// \u escapes: they can only stand inside strings.
type escapingWriter struct {
	out  io.Writer
	rest []byte // the start of a character whose end has not come yet
}

func (w *escapingWriter) Write(p []byte) (int, error) {
	if len(w.rest) == 0 && ascii(p) {
		return w.out.Write(p)
	}
	text := append(w.rest, p...)
	end := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if b := text[len(text)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(text[len(text)-back:]) {
				end -= back
			}
			break
		}
	}
	escaped := make([]byte, 0, end)
	for _, r := range string(text[:end]) {
		if r >= 0x7f && hidden(r, true) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
			continue
		}
		escaped = utf8.AppendRune(escaped, r)
	}
	w.rest = append([]byte(nil), text[end:]...)
	if _, err := w.out.Write(escaped); err != nil {
		return 0, err
	}
	return len(p), nil
}

// ascii reports whether there is nothing in p to escape, as in most output.
func ascii(p []byte) bool {
	for _, b := range p {
		if b >= 0x7f {
			return false
		}
	}
	return true
}

// localTime is how people see a time.
func (a *app) localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(a.Location).Format("2006-01-02 15:04")
}

// list makes an empty list [] in JSON instead of null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// plural is a number with its word: "1 issue", "3 issues".
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
