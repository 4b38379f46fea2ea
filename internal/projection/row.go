package projection

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/op"
)

// noTime is how a column that is not null stores the zero time.
var noTime = time.Time{}.UnixMicro()

func micros(t time.Time) int64 { return t.UnixMicro() }

// microsOrNull is for columns whose index leaves out issues without a value.
func microsOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func columnTime(s *sqlite.Stmt, column int) time.Time {
	if s.ColumnIsNull(column) {
		return time.Time{}
	}
	n := s.ColumnInt64(column)
	if n == noTime {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func rawOrNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return string(raw)
}

// stateColumns are the columns of table issue that hold an op.State, in the
// order of stateValues and scanState. visible and blocked are derived.
var stateColumns = [...]string{
	"existing", "deleted", "visible", "status", "priority", "issue_type", "assignee", "owner", "estimated_minutes",
	"external_ref", "created_at", "updated_at", "closed_at", "due_at", "defer_until", "created_by",
	"title", "labels", "close_reason", "metadata", "extra", "description", "design", "acceptance_criteria", "notes",
	"last_op", "holder_op", "holder_seen", "holder_session", "legacy",
}

// issueColumns is the head of a SELECT over issue that scanIssue reads.
const issueColumns = `i.id, i.status, i.priority, i.issue_type, i.assignee, i.owner, i.estimated_minutes,
  i.external_ref, i.created_at, i.updated_at, i.closed_at, i.due_at, i.defer_until, i.created_by,
  i.title, i.close_reason, i.metadata, i.extra, i.description, i.design, i.acceptance_criteria, i.notes`

// labelledColumns are issueColumns with the labels, which scanLabelled reads.
const labelledColumns = issueColumns + `, i.labels`

// headColumns are what scanHead reads. issue_live_index has them all.
const headColumns = `i.id, i.status, i.priority, i.issue_type, i.assignee, i.title, i.labels`

// briefColumns are issueColumns without what may be long.
const briefColumns = `i.id, i.status, i.priority, i.issue_type, i.assignee, i.owner, i.estimated_minutes,
  i.external_ref, i.created_at, i.updated_at, i.closed_at, i.due_at, i.defer_until, i.created_by,
  i.title, '', NULL, NULL, '', '', '', ''`

// How many columns these have.
const (
	issueColumnCount    = 22
	labelledColumnCount = issueColumnCount + 1
	headColumnCount     = 7
)

// stateValues are the values of stateColumns. They compare with ==.
func stateValues(s *op.State) [len(stateColumns)]any {
	i := &s.Issue
	return [...]any{
		s.Exists, s.Deleted, s.Exists && !s.Deleted, i.Status, int64(i.Priority), i.Type, textOrNull(i.Assignee), i.Owner,
		int64(i.EstimatedMinutes), textOrNull(i.ExternalRef), micros(i.CreatedAt), micros(i.UpdatedAt),
		microsOrNull(i.ClosedAt), microsOrNull(i.DueAt), microsOrNull(i.DeferUntil), i.CreatedBy,
		i.Title, encodeLabels(i.Labels), i.CloseReason, rawOrNull(i.Metadata), encodeExtra(i.Extra), i.Description, i.Design, i.AcceptanceCriteria, i.Notes,
		s.Last, s.HolderOp, s.HolderSeen, s.HolderSession, rawOrNull(s.Legacy),
	}
}

// scanIssue reads issueColumns.
func scanIssue(s *sqlite.Stmt) (issue.Issue, error) {
	extra, err := decodeExtra(s.ColumnText(17))
	if err != nil {
		return issue.Issue{}, fmt.Errorf("%w: extra fields of %s: %w", ErrCorrupt, s.ColumnText(0), err)
	}
	return issue.Issue{
		ID:                 s.ColumnText(0),
		Status:             s.ColumnText(1),
		Priority:           s.ColumnInt(2),
		Type:               s.ColumnText(3),
		Assignee:           s.ColumnText(4),
		Owner:              s.ColumnText(5),
		EstimatedMinutes:   s.ColumnInt(6),
		ExternalRef:        s.ColumnText(7),
		CreatedAt:          columnTime(s, 8),
		UpdatedAt:          columnTime(s, 9),
		ClosedAt:           columnTime(s, 10),
		DueAt:              columnTime(s, 11),
		DeferUntil:         columnTime(s, 12),
		CreatedBy:          s.ColumnText(13),
		Title:              s.ColumnText(14),
		CloseReason:        s.ColumnText(15),
		Metadata:           columnBlob(s, 16),
		Extra:              extra,
		Description:        s.ColumnText(18),
		Design:             s.ColumnText(19),
		AcceptanceCriteria: s.ColumnText(20),
		Notes:              s.ColumnText(21),
	}, nil
}

// scanLabelled reads labelledColumns.
func scanLabelled(s *sqlite.Stmt) (issue.Issue, error) {
	i, err := scanIssue(s)
	if err == nil {
		i.Labels, err = scanLabels(s, issueColumnCount, i.ID)
	}
	return i, err
}

// scanHead reads headColumns.
func scanHead(s *sqlite.Stmt) (issue.Issue, error) {
	i := issue.Issue{
		ID:       s.ColumnText(0),
		Status:   s.ColumnText(1),
		Priority: s.ColumnInt(2),
		Type:     s.ColumnText(3),
		Assignee: s.ColumnText(4),
		Title:    s.ColumnText(5),
	}
	var err error
	i.Labels, err = scanLabels(s, 6, i.ID)
	return i, err
}

func scanLabels(s *sqlite.Stmt, column int, issueID string) ([]string, error) {
	if s.ColumnIsNull(column) {
		return nil, nil
	}
	var labels []string
	if err := json.Unmarshal([]byte(s.ColumnText(column)), &labels); err != nil {
		return nil, fmt.Errorf("%w: labels of %s: %w", ErrCorrupt, issueID, err)
	}
	return labels, nil
}

// scanState reads labelledColumns and then existing, deleted, last_op, holder_op,
// holder_seen, holder_session, legacy.
func scanState(s *sqlite.Stmt) (op.State, error) {
	i, err := scanLabelled(s)
	if err != nil {
		return op.State{}, err
	}
	const next = labelledColumnCount
	return op.State{
		Issue:         i,
		Exists:        s.ColumnBool(next),
		Deleted:       s.ColumnBool(next + 1),
		Last:          columnID(s, next+2),
		HolderOp:      columnID(s, next+3),
		HolderSeen:    columnID(s, next+4),
		HolderSession: s.ColumnText(next + 5),
		Legacy:        columnBlob(s, next+6),
	}, nil
}

// encodeLabels writes labels as a sorted JSON array. Null if there are none.
func encodeLabels(labels []string) any {
	if len(labels) == 0 {
		return nil
	}
	if !slices.IsSorted(labels) {
		labels = slices.Sorted(slices.Values(labels))
	}
	return jsonList(labels)
}

// encodeExtra writes the unknown fields as one JSON object with sorted names;
// the values keep their bytes. Null if there are none.
func encodeExtra(extra map[string]json.RawMessage) any {
	if len(extra) == 0 {
		return nil
	}
	names := make([]string, 0, len(extra))
	for name := range extra {
		names = append(names, name)
	}
	slices.Sort(names)
	b := []byte{'{'}
	for n, name := range names {
		if n > 0 {
			b = append(b, ',')
		}
		// Names were read from JSON: they are valid UTF-8, the only thing
		// that AppendQuote refuses.
		b, _ = jsontext.AppendQuote(b, name)
		b = append(b, ':')
		b = append(b, extra[name]...)
	}
	return string(append(b, '}'))
}

func decodeExtra(text string) (map[string]json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	d := jsontext.NewDecoder(strings.NewReader(text))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	extra := make(map[string]json.RawMessage)
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		extra[key] = json.RawMessage(value.Clone())
	}
	_, err := d.ReadToken()
	return extra, err
}
