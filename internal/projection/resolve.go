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

func (q *Query) resolveSpelling(spelling, input string, deleted bool, settings op.Settings) (string, error) {
	if spelling == "" {
		return "", &NotFoundError{Input: input}
	}
	hidden := false
	exact := func(id string) (bool, error) {
		found, isDeleted, err := q.existing(id)
		hidden = hidden || isDeleted
		return found && (deleted || !isDeleted), err
	}
	if ok, err := exact(spelling); ok || err != nil {
		return spelling, err
	}
	prefixes := append([]string{settings.Prefix()}, settings.Aliases()...)
	completed := make([]string, 0, len(prefixes))
	for _, prefix := range prefixes {
		whole := prefix + "-" + spelling
		if ok, err := exact(whole); err != nil {
			return "", err
		} else if ok {
			completed = append(completed, whole)
		}
	}
	if len(completed) > 0 {
		return q.choose(input, completed, nil, deleted)
	}
	if hidden {
		return "", &NotFoundError{Input: input, Deleted: true}
	}
	if longEnough(spelling, prefixes) {
		id, err := q.choose(input, nil, []string{spelling}, deleted)
		if !isNotFound(err) {
			return id, err
		}
		hidden = deletedOnly(err)
	}
	var starts []string
	if len(spelling) >= leastShort {
		for _, prefix := range prefixes {
			starts = append(starts, prefix+"-"+spelling)
		}
	}
	id, err := q.choose(input, nil, starts, deleted)
	if hidden && isNotFound(err) {
		err = &NotFoundError{Input: input, Deleted: true}
	}
	return id, err
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

// choose returns the only issue among whole ids and the ids with one of the
// starts.
func (q *Query) choose(input string, whole, starts []string, deleted bool) (string, error) {
	hidden := false
	var candidates []Candidate
	seen := make(map[string]bool)
	total := 0
	for _, id := range whole {
		if !seen[id] {
			seen[id] = true
			total++
			candidates = append(candidates, Candidate{ID: id})
		}
	}
	for _, start := range starts {
		err := query(q.conn, "SELECT id, visible FROM issue WHERE id >= ? AND id < ? AND existing = 1 ORDER BY id",
			func(s *sqlite.Stmt) error {
				if !deleted && !s.ColumnBool(1) {
					hidden = true
					return nil
				}
				id := s.ColumnText(0)
				if seen[id] {
					return nil
				}
				total++
				if len(candidates) < mostListed {
					seen[id] = true
					candidates = append(candidates, Candidate{ID: id})
				}
				return nil
			}, start, start+"\xff")
		if err != nil {
			return "", err
		}
	}
	switch total {
	case 0:
		return "", &NotFoundError{Input: input, Deleted: hidden}
	case 1:
		return candidates[0].ID, nil
	}
	for n := range candidates {
		c := &candidates[n]
		titles, err := texts(q.conn, "SELECT title FROM issue WHERE id = ?", c.ID)
		if err != nil {
			return "", err
		}
		c.Title = strings.Join(titles, "")
		if c.Short, err = q.Short(c.ID); err != nil {
			return "", err
		}
	}
	return "", &AmbiguousError{Input: input, Candidates: candidates, Total: total}
}

// existing asks for an exact id.
func (q *Query) existing(id string) (found, deleted bool, err error) {
	err = query(q.conn, "SELECT deleted FROM issue WHERE id = ? AND existing = 1", func(s *sqlite.Stmt) error {
		found, deleted = true, s.ColumnBool(0)
		return nil
	}, id)
	return found, deleted, err
}

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
