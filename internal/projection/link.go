package projection

import (
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
)

// Link is one edge with the issue at its other end; Issue.ID is always set,
// Visible tells whether the rest is.
type Link struct {
	Type    string
	Issue   issue.Issue // without comments, labels, dependencies
	Visible bool
}

const (
	dependenciesSQL = "SELECT " + issueColumns + dependenciesFrom

	briefDependenciesSQL = "SELECT " + briefColumns + dependenciesFrom

	dependenciesFrom = `, d.type, d.target
FROM dependency AS d
LEFT JOIN issue AS i ON i.id = d.target AND i.visible = 1
WHERE d.issue = ?
ORDER BY d.type, d.target`

	dependentsSQL = "SELECT " + issueColumns + dependentsFrom

	briefDependentsSQL = "SELECT " + briefColumns + dependentsFrom

	dependentsFrom = `, d.type, d.issue
FROM dependency AS d
JOIN issue AS i ON i.id = d.issue AND i.visible = 1
WHERE d.target = ?
ORDER BY d.type, d.issue`

	targetsSQL = `SELECT d.target FROM dependency AS d
JOIN issue AS i ON i.id = d.issue AND i.visible = 1
WHERE d.issue = ? AND d.type IN ('blocks', 'parent-child') ORDER BY d.target`

	// There are fewer dependencies than issues, as the planner cannot know.
	edgesSQL = `SELECT d.issue, d.target FROM dependency AS d
CROSS JOIN issue AS i ON i.id = d.issue AND i.visible = 1
CROSS JOIN issue AS t ON t.id = d.target AND t.visible = 1
WHERE d.type IN ('blocks', 'parent-child')`
)

// Dependencies is what id depends on, by type and id.
func (q *Query) Dependencies(id string) ([]Link, error) {
	return q.links(dependenciesSQL, id)
}

// Dependents is which visible issues depend on id, by type and id.
func (q *Query) Dependents(id string) ([]Link, error) {
	return q.links(dependentsSQL, id)
}

// BriefDependencies is Dependencies for who walks from issue to issue, or shows a
// line of each: Issue is without long texts, metadata and unknown fields. One issue
// can be at the end of very many links, and its texts can be long.
func (q *Query) BriefDependencies(id string) ([]Link, error) {
	return q.links(briefDependenciesSQL, id)
}

// BriefDependents is Dependents in the same way.
func (q *Query) BriefDependents(id string) ([]Link, error) {
	return q.links(briefDependentsSQL, id)
}

// Unabridged is a brief link with all of its issue.
func (q *Query) Unabridged(link Link) (Link, error) {
	err := query(q.conn, "SELECT "+issueColumns+" FROM issue AS i WHERE i.id = ? AND i.visible = 1", func(s *sqlite.Stmt) (err error) {
		link.Issue, err = scanIssue(s)
		return err
	}, link.Issue.ID)
	if err != nil {
		return Link{}, fmt.Errorf("read issue %s: %w", link.Issue.ID, err)
	}
	return link, nil
}

func (q *Query) links(text, id string) ([]Link, error) {
	var links []Link
	err := query(q.conn, text, func(s *sqlite.Stmt) error {
		i, err := scanIssue(s)
		if err != nil {
			return err
		}
		link := Link{Type: s.ColumnText(issueColumnCount), Issue: i, Visible: i.ID != ""}
		link.Issue.ID = s.ColumnText(issueColumnCount + 1)
		links = append(links, link)
		return nil
	}, id)
	if err != nil {
		return nil, fmt.Errorf("links of %s: %w", id, err)
	}
	return links, nil
}

// Path follows dependencies of the ordering types (blocks, parent-child)
// through visible issues and returns a shortest way from one issue to another,
// both included; nil if there is none. Where there is one, a dependency of to
// on from would close a cycle.
func (q *Query) Path(from, to string) (path []string, err error) {
	cameFrom := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			for id := to; id != ""; id = cameFrom[id] {
				path = append(path, id)
			}
			slices.Reverse(path)
			return path, nil
		}
		targets, err := texts(q.conn, targetsSQL, queue[0])
		if err != nil {
			return nil, fmt.Errorf("dependencies of %s: %w", queue[0], err)
		}
		for _, target := range targets {
			if _, seen := cameFrom[target]; !seen {
				cameFrom[target] = queue[0]
				queue = append(queue, target)
			}
		}
	}
	return nil, nil
}

// Cycles lists dependency cycles over the ordering types among visible
// issues, each from its smallest id, sorted. Every issue that is on a cycle is
// in at least one that is listed; overlapping cycles are not all listed, since
// there can be exponentially many.
func (q *Query) Cycles() ([][]string, error) {
	g := graph{number: make(map[string]int)}
	err := query(q.conn, edgesSQL, func(s *sqlite.Stmt) error {
		g.edge(s.ColumnText(0), s.ColumnText(1))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find dependency cycles: %w", err)
	}
	return g.cycles(), nil
}
