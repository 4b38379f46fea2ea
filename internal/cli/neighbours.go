package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"beads/internal/fleet"
	"beads/internal/workspace"
)

// neighbours are the other daemons that serve the project of the workspace at
// place. They are worth a line, never a failure.
func (a *app) neighbours(ctx context.Context, place workspace.Place) []fleet.Neighbour {
	found, err := a.fleet().Neighbours(ctx, place, a.Getenv)
	if err != nil {
		a.notice(fmt.Sprintf("other daemons cannot be seen: %v", err))
	}
	return list(found)
}

// neighbourText is one of them, in a line.
func neighbourText(n fleet.Neighbour) string {
	var facts []string
	if n.PID != 0 {
		facts = append(facts, "PID "+strconv.Itoa(n.PID))
	}
	switch {
	case n.Upstream:
		facts = append(facts, strings.TrimSpace("upstream beads "+n.Version))
	case n.Version != "" && n.Version != version:
		facts = append(facts, "version "+n.Version)
	}
	if len(facts) == 0 {
		return n.Workspace
	}
	return n.Workspace + " (" + strings.Join(facts, ", ") + ")"
}

// neighbours says which other daemons work for this project. That is as it
// should be in clones, and worth knowing.
func (d *doctor) neighbours(found []fleet.Neighbour) {
	if len(found) == 0 {
		d.add("neighbours", checkOK, "", "no other daemon serves this project on this machine")
		return
	}
	var texts []string
	for _, n := range found {
		texts = append(texts, neighbourText(n))
	}
	d.add("neighbours", checkOK, "", "%s this project too: %s",
		plural(len(found), "daemon serves", "daemons serve"), strings.Join(texts, "; "))
}

// pidText is a PID for people.
func pidText(pid int) string {
	if pid == 0 {
		return "-"
	}
	return strconv.Itoa(pid)
}
