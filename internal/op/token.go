package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

func (d *Decoder) reset(line []byte) {
	d.line = line
	d.buf = *bytes.NewBuffer(line)
	if d.json == nil {
		d.json = jsontext.NewDecoder(&d.buf)
		return
	}
	d.json.Reset(&d.buf)
}

// end checks that nothing follows the object.
func (d *Decoder) end() error {
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return bad("data after the object")
	}
	return nil
}

// value reads the next value. It aliases the line.
func (d *Decoder) value() (json.RawMessage, error) {
	v, err := d.json.ReadValue()
	if err != nil {
		return nil, syntax(err)
	}
	end := int(d.json.InputOffset())
	return d.line[end-len(v) : end : end], nil
}

// items reads an object or an array, calling fn at each of its members or
// elements, which fn must consume.
func (d *Decoder) items(what string, open jsontext.Kind, fn func() error) error {
	if err := d.expect(what, open); err != nil {
		return err
	}
	if _, err := d.json.ReadToken(); err != nil {
		return syntax(err)
	}
	shut := open + 2 // '{' and '}', '[' and ']' are two apart
	for d.json.PeekKind() != shut {
		if err := fn(); err != nil {
			return err
		}
	}
	if _, err := d.json.ReadToken(); err != nil {
		return syntax(err)
	}
	return nil
}

// text reads a string.
func (d *Decoder) text(what string) (string, error) {
	if err := d.expect(what, '"'); err != nil {
		return "", err
	}
	raw, err := d.value()
	if err != nil {
		return "", err
	}
	s, err := unquote(raw)
	if err != nil {
		return "", bad("%s: %v", what, err)
	}
	return s, nil
}

func (d *Decoder) expect(what string, kind jsontext.Kind) error {
	switch d.json.PeekKind() {
	case kind:
		return nil
	case 0:
		_, err := d.json.ReadToken()
		return syntax(err)
	}
	switch kind {
	case '{':
		return bad("%s is not an object", what)
	case '[':
		return bad("%s is not an array", what)
	}
	return bad("%s is not a string", what)
}

// syntax is the reason that goes with an error of the JSON library.
func syntax(err error) *BadLine {
	var se *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return bad("unfinished JSON")
	case errors.As(err, &se) && errors.Is(err, jsontext.ErrDuplicateName):
		return bad("duplicate key at %s", se.JSONPointer)
	case errors.As(err, &se):
		return bad("not JSON: %v at byte %d", se.Err, se.ByteOffset)
	}
	return bad("not JSON: %v", err)
}
