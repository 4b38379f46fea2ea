package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"beads/internal/issue"
	"beads/internal/projection"
	"beads/internal/spelling"
)

// resolveAll turns what people type into whole ids, each once, in the order
// given. deleted also admits deleted issues. The first wrong one fails the
// whole, so that a command on many issues does all or nothing.
func (a *app) resolveAll(q *projection.Query, inputs []string, deleted bool) ([]string, error) {
	ids := make([]string, 0, len(inputs))
	for _, input := range inputs {
		id, err := a.resolve(q, input, deleted)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// resolve turns one typed id into a whole one. One that is not of this workspace
// and has a route ends the attempt with an elsewhere error, and the command is
// done again there; then every id must have that route, also a short one that
// would fit an issue there by chance.
func (a *app) resolve(q *projection.Query, input string, deleted bool) (string, error) {
	if input == "" {
		return "", failf("not_found", "an issue id must not be empty")
	}
	if a.routed != nil && !a.routedTo(input) {
		return "", a.routed.apart(input)
	}
	id, err := q.Resolve(input, deleted)
	var missing *projection.NotFoundError
	switch {
	case err == nil && a.routed != nil && !a.routedTo(id):
		return "", &projection.NotFoundError{Input: input}
	case a.routed == nil && errors.As(err, &missing) && !missing.Deleted:
		err = a.findRoute(q, input, err)
	}
	return id, withNearest(q, input, err)
}

// withNearest adds the nearest id to the error about one that no issue has.
func withNearest(q *projection.Query, input string, err error) error {
	var missing *projection.NotFoundError
	var routed *elsewhere
	if !errors.As(err, &missing) || missing.Deleted || errors.As(err, &routed) {
		return err
	}
	near, nearErr := nearest(q, input)
	if near == "" || nearErr != nil {
		return err
	}
	return failf("not_found", "%w", err).withHint("did you mean %s?", near)
}

// nearest is the issue whose id, cut to the length of input, differs from it in
// the fewest places, with its title; "" if it differs in more than two, or in
// half of what was typed after the prefix, or in so many that among so many issues
// some are as near by chance.
func nearest(q *projection.Query, input string) (string, error) {
	const longest = 100
	typed := strings.ToLower(input)
	own := len(typed) - strings.LastIndexByte(typed, '-') - 1
	within := min(2, own/2)
	if within <= 0 || len(typed) > longest {
		return "", nil
	}
	ids, err := q.IDs()
	if err != nil {
		return "", err
	}
	for chance(own, within)*float64(len(ids)) > 0.05 {
		if within--; within < 0 {
			return "", nil
		}
	}
	starts := make([]string, len(ids))
	for n, id := range ids {
		if strings.IndexByte(typed, '-') < 0 {
			id = id[strings.LastIndexByte(id, '-')+1:]
		}
		starts[n] = id[:min(len(id), len(typed))]
	}
	start := spelling.Nearest(typed, starts, within)
	n := slices.Index(starts, start)
	if start == "" || n < 0 {
		return "", nil
	}
	found, err := q.Issue(ids[n])
	return fmt.Sprintf("%s (%s)", ids[n], found.Title), err
}

// chance is about how likely one random id begins with something that takes at most
// changes, none to two, to be a text of length characters.
func chance(length, changes int) float64 {
	const letters = 36
	n := float64(length)
	texts := 1.0
	if changes > 0 {
		texts += n * (letters - 1)
	}
	if changes > 1 {
		texts += n*(n-1)/2*(letters-1)*(letters-1) + n*n*letters
	}
	return texts / math.Pow(letters, n)
}

// resolveGone resolves an id that may be of a deleted issue, but prefers those
// that are not, so that deleted issues do not make a short id ambiguous.
func (a *app) resolveGone(q *projection.Query, input string) (string, error) {
	id, err := a.resolve(q, input, false)
	var missing *projection.NotFoundError
	if errors.As(err, &missing) {
		return a.resolve(q, input, true)
	}
	return id, err
}

// shortID is how people see an id: abbreviated on a terminal, whole elsewhere.
// An id that cannot be abbreviated is shown whole.
func (a *app) shortID(q *projection.Query, id string) string {
	if !a.StdoutTerminal || a.json {
		return id
	}
	short, err := q.Short(id)
	if err != nil {
		return id
	}
	return short
}

// issues reads the issues of ids whole, in that order.
func issues(q *projection.Query, ids []string) ([]issue.Issue, error) {
	found := make([]issue.Issue, 0, len(ids))
	for _, id := range ids {
		i, err := q.Issue(id)
		if err != nil {
			return nil, err
		}
		found = append(found, i)
	}
	return found, nil
}
