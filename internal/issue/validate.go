package issue

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FieldError says what is wrong with the value of a field.
type FieldError struct {
	Field  string
	Value  string // as given
	Reason string
}

func (e *FieldError) Error() string {
	const shown = 60
	value := e.Value
	if len(value) > shown {
		value = strings.ToValidUTF8(value[:shown], "") + "…"
	}
	return fmt.Sprintf("invalid %s %q: %s", e.Field, value, e.Reason)
}

func invalid(field, value, format string, args ...any) error {
	return &FieldError{Field: field, Value: value, Reason: fmt.Sprintf(format, args...)}
}

// ValidateTitle checks a title: not blank, one line, at most MaxTitle
// characters.
func ValidateTitle(s string) error {
	if strings.TrimSpace(s) == "" {
		return invalid("title", s, "it is blank")
	}
	return line("title", s, MaxTitle)
}

// ValidateShort checks an assignee, owner or external reference: one line, at
// most MaxShort characters. The empty one clears the field.
func ValidateShort(field, s string) error { return line(field, s, MaxShort) }

// ValidateActor checks the name of who acts, or of a session. It may hold what a
// line may not: such names are in logs.
func ValidateActor(field, s string) error {
	if !utf8.ValidString(s) {
		return invalid(field, s, "it is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > MaxActor {
		return invalid(field, s, "it has %d characters, at most %d are allowed", n, MaxActor)
	}
	return nil
}

// line checks that s is valid UTF-8 of at most most characters without control
// characters.
func line(field, s string, most int) error {
	if !utf8.ValidString(s) {
		return invalid(field, s, "it is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > most {
		return invalid(field, s, "it has %d characters, at most %d are allowed", n, most)
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		return invalid(field, s, "it holds the control character %U", r)
	}
	return nil
}

// ValidateName checks a status, an issue type or a dependency type (kind says
// which): 1 to MaxName letters, digits and any of - _ . / :
func ValidateName(kind, s string) error {
	if s == "" {
		return invalid(kind, s, "it is empty")
	}
	if err := line(kind, s, MaxName); err != nil {
		return err
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./:", r) {
			return invalid(kind, s, "only letters, digits and - _ . / : are allowed")
		}
	}
	return nil
}

// ValidateStatus is ValidateName for a status that a command may set.
// "tombstone" is not one: deletion is an operation of its own.
func ValidateStatus(s string) error {
	if s == "tombstone" {
		return invalid("status", s, "delete the issue instead")
	}
	return ValidateName("status", s)
}

// ParsePriority reads "0" to "4" or "P0" to "P4", in either case.
func ParsePriority(s string) (int, error) {
	digits := s
	if len(s) == 2 && (s[0] == 'P' || s[0] == 'p') {
		digits = s[1:]
	}
	if len(digits) == 1 && digits[0] >= '0' && digits[0] <= '4' {
		return int(digits[0] - '0'), nil
	}
	return 0, invalid("priority", s, "it must be 0 to 4 or P0 to P4")
}

// ParseEstimate reads whole minutes.
func ParseEstimate(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > MaxEstimate {
		return 0, invalid("estimate", s, "it must be whole minutes, 0 to %d", MaxEstimate)
	}
	return int(n), nil
}

// ValidateLabel checks a label: 1 to MaxLabel characters, no comma (lists of
// labels are written with commas), no control character, no blank at an end.
func ValidateLabel(s string) error {
	switch {
	case s == "":
		return invalid("label", s, "it is empty")
	case strings.TrimSpace(s) != s:
		return invalid("label", s, "it begins or ends with a blank")
	case strings.Contains(s, ","):
		return invalid("label", s, "it holds a comma")
	}
	return line("label", s, MaxLabel)
}

// ValidateText checks a long text: valid UTF-8 without NUL, at most MaxText
// bytes, so that an operation with it fits one line of the log however much of
// it must be escaped. Other control characters are kept: they come with
// pasted terminal output, and whoever prints a text makes them visible.
func ValidateText(field, s string) error {
	switch {
	case len(s) > MaxText:
		return invalid(field, s, "it has %d bytes, at most %d (%d KiB) are allowed", len(s), MaxText, MaxText>>10)
	case !utf8.ValidString(s):
		return invalid(field, s, "it is not valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		return invalid(field, s, "it holds a NUL byte")
	}
	return nil
}

// ValidateID checks an id that a person chooses for a new issue: a prefix, a
// dash and more, of A-Z a-z 0-9 . _ - and at most MaxID characters, so that it
// can never be taken for an option, a path or two words.
func ValidateID(s string) error {
	prefix, rest, dashed := strings.Cut(s, "-")
	switch {
	case len(s) > MaxID:
		return invalid("id", s, "at most %d characters are allowed", MaxID)
	case strings.HasPrefix(s, "-"):
		return invalid("id", s, "it begins with a dash")
	case !dashed || prefix == "" || rest == "":
		return invalid("id", s, "it must look like prefix-name")
	case strings.IndexFunc(s, notIDRune) >= 0:
		return invalid("id", s, "only A-Z a-z 0-9 . _ - are allowed")
	}
	return nil
}

// MaxPrefix is how long the prefix of ids may be, in characters.
const MaxPrefix = 40

// ValidatePrefix checks what ids begin with, up to and without the last dash.
func ValidatePrefix(s string) error {
	switch {
	case s == "":
		return invalid("prefix", s, "it is empty")
	case len(s) > MaxPrefix:
		return invalid("prefix", s, "at most %d characters are allowed", MaxPrefix)
	case strings.IndexFunc(s, notIDRune) >= 0:
		return invalid("prefix", s, "only A-Z a-z 0-9 . _ - are allowed")
	case !isAlphanumeric(s[0]) || !isAlphanumeric(s[len(s)-1]):
		return invalid("prefix", s, "it must begin and end with a letter or a digit")
	}
	return nil
}

func isAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func notIDRune(r rune) bool {
	return r >= utf8.RuneSelf || !isAlphanumeric(byte(r)) && !strings.ContainsRune("._-", r)
}
