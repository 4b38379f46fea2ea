package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"beads/internal/issue"
)

// snapshot is an upstream record taken apart. What means "nothing" (null, "",
// the zero time) is not in it.
type snapshot struct {
	fields    []recordField      // by name
	labels    []string           // sorted
	deps      []issue.Dependency // sorted, each target and type once
	comments  []issue.Comment    // in the order of the record
	tombstone bool
}

// recordField is a member of a record that set could carry. Its value is as in
// the record: perhaps a bad one.
type recordField struct {
	name  string
	value json.RawMessage
}

func (s *snapshot) field(name string) json.RawMessage {
	at, found := slices.BinarySearchFunc(s.fields, name, func(f recordField, name string) int {
		return strings.Compare(f.name, name)
	})
	if !found {
		return nil
	}
	return s.fields[at].value
}

// sort makes records comparable: one of 1 MiB has tens of thousands of elements,
// and must not cost their square.
func (s *snapshot) sort() {
	slices.SortFunc(s.fields, func(a, b recordField) int { return strings.Compare(a.name, b.name) })
	slices.Sort(s.labels)
	slices.SortStableFunc(s.deps, issue.CompareDependencies)
	s.deps = slices.CompactFunc(s.deps, func(a, b issue.Dependency) bool { return issue.CompareDependencies(a, b) == 0 })
}

// legacy applies an upstream record: whole if it is the issue's first, else
// only where it differs from the previous one. A stale snapshot that is
// imported late can therefore not undo what happened here.
func (a *application) legacy() {
	s, o := a.s, a.o
	t := taking{a: a, report: true}
	next, err := t.takeApart(o.Legacy)
	if err != nil {
		a.report(BadValue, "legacy record %v", err)
		return
	}
	var prev snapshot
	if s.Legacy != nil {
		t.report = false // it was when that record was applied
		if prev, err = t.takeApart(s.Legacy); err != nil {
			prev = snapshot{}
		}
	}
	a.legacyFields(prev, next)
	s.Issue.RemoveLabels(without(prev.labels, next.labels, strings.Compare))
	s.Issue.AddLabels(without(next.labels, prev.labels, strings.Compare))
	s.Issue.RemoveDependencies(without(prev.deps, next.deps, issue.CompareDependencies))
	s.Issue.AddDependencies(without(next.deps, prev.deps, issue.CompareDependencies))
	a.legacyComments(prev.comments, next.comments)
	if next.tombstone && !prev.tombstone {
		s.Deleted = true
	}
	s.Legacy = slices.Clone(o.Legacy)
}

func (a *application) legacyFields(prev, next snapshot) {
	defer func(before bool) { a.importing = before }(a.importing)
	a.importing = true
	changed := map[string]json.RawMessage{}
	for _, f := range next.fields {
		if !sameValue(f.name, prev.field(f.name), f.value) {
			changed[f.name] = f.value
		}
	}
	for _, f := range prev.fields {
		switch {
		case next.field(f.name) != nil: // also with a bad value: that does not clear
		case f.name == "created_at", f.name == "updated_at": // every issue has them
		case f.name == "status" && next.tombstone:
		default:
			changed[f.name] = Null()
		}
	}
	a.set(changed)
	// A record can change and keep its updated_at. The time of this import
	// is then no reason to go back behind a later one.
	if !a.setUpdated && a.o.At.Before(a.s.Issue.UpdatedAt) {
		a.setUpdated = true
	}
}

// sameValue compares two values of a field; times are equal in any zone.
func sameValue(name string, a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var scratch issue.Issue
	if timeField(&scratch, name) == nil {
		return false
	}
	textA, okA := textOf(a)
	textB, okB := textOf(b)
	if !okA || !okB {
		return false
	}
	timeA, errA := parseTime(textA)
	timeB, errB := parseTime(textB)
	return errA == nil && errB == nil && timeA.Equal(timeB)
}

// without are the elements of all that others, which are sorted, lack.
func without[E any](all, others []E, compare func(a, b E) int) []E {
	var rest []E
	for _, e := range all {
		if _, found := slices.BinarySearchFunc(others, e, compare); !found {
			rest = append(rest, e)
		}
	}
	return rest
}

// legacyComments adds those of a record that neither the previous one nor the issue
// has.
func (a *application) legacyComments(prev, next []issue.Comment) {
	if len(next) == 0 {
		return
	}
	held := commentSet{ids: map[string]bool{}, contents: map[commentContent]bool{}}
	for _, c := range slices.Concat(prev, a.s.Issue.Comments) {
		held.add(c)
	}
	var news []issue.Comment
	for _, c := range next {
		if !held.has(c) {
			held.add(c)
			news = append(news, c)
		}
	}
	a.s.Issue.AddComments(news)
}

// commentSet knows comments by id, and by content where another program gave
// another id.
type commentSet struct {
	ids      map[string]bool
	contents map[commentContent]bool
}

type commentContent struct {
	author, text string
	created      int64 // microseconds
}

func contentOf(c issue.Comment) commentContent {
	return commentContent{c.Author, c.Text, c.CreatedAt.UnixMicro()}
}

func (s *commentSet) add(c issue.Comment) { s.ids[c.ID], s.contents[contentOf(c)] = true, true }

func (s *commentSet) has(c issue.Comment) bool { return s.ids[c.ID] || s.contents[contentOf(c)] }

// taking takes records apart.
type taking struct {
	a      *application
	report bool // bad elements are reported
	d      Decoder
	out    snapshot
}

