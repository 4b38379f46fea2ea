package query

import (
	"slices"
	"strings"
)

// kind is what values a field takes.
type kind int

const (
	word   kind = iota // compared whole
	text               // may be long: = and ~
	number             //
	date               //
	set                // labels: = holds if one of them is it
	flag               // true or false; alone it means true
)

// field is one name that an expression may use.
type field struct {
	name    string
	kind    kind
	aliases []string
	meaning string
}

// fields is the whole table, in the order in which help shows it.
func fields() []field {
	return []field{
		{"id", word, nil, "also abbreviated, but for ~"},
		{"title", text, nil, ""},
		{"description", text, []string{"desc"}, ""},
		{"design", text, nil, ""},
		{"acceptance", text, []string{"acceptance_criteria"}, ""},
		{"notes", text, nil, ""},
		{"text", text, nil, "any of the five above, or the id"},
		{"status", word, nil, ""},
		{"priority", number, nil, "0 to 4, also P0 to P4"},
		{"type", word, []string{"issue_type"}, ""},
		{"assignee", word, nil, ""},
		{"owner", word, nil, ""},
		{"label", set, []string{"labels"}, "one of the labels"},
		{"parent", word, nil, "the id of a parent"},
		{"external_ref", word, []string{"external", "ref"}, ""},
		{"estimate", number, []string{"estimated_minutes"}, "in minutes"},
		{"created_by", word, []string{"creator"}, ""},
		{"close_reason", text, nil, ""},
		{"created", date, []string{"created_at"}, ""},
		{"updated", date, []string{"updated_at"}, ""},
		{"closed", date, []string{"closed_at"}, ""},
		{"due", date, []string{"due_at"}, ""},
		{"defer", date, []string{"defer_until"}, ""},
		{"ready", flag, nil, "can be worked on now"},
		{"blocked", flag, nil, "waits for an open issue"},
		{"overdue", flag, nil, "due in the past and not closed"},
		{"deferred", flag, nil, "put off to a later time"},
	}
}

// metadataPrefix begins the fields of an issue's metadata.
const metadataPrefix = "metadata."

// find is the field of that name.
func find(name string) (field, bool) {
	if n := len(metadataPrefix); len(name) > n && strings.EqualFold(name[:n], metadataPrefix) {
		return field{name: metadataPrefix + name[n:], kind: word}, true
	}
	name = strings.ToLower(name)
	all := fields()
	i := slices.IndexFunc(all, func(f field) bool { return f.name == name || slices.Contains(f.aliases, name) })
	if i < 0 {
		return field{}, false
	}
	return all[i], true
}

// names are the names of all fields.
func names() []string {
	var all []string
	for _, f := range fields() {
		all = append(all, f.name)
	}
	return all
}

// Help describes the fields, one a line.
func Help() string {
	var b strings.Builder
	for _, f := range fields() {
		takes := map[kind]string{word: "= != ~", text: "= != ~", number: "= != < <= > >=", date: "= != < <= > >=", set: "= != ~", flag: "alone"}[f.kind]
		b.WriteString("  " + f.name + strings.Repeat(" ", 14-len(f.name)) + takes)
		if f.meaning != "" {
			b.WriteString(strings.Repeat(" ", 16-len(takes)) + f.meaning)
		}
		b.WriteString("\n")
	}
	b.WriteString("  metadata.KEY  = != ~          a member of the metadata\n")
	return b.String()
}
