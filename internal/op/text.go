package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// appendCanonical appends value as RFC 8785 writes it, except that numbers
// keep their source text: rounding them to 64 bits would alter data of others.
func appendCanonical(dst, value []byte) ([]byte, error) {
	return jsontext.AppendFormat(dst, value, jsontext.ReorderRawObjects(true))
}

// appendString appends s as a JSON string in the form of RFC 8785. It fails on
// invalid UTF-8, which would not read back as the same text.
func appendString(dst []byte, s string) ([]byte, error) {
	return jsontext.AppendQuote(dst, s)
}

// unquote is the text of raw, a valid JSON string.
func unquote(raw []byte) (string, error) {
	if n := len(raw); n >= 2 && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : n-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
}

// Str is s as a value of Operation.Set. Invalid UTF-8 becomes U+FFFD.
func Str(s string) json.RawMessage {
	b, _ := jsontext.AppendQuote(nil, s) // the error only says that bytes were replaced
	return b
}

// Int is n as a value of Operation.Set.
func Int(n int) json.RawMessage { return strconv.AppendInt(nil, int64(n), 10) }

// Null is the value of Operation.Set that clears a field.
func Null() json.RawMessage { return json.RawMessage("null") }

// sortedKeys are the keys of m in the order of RFC 8785: by UTF-16 code units.
func sortedKeys[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), compareNames)
}

// compareNames compares two different names in the order of RFC 8785.
func compareNames(a, b string) int {
	if isASCII(a) && isASCII(b) {
		if a < b {
			return -1
		}
		return 1
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// short checks a name: 1 to most characters, none of them a control character.
func short(s string, most int) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case len(s) > most && utf8.RuneCountInString(s) > most:
		return fmt.Errorf("is longer than %d characters", most)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Errorf("holds the control character %U", r)
		}
	}
	return nil
}

// eachMember calls fn with every member of the JSON object raw, which was
// decoded before. The value aliases raw.
func eachMember(raw []byte, fn func(name string, value json.RawMessage) error) error {
	return each(raw, '{', func(d *Decoder) error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		value, err := d.value()
		if err != nil {
			return err
		}
		return fn(name, value)
	})
}

// eachElement calls fn with every element of the JSON array raw. The value
// aliases raw.
func eachElement(raw []byte, fn func(value json.RawMessage) error) error {
	return each(raw, '[', func(d *Decoder) error {
		value, err := d.value()
		if err != nil {
			return err
		}
		return fn(value)
	})
}

func each(raw []byte, open jsontext.Kind, fn func(d *Decoder) error) error {
	var d Decoder
	d.reset(raw)
	if err := d.items("value", open, func() error { return fn(&d) }); err != nil {
		return err
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return bad("data after the value")
	}
	return nil
}
