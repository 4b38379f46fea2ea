package op

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"beads/internal/issue"
)

// textField is the field of that name if it is a text, and the greatest
// number of characters it may have, 0 for no limit.
func textField(is *issue.Issue, name string) (field *string, most int) {
	switch name {
	case "title":
		return &is.Title, issue.MaxTitle
	case "description":
		return &is.Description, 0
	case "design":
		return &is.Design, 0
	case "acceptance_criteria":
		return &is.AcceptanceCriteria, 0
	case "notes":
		return &is.Notes, 0
	case "close_reason":
		return &is.CloseReason, 0
	case "assignee":
		return &is.Assignee, issue.MaxShort
	case "owner":
		return &is.Owner, issue.MaxShort
	case "external_ref":
		return &is.ExternalRef, issue.MaxShort
	case "created_by":
		return &is.CreatedBy, issue.MaxShort
	}
	return nil, 0
}

// timeField is the field of that name if it is a time.
func timeField(is *issue.Issue, name string) *time.Time {
	switch name {
	case "due_at":
		return &is.DueAt
	case "defer_until":
		return &is.DeferUntil
	case "created_at":
		return &is.CreatedAt
	case "updated_at":
		return &is.UpdatedAt
	case "closed_at":
		return &is.ClosedAt
	}
	return nil
}

func importOnly(name string) bool {
	switch name {
	case "created_at", "created_by", "updated_at", "closed_at":
		return true
	}
	return false
}

// structural reports names of an issue's JSON that no value can set: they are
// changed by other members, or not at all.
func structural(name string) bool {
	switch name {
	case "id", "labels", "dependencies", "comments":
		return true
	}
	return false
}

// known reports names that mean something to this version. The other fields are
// kept as they come.
func known(is *issue.Issue, name string) bool {
	switch name {
	case "status", "issue_type", "priority", "estimated_minutes", "metadata":
		return true
	}
	text, _ := textField(is, name)
	return text != nil || timeField(is, name) != nil || structural(name)
}

// set applies the member set. Known fields are independent of each other; the
// unknown ones share one bound, so among them the order counts: those that go or
// become shorter make room for the others.
func (a *application) set(values map[string]json.RawMessage) {
	var unknown []string
	for name, value := range values {
		if known(&a.s.Issue, name) {
			a.setField(name, value)
		} else {
			unknown = append(unknown, name)
		}
	}
	slices.SortFunc(unknown, compareNames)
	longer := unknown[:0]
	for _, name := range unknown {
		if a.s.lengthens(name, values[name]) {
			longer = append(longer, name)
		} else {
			a.setField(name, values[name])
		}
	}
	for _, name := range longer {
		a.setField(name, values[name])
	}
}

// setField applies one member of set. null clears.
func (a *application) setField(name string, value json.RawMessage) {
	if len(value) == 0 {
		value = Null()
	}
	if err := a.trySet(name, value); err != nil {
		a.report(BadValue, "%s %v: %s", clip(name), err, clip(string(value)))
	}
}

func (a *application) trySet(name string, value json.RawMessage) error {
	is := &a.s.Issue
	if importOnly(name) && !a.importing {
		return errors.New("can be set by an import only")
	}
	if field, most := textField(is, name); field != nil {
		text, err := stringOf(value, most)
		if err != nil {
			return err
		}
		*field = text
		a.setAssignee = a.setAssignee || name == "assignee"
		a.setReason = a.setReason || name == "close_reason"
		return nil
	}
	if field := timeField(is, name); field != nil {
		return a.setTime(name, field, value)
	}
	switch name {
	case "status":
		return setName(&is.Status, issue.StatusOpen, value)
	case "issue_type":
		return setName(&is.Type, issue.TypeTask, value)
	case "priority":
		return setInt(&is.Priority, defaultPriority, 4, value)
	case "estimated_minutes":
		return setInt(&is.EstimatedMinutes, 0, issue.MaxEstimate, value)
	case "metadata":
		is.Metadata = nil
		if !isNull(value) {
			is.Metadata = cloneRaw(value)
		}
		return nil
	}
	if structural(name) {
		return errors.New("cannot be set")
	}
	if err := short(name, maxFieldName); err != nil {
		return fmt.Errorf("as a field name %w", err)
	}
	if isNull(value) {
		return a.s.setExtra(name, nil)
	}
	return a.s.setExtra(name, cloneRaw(value))
}

// maxFieldName is in characters.
const maxFieldName = 100

func (a *application) setTime(name string, field *time.Time, value json.RawMessage) error {
	t := noTime()
	if !isNull(value) {
		s, ok := textOf(value)
		if !ok {
			return errors.New("is not a string")
		}
		if s != "" {
			var err error
			if t, err = parseTime(s); err != nil {
				return err
			}
		}
	}
	switch name {
	case "created_at", "updated_at":
		if t.IsZero() {
			return errors.New("cannot be cleared")
		}
		a.setUpdated = a.setUpdated || name == "updated_at"
	case "closed_at":
		a.setClosed = true
	}
	*field = t
	return nil
}

