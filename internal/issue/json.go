package issue

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends i as one JSON object in the upstream snapshot format: one
// order of members, no spaces, no HTML escaping, what is empty left out except
// what every issue has. Equal issues give equal bytes.
func (i *Issue) AppendJSON(dst []byte) []byte {
	return append(i.AppendMembers(append(dst, '{')), '}')
}

// AppendMembers is AppendJSON without the braces, for callers that add members
// of their own. There is always at least one.
func (i *Issue) AppendMembers(dst []byte) []byte {
	w := writer{dst}
	w.text("id", i.ID)
	w.text("title", i.Title)
	w.optional("description", i.Description)
	w.optional("design", i.Design)
	w.optional("acceptance_criteria", i.AcceptanceCriteria)
	w.optional("notes", i.Notes)
	w.text("status", i.Status)
	w.number("priority", i.Priority)
	w.text("issue_type", i.Type)
	w.optional("assignee", i.Assignee)
	w.optional("owner", i.Owner)
	if len(i.Labels) > 0 {
		w.name("labels")
		w.list(len(i.Labels), func(n int) { w.string(i.Labels[n]) })
	}
	if i.EstimatedMinutes != 0 {
		w.number("estimated_minutes", i.EstimatedMinutes)
	}
	w.optional("external_ref", i.ExternalRef)
	w.raw("metadata", i.Metadata)
	w.time("created_at", i.CreatedAt)
	w.optional("created_by", i.CreatedBy)
	w.time("updated_at", i.UpdatedAt)
	w.optionalTime("closed_at", i.ClosedAt)
	w.optional("close_reason", i.CloseReason)
	w.optionalTime("due_at", i.DueAt)
	w.optionalTime("defer_until", i.DeferUntil)
	if len(i.Dependencies) > 0 {
		w.name("dependencies")
		w.list(len(i.Dependencies), func(n int) { w.dst = i.Dependencies[n].AppendJSON(w.dst, i.ID) })
	}
	if len(i.Comments) > 0 {
		w.name("comments")
		w.list(len(i.Comments), func(n int) { w.dst = i.Comments[n].AppendJSON(w.dst, i.ID) })
	}
	for _, name := range slices.Sorted(maps.Keys(i.Extra)) {
		if !known(name) {
			w.raw(name, i.Extra[name])
		}
	}
	return w.dst
}

// AppendJSON appends d, a dependency of the issue holder, as a JSON object.
func (d *Dependency) AppendJSON(dst []byte, holder string) []byte {
	w := writer{append(dst, '{')}
	w.text("issue_id", holder)
	w.text("depends_on_id", d.To)
	w.text("type", d.Type)
	w.time("created_at", d.CreatedAt)
	w.optional("created_by", d.CreatedBy)
	w.raw("metadata", d.Metadata)
	return append(w.dst, '}')
}

// AppendJSON appends c, a comment on the issue holder, as a JSON object.
func (c *Comment) AppendJSON(dst []byte, holder string) []byte {
	w := writer{append(dst, '{')}
	w.text("id", c.ID)
	w.text("issue_id", holder)
	w.text("author", c.Author)
	w.text("text", c.Text)
	w.time("created_at", c.CreatedAt)
	w.optionalTime("updated_at", c.UpdatedAt)
	return append(w.dst, '}')
}

// MarshalJSON is AppendJSON for encoders. (encoding/json escapes HTML in its
// result unless told not to.)
func (i Issue) MarshalJSON() ([]byte, error) { return i.AppendJSON(nil), nil }

// known reports whether name is a member with a meaning of its own, which
// Extra can neither set nor repeat.
func known(name string) bool {
	switch name {
	case "id", "title", "description", "design", "acceptance_criteria", "notes", "status", "priority",
		"issue_type", "assignee", "owner", "labels", "estimated_minutes", "external_ref", "metadata",
		"created_at", "created_by", "updated_at", "closed_at", "close_reason", "due_at", "defer_until",
		"dependencies", "comments":
		return true
	}
	return false
}

// UnmarshalJSON reads what AppendJSON writes. It is for those who ask this
// program for issues; records of other programs go through an import.
func (i *Issue) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	var read Issue
	for name, target := range map[string]any{
		"id": &read.ID, "title": &read.Title, "description": &read.Description, "design": &read.Design,
		"acceptance_criteria": &read.AcceptanceCriteria, "notes": &read.Notes, "status": &read.Status,
		"priority": &read.Priority, "issue_type": &read.Type, "assignee": &read.Assignee,
		"owner": &read.Owner, "labels": &read.Labels, "estimated_minutes": &read.EstimatedMinutes,
		"external_ref": &read.ExternalRef, "metadata": &read.Metadata, "created_at": &read.CreatedAt,
		"created_by": &read.CreatedBy, "updated_at": &read.UpdatedAt, "closed_at": &read.ClosedAt,
		"close_reason": &read.CloseReason, "due_at": &read.DueAt, "defer_until": &read.DeferUntil,
		"dependencies": &read.Dependencies, "comments": &read.Comments,
	} {
		value, ok := members[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(value, target); err != nil {
			return fmt.Errorf("issue: %s: %w", name, err)
		}
		delete(members, name)
	}
	if len(members) > 0 {
		read.Extra = members
	}
	*i = read
	return nil
}

// UnmarshalJSON reads what AppendJSON writes.
func (d *Dependency) UnmarshalJSON(data []byte) error {
	var read struct {
		To        string          `json:"depends_on_id"`
		Type      string          `json:"type"`
		CreatedAt time.Time       `json:"created_at"`
		CreatedBy string          `json:"created_by"`
		Metadata  json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*d = Dependency(read)
	return nil
}

// UnmarshalJSON reads what AppendJSON writes.
func (c *Comment) UnmarshalJSON(data []byte) error {
	var read struct {
		ID        string    `json:"id"`
		Author    string    `json:"author"`
		Text      string    `json:"text"`
		CreatedAt time.Time `json:"created_at"`
		UpdatedAt time.Time `json:"updated_at"`
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*c = Comment(read)
	return nil
}

// writer appends members; the comma depends on what is before.
type writer struct{ dst []byte }

func (w *writer) name(name string) {
	if n := len(w.dst); n > 0 && w.dst[n-1] != '{' {
		w.dst = append(w.dst, ',')
	}
	w.string(name)
	w.dst = append(w.dst, ':')
}

// string writes s; bytes that are not UTF-8 become U+FFFD, so that the result
// is JSON whatever came in.
func (w *writer) string(s string) { w.dst, _ = jsontext.AppendQuote(w.dst, s) }

func (w *writer) text(name, s string) {
	w.name(name)
	w.string(s)
}

func (w *writer) optional(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *writer) number(name string, n int) {
	w.name(name)
	w.dst = strconv.AppendInt(w.dst, int64(n), 10)
}

func (w *writer) time(name string, t time.Time) {
	w.name(name)
	w.dst = append(appendTime(append(w.dst, '"'), t), '"')
}

func (w *writer) optionalTime(name string, t time.Time) {
	if !t.IsZero() {
		w.time(name, t)
	}
}

func (w *writer) raw(name string, value json.RawMessage) {
	if len(value) > 0 {
		w.name(name)
		w.dst = append(w.dst, value...)
	}
}

func (w *writer) list(n int, element func(n int)) {
	w.dst = append(w.dst, '[')
	for k := range n {
		if k > 0 {
			w.dst = append(w.dst, ',')
		}
		element(k)
	}
	w.dst = append(w.dst, ']')
}
