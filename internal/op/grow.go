package op

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// MaxGrown bounds, in bytes, what many operations can make of one issue where
// one adds to another: a text that is appended to, and all unknown fields
// together, names and values. It is the size of a line, so that one operation
// never meets it alone; without it a thousand lines would make a row that the
// database cannot hold, and everybody's refresh would fail.
const MaxGrown = MaxLine

// extraOverhead is what a field costs besides its name and value: quotes, colon
// and comma.
const extraOverhead = 4

// setExtra sets an unknown field, or removes it with null. It fails, and leaves
// the field as it was, where all of them would pass MaxGrown.
func (s *State) setExtra(name string, value json.RawMessage) error {
	is := &s.Issue
	if s.extra == 0 {
		for name, value := range is.Extra {
			s.extra += extraSize(name, value)
		}
	}
	size := s.extra
	if old, held := is.Extra[name]; held {
		size -= extraSize(name, old)
	}
	if value == nil || isNull(value) {
		s.extra = size
		delete(is.Extra, name)
		if len(is.Extra) == 0 {
			is.Extra = nil
		}
		return nil
	}
	if size += extraSize(name, value); size > MaxGrown {
		return fmt.Errorf("would make the unknown fields longer than %d bytes", MaxGrown)
	}
	s.extra = size
	if is.Extra == nil {
		is.Extra = make(map[string]json.RawMessage, 1)
	}
	is.Extra[name] = value
	return nil
}

// lengthens reports whether an unknown field takes more room with value than now.
func (s *State) lengthens(name string, value json.RawMessage) bool {
	old, held := s.Issue.Extra[name]
	return len(value) > 0 && !isNull(value) && (!held || len(cloneRaw(value)) > len(old))
}

func extraSize(name string, value json.RawMessage) int { return len(name) + len(value) + extraOverhead }

// appendText applies one member of append: the old text, a blank line, the
// new one, so that what two clones append both survives.
func (a *application) appendText(name, text string) {
	if text == "" {
		return
	}
	if err := a.tryAppend(name, text); err != nil {
		a.report(BadValue, "%s %v", clip(name), err)
	}
}

var errNoText = errors.New("is not a text that can be appended to")

func (a *application) tryAppend(name, text string) (err error) {
	is := &a.s.Issue
	switch name {
	case "description", "design", "acceptance_criteria", "notes":
		field, _ := textField(is, name)
		joined, err := AppendedText(*field, text)
		if err == nil {
			*field = joined
		}
		return err
	}
	if known(is, name) {
		return errNoText
	}
	if err := short(name, maxFieldName); err != nil {
		return fmt.Errorf("as a field name %w", err)
	}
	added := Str(text)
	old, held := is.Extra[name]
	switch {
	case !held || string(old) == `""`:
		return a.s.setExtra(name, added)
	case old[0] != '"':
		return errNoText
	}
	// Canonical texts are joined as they are: to decode and encode a megabyte for
	// each of many small additions would take minutes.
	return a.s.setExtra(name, slices.Concat(old[:len(old)-1], []byte(`\n\n`), added[1:]))
}

// AppendedText is what the member append makes of a text: the old one, a blank
// line and the new one, or the new one alone. It fails where that is longer than
// MaxGrown.
func AppendedText(old, text string) (string, error) {
	between := "\n\n"
	if old == "" {
		between = ""
	}
	if len(old)+len(between)+len(text) > MaxGrown {
		return "", fmt.Errorf("would be longer than %d bytes", MaxGrown)
	}
	return old + between + text, nil
}
