package beadsjson

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"beads/internal/issue"
	"beads/internal/op"
)

// Writer writes a snapshot.
type Writer struct {
	out *bufio.Writer
}

// NewWriter writes to w; call Flush at the end.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, 64<<10)}
}

// Flush writes what is buffered.
func (w *Writer) Flush() error { return w.out.Flush() }

// comment is a comment as upstream writes it: its id is a number, unique in the
// whole file there, but no reader relies on it.
type comment struct {
	ID        int    `json:"id"`
	IssueID   string `json:"issue_id"`
	Author    string `json:"author"`
	Text      string `json:"text"`
	CreatedAt string `json:"created_at"`
}

// tombstone are the members that a deleted issue has in addition.
type tombstone struct {
	At           string `json:"deleted_at"`
	By           string `json:"deleted_by,omitempty"`
	Reason       string `json:"delete_reason,omitempty"`
	OriginalType string `json:"original_type,omitempty"`
}

// Write writes one issue as one line.
func (w *Writer) Write(i issue.Issue) error {
	line, err := members(i)
	if err != nil {
		return err
	}
	return w.line(i.ID, line)
}

// WriteTombstone writes a deleted issue as one line. Whoever imports it deletes
// the issue, which its absence could never mean.
func (w *Writer) WriteTombstone(i issue.Issue, d op.Deletion) error {
	i.Status, i.ClosedAt = "tombstone", time.Time{}
	if d.At.After(i.UpdatedAt) {
		i.UpdatedAt = d.At // the newer record wins in upstream
	}
	line, err := members(i)
	if err != nil {
		return err
	}
	more, err := encode(tombstone{d.At.UTC().Format(time.RFC3339Nano), d.By, d.Reason, i.Type})
	if err != nil {
		return fmt.Errorf("deletion of %s as JSON: %w", i.ID, err)
	}
	return w.line(i.ID, slices.Concat(line, []byte(","), more[1:len(more)-1]))
}

// members is the issue as a JSON object that lacks its closing brace. There is
// always a member, so that a comma may follow.
func members(i issue.Issue) ([]byte, error) {
	comments := i.Comments
	i.Comments = nil
	line := i.AppendMembers([]byte("{"))
	if len(comments) == 0 {
		return line, nil
	}
	list, err := encode(numbered(i.ID, comments))
	if err != nil {
		return nil, fmt.Errorf("comments of %s as JSON: %w", i.ID, err)
	}
	return slices.Concat(line, []byte(`,"comments":`), list), nil
}

// line ends the object and writes it.
func (w *Writer) line(id string, object []byte) error {
	if _, err := w.out.Write(append(object, "}\n"...)); err != nil {
		return fmt.Errorf("writing issue %s: %w", id, err)
	}
	return nil
}

// numbered orders comments by what the format keeps of them, since their ids do
// not survive it.
func numbered(issueID string, comments []issue.Comment) []comment {
	sorted := slices.Clone(comments)
	slices.SortStableFunc(sorted, func(a, b issue.Comment) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Author, b.Author), cmp.Compare(a.Text, b.Text))
	})
	out := make([]comment, len(sorted))
	for n, c := range sorted {
		out[n] = comment{n + 1, issueID, c.Author, c.Text, c.CreatedAt.UTC().Format(time.RFC3339Nano)}
	}
	return out
}

// encode is JSON in one line without HTML escapes.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
