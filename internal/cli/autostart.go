package cli

import (
	"context"
	"strings"

	"beads/internal/daemon"
	"beads/internal/fleet"
)

// autoStart starts a daemon after a command that opened the workspace, where
// auto_start says so and none runs. The command has done its work: nobody waits
// for the daemon, and what keeps it from being started costs one line and not
// the command's success. Where nobody asked for it, it costs a look at three
// files that are mostly not there. Where a route led starts none: nobody stands
// there.
func (a *app) autoStart(ctx context.Context) {
	if a.ws == nil || a.routed != nil || a.readonly || ctx.Err() != nil {
		return
	}
	switch first, _, _ := strings.Cut(a.command, " "); first {
	case "", "__complete", "__completeNoDesc", "daemon", "daemons", "reset":
		return
	}
	place := a.ws.Place()
	if !a.source(place).MayAutoStart() {
		return
	}
	if running, err := fleet.Running(place); err != nil || running {
		return
	}
	o := daemonStart{background: true}
	s, err := a.daemonSettings(place, o)
	if err == nil && s.Config.AutoStart {
		if s.Config.Enabled {
			err = fleet.Launch(place, daemonDir(place), a.daemonCommand(place, o), a.Environ)
		} else {
			err = daemon.DisabledError{By: s.Config.EnabledBy}
		}
	}
	if err != nil {
		a.notice(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}
