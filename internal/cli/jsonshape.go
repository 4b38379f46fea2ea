package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

	"beads/internal/issue"
)

// member is one member of a JSON object beside those of the issue.
type member struct {
	name  string
	value any
}

// withMembers is the JSON of an issue with more members at its end, such as
// dependency_type or dependent_count. They win over unknown fields of the same
// name.
func withMembers(i issue.Issue, members ...member) (json.RawMessage, error) {
	for _, m := range members {
		if _, taken := i.Extra[m.name]; taken {
			i.Extra = maps.Clone(i.Extra)
			delete(i.Extra, m.name)
		}
	}
	own, err := object(members...)
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", i.ID, err)
	}
	if len(members) == 0 {
		return i.AppendJSON(nil), nil
	}
	return append(append(i.AppendMembers([]byte{'{'}), ','), own[1:]...), nil
}

// object is a JSON object of these members, in this order.
func object(members ...member) (json.RawMessage, error) {
	text := bytes.NewBufferString("{")
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	for n, m := range members {
		if n > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(text, "%q:", m.name)
		if err := encoder.Encode(m.value); err != nil {
			return nil, fmt.Errorf("%s as JSON: %w", m.name, err)
		}
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}