func (t *taking) takeApart(record json.RawMessage) (snapshot, error) {
	t.out = snapshot{fields: make([]recordField, 0, 16)}
	t.d.reset(record)
	var id string
	var originalType json.RawMessage
	err := t.d.items("record", '{', func() error {
		name, err := t.d.fieldName()
		if err != nil {
			return err
		}
		switch name {
		case "labels":
			return t.list(name, t.label)
		case "dependencies":
			return t.list(name, t.dependency)
		case "comments":
			return t.list(name, t.comment)
		}
		value, err := t.d.value()
		switch {
		case err != nil:
			return err
		case meansNone(value):
		case name == "id":
			id, _ = textOf(value)
		case name == "original_type":
			originalType = value
		case name == "deleted_at", name == "deleted_by", name == "delete_reason":
		case name == "status" && string(value) == `"`+statusTombstone+`"`:
			t.out.tombstone = true
		default:
			t.out.fields = append(t.out.fields, recordField{name, value})
		}
		return nil
	})
	switch {
	case err != nil:
		return snapshot{}, err
	case id != t.a.o.Issue:
		return snapshot{}, errors.New("is of another issue")
	}
	if t.out.tombstone && originalType != nil {
		t.out.fields = slices.DeleteFunc(t.out.fields, func(f recordField) bool { return f.name == "issue_type" })
		t.out.fields = append(t.out.fields, recordField{"issue_type", originalType})
	}
	t.out.sort()
	return t.out, nil
}

// meansNone reports values with which upstream says that there is no value.
func meansNone(value json.RawMessage) bool {
	switch string(value) {
	case "null", `""`, `"0001-01-01T00:00:00Z"`:
		return true
	}
	return false
}

func (t *taking) ignore(format string, args ...any) {
	if t.report {
		t.a.report(BadValue, format, args...)
	}
}

// list reads an array with one call of fn for each element, which fn consumes.
func (t *taking) list(name string, fn func() error) error {
	if t.d.json.PeekKind() == '[' {
		return t.d.items(name, '[', fn)
	}
	value, err := t.d.value()
	if err == nil && !meansNone(value) {
		t.ignore("%s is not an array: %s", name, clip(string(value)))
	}
	return err
}

func (t *taking) label() error {
	value, err := t.d.value()
	if err != nil {
		return err
	}
	label, ok := textOf(value)
	if err := short(label, issue.MaxLabel); !ok || err != nil {
		t.ignore("label of a record: %s", clip(string(value)))
		return nil
	}
	t.out.labels = append(t.out.labels, label)
	return nil
}

// element is a dependency or a comment of a record.
type element struct {
	id, author, text, created, updated, to, kind, by string
	metadata                                         json.RawMessage
}

// element reads one; ok is false when it is no object.
func (t *taking) element() (e element, ok bool, err error) {
	if t.d.json.PeekKind() != '{' {
		_, err := t.d.value()
		return e, false, err
	}
	err = t.d.items("element", '{', func() error {
		name, err := t.d.fieldName()
		if err != nil {
			return err
		}
		value, err := t.d.value()
		if err != nil || meansNone(value) {
			return err
		}
		text, _ := textOf(value)
		switch name {
		case "id":
			e.id = text
		case "author":
			e.author = text
		case "text":
			e.text = text
		case "created_at":
			e.created = text
		case "updated_at":
			e.updated = text
		case "depends_on_id":
			e.to = text
		case "type":
			e.kind = text
		case "created_by":
			e.by = text
		case "metadata":
			e.metadata = cloneRaw(value)
		}
		return nil
	})
	return e, true, err
}

func (t *taking) dependency() error {
	e, ok, err := t.element()
	if err != nil {
		return err
	}
	if e.kind == "" {
		e.kind = issue.DepBlocks
	}
	if !ok || short(e.to, maxIssueID) != nil || short(e.kind, issue.MaxName) != nil {
		t.ignore("dependency of a record on %q of type %q", clip(e.to), clip(e.kind))
		return nil
	}
	d := issue.Dependency{To: e.to, Type: e.kind, CreatedAt: t.timeOr(e.created), CreatedBy: e.by, Metadata: e.metadata}
	t.out.deps = append(t.out.deps, d)
	return nil
}

func (t *taking) comment() error {
	e, ok, err := t.element()
	if err != nil {
		return err
	}
	if !ok || e.text == "" {
		t.ignore("comment of a record without text, by %q", clip(e.author))
		return nil
	}
	c := issue.Comment{ID: e.id, Author: e.author, Text: e.text, CreatedAt: t.timeOr(e.created)}
	if e.updated != "" {
		c.UpdatedAt, _ = parseTime(e.updated) // zero, never edited, if it is no time
	}
	if !isCommentID(c.ID) {
		created := ""
		if e.created != "" {
			created = issue.FormatTime(c.CreatedAt)
		}
		c.ID = importedCommentID(t.a.o.Issue, c.Author, created, c.Text)
	}
	t.out.comments = append(t.out.comments, c)
	return nil
}

// isCommentID reports whether id is one that this program gives to comments.
// Records that it exported keep theirs, so that a comment is recognised also
// after it was edited.
func isCommentID(id string) bool {
	if len(id) != 2*importedIDBytes {
		return false
	}
	if _, err := ParseID(id); err == nil {
		return true
	}
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}

// timeOr reads a time of a record's element; without one it is the import's.
func (t *taking) timeOr(s string) time.Time {
	at, err := parseTime(s)
	if err != nil {
		return t.a.o.At
	}
	return at
}
