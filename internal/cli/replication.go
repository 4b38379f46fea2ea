package cli

import (
	"context"
	"fmt"
	"strings"

	"beads/internal/replica"
	"beads/internal/workspace"
)

// replica is the replication of an open workspace. Making one asks nobody and
// runs nothing.
func (a *app) replica(w *workspace.Workspace) *replica.Replica {
	place := w.Place()
	return replica.New(w, replica.NewRunner(place, a.Environ, a.Home), replica.Options{
		Ref:          a.configValue(place, "git.ref"),
		Remote:       a.configValue(place, "git.remote"),
		Interactions: a.configBool(place, "interactions.replicate"),
		Now:          a.Now,
		Rand:         a.Rand,
		Command:      "bd " + a.command,
		LockTimeout:  a.lockTimeout,
		Notice:       a.notice,
		Progress:     a.progress(),
	})
}

// archive lets a database that is built anew draw on the local Git ref too.
func (a *app) archive(place workspace.Place) func(yield func(line []byte) error) error {
	return replica.Archive(context.Background(), replica.NewRunner(place, a.Environ, a.Home))
}

// movedText says what a step of replication moved, "" if nothing.
func movedText(r replica.Report) string {
	parts := movedParts(replica.Moved{Published: r.Published, Fetched: r.Fetched, Restored: r.Restored, Pushed: r.Pushed})
	if r.Quarantined > 0 {
		parts = append(parts, fmt.Sprintf("%d quarantined", r.Quarantined))
	}
	if r.Consolidated > 0 {
		parts = append(parts, plural(int64(r.Consolidated), "old file", "old files")+" made fewer")
	}
	if r.Repaired {
		parts = append(parts, "our ref was damaged and made again")
	}
	var lines []string
	if len(parts) > 0 {
		lines = append(lines, "Operations: "+strings.Join(parts, ", ")+".")
	}
	if r.Interactions != nil {
		if parts := movedParts(*r.Interactions); len(parts) > 0 {
			lines = append(lines, "Interactions: "+strings.Join(parts, ", ")+".")
		}
	}
	return strings.Join(lines, "\n")
}

func movedParts(m replica.Moved) []string {
	var parts []string
	for _, part := range []struct {
		n    int64
		what string
	}{
		{int64(m.Fetched), "fetched"}, {int64(m.Restored), "restored from Git"}, {int64(m.Published), "published"}, {m.Pushed, "pushed"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return parts
}

// sharingText says with whom the operations are shared and what is not shared.
func sharingText(remote *workspace.Remote, unshared int64) string {
	if remote == nil {
		return plural(unshared, "operation is", "operations are") + " in this clone only. To share: bd sync --publish"
	}
	text := fmt.Sprintf("Shared with %s (%s)", visible(remote.Name), visible(remote.URL))
	if unshared > 0 {
		text += ", " + plural(unshared, "operation is", "operations are") + " not there yet"
	}
	return text + "."
}

// lostText tells a person that a claim was lost, and to whom.
func lostText(l workspace.LostClaim) string {
	text := fmt.Sprintf("claim lost: %s", visible(l.Issue))
	switch l.Reason {
	case "held":
		text += " is held by " + visible(l.Holder)
		if l.HolderSession != "" {
			text += " (session " + visible(l.HolderSession) + ")"
		}
	default:
		text += " was " + l.Reason + " elsewhere"
	}
	if len(l.Done) > 0 {
		text += "; " + plural(len(l.Done), "change", "changes") + " made here since stay"
	}
	return text
}

// refuseLost fails for who lost the claim on this issue and has not been told:
// what they are about to write rests on it.
func (a *app) refuseLost(id string, force bool) error {
	if force {
		return nil
	}
	local, err := a.ws.Local()
	if err != nil || len(local.Lost) == 0 {
		return err
	}
	session, actor := a.Getenv("BD_SESSION"), a.actorName(a.ws.Place())
	for _, lost := range local.Lost {
		if lost.Issue == id && lost.By == actor && lost.Session == session {
			return failf("claim_lost", "%s", lostText(lost)).
				withHint("--force does it all the same; bd sync --acknowledge %s says that you know", id)
		}
	}
	return nil
}
