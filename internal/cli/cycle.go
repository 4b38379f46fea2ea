package cli

import (
	"strings"

	"beads/internal/issue"
	"beads/internal/projection"
)

// orders reports whether a dependency of this type orders work, so that a cycle
// of such dependencies would never become ready.
func orders(kind string) bool { return kind == issue.DepBlocks || kind == issue.DepParentChild }

// checkCycle refuses a dependency of id on to that would close a cycle.
func (a *app) checkCycle(q *projection.Query, id, to, kind string) error {
	if id == to {
		return failf("cycle", "issue %s cannot depend on itself", a.shortID(q, id))
	}
	if !orders(kind) {
		return nil
	}
	path, err := q.Path(to, id)
	if err != nil || len(path) == 0 {
		return err
	}
	names := []string{a.shortID(q, id)}
	for _, step := range path {
		names = append(names, a.shortID(q, step))
	}
	return failf("cycle", "that would make a cycle: %s", strings.Join(names, " -> ")).
		withHint("bd dep tree %s", a.shortID(q, to))
}
