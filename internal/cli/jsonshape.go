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
	var own bytes.Buffer
	encoder := json.NewEncoder(&own)
	encoder.SetEscapeHTML(false)
	for _, m := range members {
		if _, taken := i.Extra[m.name]; taken {
			i.Extra = maps.Clone(i.Extra)
			delete(i.Extra, m.name)
		}
		fmt.Fprintf(&own, ",%q:", m.name)
		if err := encoder.Encode(m.value); err != nil {
			return nil, fmt.Errorf("%s of issue %s as JSON: %w", m.name, i.ID, err)
		}
	}
	text := append(i.AppendMembers([]byte{'{'}), own.Bytes()...)
	return append(text, '}'), nil
}
