package cli

import (
	"beads/internal/git"
	"beads/internal/issue"
	"beads/internal/workspace"
)

// actorName is who acts: --actor, BD_ACTOR, BEADS_ACTOR, the workspace's
// config.yaml, Git's user.name, the login name.
func (a *app) actorName(place workspace.Place) string {
	if a.actor != "" {
		return a.actor
	}
	if a.actorAt != place.Dir || a.actorKnown == "" {
		a.actorAt, a.actorKnown = place.Dir, a.findActor(place)
	}
	return a.actorKnown
}

func (a *app) findActor(place workspace.Place) string {
	for _, name := range []string{a.Getenv("BD_ACTOR"), a.Getenv("BEADS_ACTOR"), a.configValue(place, "actor")} {
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

// checkActor refuses a name of who acts, or of the session, that no operation can
// carry. The error would else be about an operation that nobody has seen.
func (a *app) checkActor(place workspace.Place) error {
	err := issue.ValidateActor("actor", a.actorName(place))
	if err == nil {
		err = issue.ValidateActor("BD_SESSION", a.Getenv("BD_SESSION"))
	}
	if err != nil {
		return invalid(err)
	}
	return nil
}
