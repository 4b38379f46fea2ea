package cli

import (
	"beads/internal/git"
	"beads/internal/workspace"
)

// actorName is who acts: --actor, BD_ACTOR, BEADS_ACTOR, the workspace's
// config.yaml, Git's user.name, the login name.
func (a *app) actorName(place workspace.Place) string {
	for _, name := range []string{a.actor, a.Getenv("BD_ACTOR"), a.Getenv("BEADS_ACTOR"), a.configValue(place, "actor")} {
		if name != "" {
			return name
		}
	}
	if name := git.UserName(place.GitDir, place.CommonDir, a.Home, a.Getenv); name != "" {
		return name
	}
	if name := a.Login(); name != "" {
		return name
	}
	return "unknown"
}
