package cli

import (
	"context"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"beads/internal/fleet"
	"beads/internal/workspace"
)

// afterword tells, after any command that opened the workspace, what a person
// would not notice otherwise: a daemon that runs and cannot do its work, and work
// that has not been shared for long. Nobody is asked for it, and commands that
// show these things themselves are left alone. Its own failure is silent: the
// command has done what it was to do.
func (a *app) afterword(ctx context.Context) {
	if a.ws == nil || a.quiet || ctx.Err() != nil {
		return
	}
	switch first, _, _ := strings.Cut(a.command, " "); first {
	case "daemon", "daemons", "sync", "info", "doctor", "hook", "hooks", "merge":
		return
	}
	place := a.ws.Place()
	if reason := fleet.Trouble(place); reason != "" {
		a.notice("the daemon is in trouble: " + reason + " (see: bd daemon status)")
	}
	if text := a.behindText(ctx, place); text != "" {
		a.notice(text)
	}
}

// behindText says since when nothing was exchanged with the pinned remote, ""
// if that is well. Without a pinned remote it costs one small file.
func (a *app) behindText(ctx context.Context, place workspace.Place) string {
	if place.CommonDir == "" {
		return ""
	}
	local, err := place.Local()
	if err != nil || local.Remote == nil {
		return ""
	}
	patience, err := time.ParseDuration(a.configValue(place, "sync.warn_after"))
	if err != nil {
		return ""
	}
	status, err := a.replica(a.ws).Status(ctx)
	now := a.Now()
	if err != nil || !status.Behind(now, patience) {
		return ""
	}
	text := "last exchange with " + status.Remote.Name + " " + humanize.RelTime(status.Last.Success, now, "ago", "ahead")
	if status.Unshared > 0 {
		text += ", " + plural(status.Unshared, "operation is", "operations are") + " not there yet"
	}
	return text + "; see: bd sync"
}
