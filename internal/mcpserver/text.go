package mcpserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"beads/internal/cli"
)

// textLimit is how long a text in an answer may be, in bytes, before it is cut:
// one issue must not fill the model's memory unasked.
const textLimit = 16 << 10

// visible is a JSON value whose strings have their control, escape and
// bidirectional characters made visible, and are cut at limit bytes (0: not).
// Members keep their order. Line ends of Windows become plain ones.
func visible(text []byte, limit int) ([]byte, error) {
	var out bytes.Buffer
	// Whatever bd printed is passed on: it is not for this end to judge it.
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	enc := jsontext.NewEncoder(&out, jsontext.AllowDuplicateNames(true))
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return bytes.TrimSpace(out.Bytes()), nil
		}
		if err == nil {
			if token.Kind() == '"' {
				token = jsontext.String(visibleText(token.String(), limit))
			}
			err = enc.WriteToken(token)
		}
		if err != nil {
			return nil, fmt.Errorf("read bd's answer: %w", err)
		}
	}
}

func visibleText(s string, limit int) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	left := 0
	if limit > 0 && len(s) > limit {
		end := limit
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s, left = s[:end], len(s)-end
	}
	s = cli.VisibleText(s)
	if left > 0 {
		s += fmt.Sprintf("… [%d more bytes; show with whole=true has them]", left)
	}
	return s
}
