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
)

// Writer writes a snapshot.
type Writer struct {
	out   *bufio.Writer
	count int
}

// NewWriter writes to w; call Flush at the end.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, 64<<10)}
}

// Count is the number of issues written.
func (w *Writer) Count() int { return w.count }

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

// Write writes one issue as one line.
func (w *Writer) Write(i issue.Issue) error {
	comments := i.Comments
	i.Comments = nil
	line := i.AppendJSON(nil)
	if len(comments) > 0 {
		list, err := encode(numbered(i.ID, comments))
		if err != nil {
			return fmt.Errorf("comments of %s as JSON: %w", i.ID, err)
		}
		// An issue always has members, so a comma follows the last of them.
		line = slices.Concat(line[:len(line)-1], []byte(`,"comments":`), list, []byte("}"))
	}
	w.count++
	if _, err := w.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing issue %s: %w", i.ID, err)
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