func noTime() time.Time { return time.Time{} }

func isNull(value json.RawMessage) bool { return string(value) == "null" }

func stringOf(value json.RawMessage, most int) (string, error) {
	if isNull(value) {
		return "", nil
	}
	s, ok := textOf(value)
	if !ok {
		return "", errors.New("is not a string")
	}
	if most > 0 {
		return s, tooLong(s, most)
	}
	return s, nil
}

// setName sets a status or a type; cleared, it is back at its default.
func setName(field *string, byDefault string, value json.RawMessage) error {
	s, err := stringOf(value, 0)
	if err != nil {
		return err
	}
	if s == "" {
		*field = byDefault
		return nil
	}
	if err := short(s, issue.MaxName); err != nil {
		return err
	}
	if s == statusTombstone {
		return errors.New("is not a status: use delete")
	}
	*field = s
	return nil
}

// statusTombstone is how upstream records mark a deleted issue.
const statusTombstone = "tombstone"

func setInt(field *int, byDefault, most int, value json.RawMessage) error {
	if isNull(value) {
		*field = byDefault
		return nil
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return errors.New("is not a whole number")
	}
	if n < 0 || n > int64(most) {
		return fmt.Errorf("is not between 0 and %d", most)
	}
	*field = int(n)
	return nil
}

func (a *application) report(kind, format string, args ...any) {
	a.problems = append(a.problems, Problem{
		Op: a.o.ID, Issue: a.o.Issue, Kind: kind, Detail: fmt.Sprintf(format, args...),
	})
}

func (a *application) reportUnknown(where string, el *Elements) {
	for name := range el.Unknown {
		a.report(UnknownMember, "%s.%s", where, clip(name))
	}
}

func (a *application) remove(el *Elements) {
	if el == nil {
		return
	}
	is := &a.s.Issue
	is.RemoveLabels(el.Labels)
	gone := make([]issue.Dependency, 0, len(el.Deps))
	for _, d := range el.Deps {
		gone = append(gone, issue.Dependency{To: d.To, Type: d.Type})
	}
	is.RemoveDependencies(gone)
	a.reportUnknown("remove", el)
}

func (a *application) add(el *Elements) {
	if el == nil {
		return
	}
	labels := make([]string, 0, len(el.Labels))
	for _, label := range el.Labels {
		if a.mayAddLabel(label) {
			labels = append(labels, label)
		}
	}
	a.s.Issue.AddLabels(labels)
	deps := make([]issue.Dependency, 0, len(el.Deps))
	for _, d := range el.Deps {
		if !a.mayAddDependency(d) {
			continue
		}
		metadata := d.Metadata
		if metadata != nil {
			metadata = cloneRaw(metadata)
		}
		deps = append(deps, issue.Dependency{
			To: d.To, Type: d.Type, CreatedAt: a.o.At, CreatedBy: a.o.By, Metadata: metadata,
		})
	}
	a.s.Issue.AddDependencies(deps)
	a.reportUnknown("add", el)
}

func (a *application) mayAddLabel(label string) bool {
	err := short(label, issue.MaxLabel)
	if err != nil {
		a.report(BadValue, "label %v: %s", err, clip(label))
	}
	return err == nil
}

func (a *application) mayAddDependency(d Dep) bool {
	if err := short(d.To, maxIssueID); err != nil {
		a.report(BadValue, "dependency target %v: %s", err, clip(d.To))
		return false
	}
	if err := short(d.Type, issue.MaxName); err != nil {
		a.report(BadValue, "dependency type %v: %s", err, clip(d.Type))
		return false
	}
	return true
}

func (a *application) comments() {
	is, o := &a.s.Issue, a.o
	if c := o.Comment; c != nil {
		if a.s.Legacy != nil {
			// A snapshot that was exported here and read back has this comment under
			// another id, and its import may come before it: both can be of one
			// millisecond.
			copied := importedCommentID(o.Issue, o.By, issue.FormatTime(o.At), c.Text)
			is.Comments = slices.DeleteFunc(is.Comments, func(c issue.Comment) bool { return c.ID == copied })
		}
		comment := issue.Comment{ID: o.ID.String(), Author: o.By, Text: c.Text, CreatedAt: o.At}
		if a.s.Legacy != nil {
			is.AddComment(comment)
		} else {
			is.AddComments([]issue.Comment{comment}) // only a record could have brought another of its id
		}
	}
	if c := o.CommentEdit; c != nil {
		if i := is.FindComment(c.Ref); i >= 0 && is.Comments[i].Text != c.Text {
			is.Comments[i].Text, is.Comments[i].UpdatedAt = c.Text, o.At
		}
	}
	if c := o.CommentDelete; c != nil {
		if i := is.FindComment(c.Ref); i >= 0 {
			is.Comments = slices.Delete(is.Comments, i, i+1)
			if len(is.Comments) == 0 {
				is.Comments = nil
			}
		}
	}
}
