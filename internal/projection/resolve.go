package projection

import (
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// Rules of log-format.md, "Issue ids".
const (
	leastShort    = 4  // characters after the dash that an abbreviation has at least
	generatedPart = 10 // base36 characters of a generated id
	mostListed    = 10 // candidates that an ambiguous abbreviation names
)

// AmbiguousError says that an abbreviation fits several issues.
type AmbiguousError struct {
	Input      string
	Candidates []Candidate // at most 10, by id
	Total      int
}

// Candidate is one of them.
type Candidate struct{ ID, Short, Title string }

func (e *AmbiguousError) Error() string {
	shorts := make([]string, len(e.Candidates))
	for n, c := range e.Candidates {
		shorts[n] = c.Short
	}
	more := ""
	if e.Total > len(e.Candidates) {
		more = fmt.Sprintf(" and %d more", e.Total-len(e.Candidates))
	}
	return fmt.Sprintf("issue %q is ambiguous: %s%s", e.Input, strings.Join(shorts, ", "), more)
}

// Resolve turns what a person typed into a whole id: an exact id, else a
// unique prefix of at least 4 characters after the dash, also without the
// tracker's prefix (or one of its aliases); as typed, then in lower case.
// deleted also admits deleted issues. Fails with *NotFoundError or
// *AmbiguousError.
func (q *Query) Resolve(input string, deleted bool) (string, error) {
	settings, err := q.Settings()
	if err != nil {
		return "", err
	}
	spellings := []string{input}
	if lower := strings.ToLower(input); lower != input {
		spellings = append(spellings, lower)
	}
	hidden := false
	for _, spelling := range spellings {
		id, err := q.resolveSpelling(spelling, input, deleted, settings)
		if err == nil {
			return id, nil
		}
		if !isNotFound(err) {
			return "", err
		}
		hidden = hidden || deletedOnly(err)
	}
	return "", &NotFoundError{Input: input, Deleted: hidden}
}

// resolveSpelling tries one spelling in the order in which a reading wins: the
// whole id, the start of an id, then both again after the tracker's prefixes.
func (q *Query) resolveSpelling(spelling, input string, deleted bool, settings op.Settings) (string, error) {
	if spelling == "" {
		return "", &NotFoundError{Input: input}
	}
	prefixes := append([]string{settings.Prefix()}, settings.Aliases()...)
	if id, err := q.choose(input, []string{spelling}, nil, deleted); !isNotFound(err) || deletedOnly(err) {
		return id, err
	}
	hidden := false
	if longEnough(spelling, prefixes) {
		id, err := q.choose(input, nil, []string{spelling}, deleted)
		if !isNotFound(err) {
			return id, err
		}
		hidden = deletedOnly(err)
	}
	completed := make([]string, len(prefixes))
	for n, prefix := range prefixes {
		completed[n] = prefix + "-" + spelling
	}
	if id, err := q.choose(input, completed, nil, deleted); !isNotFound(err) || deletedOnly(err) {
		return id, err
	}
	if len(spelling) >= leastShort {
		id, err := q.choose(input, nil, completed, deleted)
		if !isNotFound(err) {
			return id, err
		}
		hidden = hidden || deletedOnly(err)
	}
	return "", &NotFoundError{Input: input, Deleted: hidden}
}

// longEnough reports whether a start of an id has 4 characters after the dash
// that ends its prefix: a known prefix, else all before the last dash.
func longEnough(start string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(start, prefix+"-"); ok {
			return len(rest) >= leastShort
		}
	}
	dash := strings.LastIndexByte(start, '-')
	return dash >= 0 && len(start)-dash-1 >= leastShort
}

// choose returns the only issue that has one of the whole ids or one of the
// starts.
func (q *Query) choose(input string, whole, starts []string, deleted bool) (string, error) {
	var (
		candidates []Candidate
		seen       = make(map[string]bool)
		total      int
		hidden     bool
	)
	consider := func(s *sqlite.Stmt) error {
		id, title, isDeleted := s.ColumnText(0), s.ColumnText(1), s.ColumnBool(2)
		switch {
		case isDeleted && !deleted:
			hidden = true
		case !seen[id]:
			seen[id] = true
			total++
			if len(candidates) < mostListed {
				candidates = append(candidates, Candidate{ID: id, Title: title})
			}
		}
		return nil
	}
	for _, id := range whole {
		err := query(q.conn, "SELECT id, title, deleted FROM issue WHERE id = ? AND existing = 1", consider, id)
		if err != nil {
			return "", fmt.Errorf("look up issue %q: %w", input, err)
		}
	}
	for _, start := range starts {
		// No text has the byte 0xff: it is above whatever may follow.
		err := query(q.conn, startSQL, consider, start, start+"\xff")
		if err != nil {
			return "", fmt.Errorf("look up issue %q: %w", input, err)
		}
	}
	switch total {
	case 0:
		return "", &NotFoundError{Input: input, Deleted: hidden}
	case 1:
		return candidates[0].ID, nil
	}
	for n := range candidates {
		var err error
		if candidates[n].Short, err = q.Short(candidates[n].ID); err != nil {
			return "", err
		}
	}
	return "", &AmbiguousError{Input: input, Candidates: candidates, Total: total}
}

const startSQL = "SELECT id, title, deleted FROM issue WHERE id >= ? AND id < ? AND existing = 1 ORDER BY id"

// Short is the abbreviation shown to people: only ids with a generated
// 10-character part are shortened; unique among all existing issues, deleted
// ones included; at least 4 characters after the dash.
func (q *Query) Short(id string) (string, error) {
	dash := strings.LastIndexByte(id, '-')
	if dash < 0 || !generated(id[dash+1:]) {
		return id, nil
	}
	length := dash + 1 + leastShort
	for _, neighbour := range []string{
		"SELECT id FROM issue WHERE id < ? AND existing = 1 ORDER BY id DESC LIMIT 1",
		"SELECT id FROM issue WHERE id > ? AND existing = 1 ORDER BY id LIMIT 1",
	} {
		others, err := texts(q.conn, neighbour, id)
		if err != nil {
			return "", fmt.Errorf("abbreviate %s: %w", id, err)
		}
		for _, other := range others {
			length = max(length, commonPrefix(id, other)+1)
		}
	}
	return id[:min(length, len(id))], nil
}

// IDs are the ids of all visible issues, in order.
func (q *Query) IDs() ([]string, error) {
	ids, err := texts(q.conn, "SELECT id FROM issue WHERE existing = 1 AND deleted = 0 ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("list ids: %w", err)
	}
	return ids, nil
}

// generated reports whether the part of an id after its last dash looks like
// one that was made here.
func generated(part string) bool {
	if len(part) != generatedPart {
		return false
	}
	for _, c := range []byte(part) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
