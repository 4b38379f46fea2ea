package projection

import (
	_ "embed"
	"slices"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/op"
)

var (
	//go:embed queries/blocked_whole.sql
	blockedWholeSQL string
	//go:embed queries/blocked_direct.sql
	blockedDirectSQL string
	//go:embed queries/blocked_parents.sql
	blockedParentsSQL string
)

// affectedLimit is how many issues are looked at one by one before the
// readiness of all is recomputed in one statement instead.
const affectedLimit = 4096

// readiness maintains issue.blocked. An issue is live if it is visible and not
// closed. It is blocked iff it is live and either has a blocks dependency on a
// live issue or a parent (its parent-child dependency) that is live and
// blocked: the least solution, also where parents form a cycle.
//
// A change can only reach the changed issues, those that a change of liveness
// blocks or frees, and all descendants of these. In that set the values are
// forgotten and derived again from its rim.
type readiness struct {
	conn     *sqlite.Conn
	limit    int
	affected map[string]bool     // true: its liveness changed
	order    []string            // affected, in the order of finding
	known    map[string]known    // of those that were stored; see derive
	children map[string][]string // of issues that were asked for them
}

// known is what need not be asked of an issue.
type known struct {
	stored, live bool
	free         bool // it depends on nothing that could block it
}

func newReadiness(conn *sqlite.Conn, limit int) *readiness {
	return &readiness{
		conn: conn, limit: limit, affected: make(map[string]bool), known: make(map[string]known), children: make(map[string][]string),
	}
}

func live(s *op.State) bool {
	return s.Exists && !s.Deleted && s.Issue.Status != issue.StatusClosed
}

// changed notes the two states of an issue that was stored, and what its row says
// of it. Whom it blocks is asked in settle, when the dependencies of all issues are
// stored.
func (r *readiness) changed(before, after *op.State, blocked bool) {
	was, is := live(before), live(after)
	r.known[after.Issue.ID] = known{stored: blocked, live: is, free: !slices.ContainsFunc(after.Issue.Dependencies, orders)}
	switch {
	case was != is:
		r.reach(after.Issue.ID)
		r.affected[after.Issue.ID] = true
	case is && !slices.EqualFunc(before.Issue.Dependencies, after.Issue.Dependencies, sameEdge):
		r.reach(after.Issue.ID)
	}
}

func sameEdge(a, b issue.Dependency) bool { return a.To == b.To && a.Type == b.Type }

// orders reports whether a dependency can block its issue.
func orders(d issue.Dependency) bool {
	return d.Type == issue.DepBlocks || d.Type == issue.DepParentChild
}

func (r *readiness) reach(issueID string) {
	if _, known := r.affected[issueID]; !known {
		r.affected[issueID] = false
		r.order = append(r.order, issueID)
	}
}

// settle recomputes what the noted changes reach.
func (r *readiness) settle() error {
	for _, issueID := range slices.Clone(r.order) {
		if !r.affected[issueID] {
			continue
		}
		blocks, err := r.dependents(issueID)
		if err != nil {
			return err
		}
		for _, dependent := range blocks {
			r.reach(dependent)
		}
	}
	for n := 0; n < len(r.order); n++ {
		if len(r.order) > r.limit {
			return execute(r.conn, blockedWholeSQL)
		}
		children, err := r.childrenOf(r.order[n])
		if err != nil {
			return err
		}
		for _, child := range children {
			r.reach(child)
		}
	}
	return r.derive()
}

// dependents returns whom an issue blocks, and keeps its children: one statement,
// since a command pays for the making of each.
func (r *readiness) dependents(issueID string) (blocks []string, err error) {
	children := []string{}
	err = query(r.conn, "SELECT issue, type = 'blocks' FROM dependency WHERE target = ? AND type IN ('blocks', 'parent-child')",
		func(s *sqlite.Stmt) error {
			if s.ColumnBool(1) {
				blocks = append(blocks, s.ColumnText(0))
			} else {
				children = append(children, s.ColumnText(0))
			}
			return nil
		}, issueID)
	r.children[issueID] = children
	return blocks, err
}

func (r *readiness) childrenOf(issueID string) ([]string, error) {
	if children, asked := r.children[issueID]; asked {
		return children, nil
	}
	_, err := r.dependents(issueID)
	return r.children[issueID], err
}

// derive computes the affected set anew; everything outside it is right. An issue
// that was stored and is not live, or depends on nothing, is not asked for: that is
// most of them, and a command pays for the making of the statement.
func (r *readiness) derive() error {
	var (
		blocked = make(map[string]bool)
		stored  = make(map[string]bool)
		living  = make(map[string]bool)
		queue   []string
	)
	for _, issueID := range r.order {
		if k, ok := r.known[issueID]; ok && (k.free || !k.live) {
			stored[issueID], living[issueID] = k.stored, k.live
			continue
		}
		var direct, child bool
		err := query(r.conn, blockedDirectSQL, func(s *sqlite.Stmt) error {
			stored[issueID], living[issueID] = s.ColumnBool(0), s.ColumnBool(1)
			direct, child = s.ColumnBool(2), s.ColumnBool(3)
			return nil
		}, issueID)
		if err != nil {
			return err
		}
		if !living[issueID] {
			continue
		}
		seed := direct
		if child && !direct {
			if seed, err = r.inherits(issueID); err != nil {
				return err
			}
		}
		if seed {
			blocked[issueID] = true
			queue = append(queue, issueID)
		}
	}
	for len(queue) > 0 {
		children, err := r.childrenOf(queue[0])
		if err != nil {
			return err
		}
		queue = queue[1:]
		for _, child := range children {
			if living[child] && !blocked[child] {
				blocked[child] = true
				queue = append(queue, child)
			}
		}
	}
	for _, issueID := range r.order {
		if stored[issueID] == blocked[issueID] {
			continue
		}
		if err := execute(r.conn, "UPDATE issue SET blocked = ? WHERE id = ?", blocked[issueID], issueID); err != nil {
			return err
		}
	}
	return nil
}

// inherits reports whether a live affected issue is blocked through a parent
// outside the affected set.
func (r *readiness) inherits(issueID string) (bool, error) {
	parents, err := texts(r.conn, blockedParentsSQL, issueID)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(parents, func(parent string) bool {
		_, inside := r.affected[parent]
		return !inside
	}), nil
}
