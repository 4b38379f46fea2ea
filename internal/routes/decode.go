package routes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// decode reads the object of a line. A member that is not known is refused: one
// that a later version adds may restrict the route.
func decode(line []byte) (Route, error) {
	var r Route
	if len(line) > MaxLine {
		return r, fmt.Errorf("longer than %d bytes", MaxLine)
	}
	d := jsontext.NewDecoder(bytes.NewReader(line)) // refuses duplicate names and bad UTF-8
	if d.PeekKind() != '{' {
		return r, errors.New("not a JSON object")
	}
	if _, err := d.ReadToken(); err != nil {
		return r, syntax(err)
	}
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err != nil {
			return r, syntax(err)
		}
		name := key.String() // a token is valid only until the next one
		member := map[string]*string{"prefix": &r.Prefix, "path": &r.Path}[name]
		if member == nil {
			return r, fmt.Errorf("unknown member %.40q: a route has prefix and path", name)
		}
		value, err := d.ReadToken()
		if err != nil {
			return r, syntax(err)
		}
		if value.Kind() != '"' {
			return r, fmt.Errorf("%s is not a string", name)
		}
		*member = value.String()
	}
	if _, err := d.ReadToken(); err != nil {
		return r, syntax(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return r, errors.New("data after the object")
	}
	return r, nil
}

// syntax says what is wrong with the JSON without the library's name.
func syntax(err error) error {
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errors.New("a member is given twice")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the object does not end")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "jsontext: "))
}
