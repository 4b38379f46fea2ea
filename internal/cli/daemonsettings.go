package cli

import (
	"context"
	"strconv"
	"time"

	"beads/internal/config"
	"beads/internal/daemon"
	"beads/internal/workspace"
)

// daemonSettings reads what the daemon of the workspace at place is to do, and
// applies the flags. A daemon calls it again when a file changed; what of it is
// not understood is an error and changes nothing.
func (a *app) daemonSettings(place workspace.Place, o daemonStart) (daemon.Settings, error) {
	files, err := a.layers(place)
	if err != nil {
		return daemon.Settings{}, err
	}
	source := a.source(place)
	if o.config != "" {
		source.File = a.path(o.config)
	}
	var s daemon.Settings
	if s.Config, err = config.LoadDaemon(source, files); err != nil {
		return daemon.Settings{}, err
	}
	s.Config.Foreground = s.Config.Foreground || o.foreground
	if s.Remote, err = a.remoteSettings(files); err != nil {
		return daemon.Settings{}, err
	}
	a.useLayers(files)
	return s, nil
}

// settingsFiles are the settings files that are not in the workspace.
func (a *app) settingsFiles(o daemonStart) []string {
	var files []string
	if o.config != "" {
		files = append(files, a.path(o.config))
	}
	if user := a.userConfig(); user != "" {
		files = append(files, user)
	}
	return files
}

// remoteSettings are the git.* settings and interactions.replicate.
func (a *app) remoteSettings(files []*config.File) (daemon.RemoteSettings, error) {
	var s daemon.RemoteSettings
	for name, take := range map[string]func(string) error{
		"git.remote":             func(v string) error { s.Name = v; return nil },
		"git.ref":                func(v string) error { s.Ref = v; return nil },
		"interactions.replicate": func(v string) (err error) { s.Interactions, err = strconv.ParseBool(v); return err },
		"git.auto_push":          func(v string) (err error) { s.AutoPush, err = strconv.ParseBool(v); return err },
		"git.auto_fetch":         func(v string) (err error) { s.AutoFetch, err = strconv.ParseBool(v); return err },
		"git.remote_interval":    func(v string) (err error) { s.Interval, err = time.ParseDuration(v); return err },
	} {
		value, err := a.checked(files, name)
		if err == nil {
			err = take(value)
		}
		if err != nil {
			return daemon.RemoteSettings{}, err
		}
	}
	return s, nil
}

// checked is a setting that is not shared; a bad value is an error with its
// place, where configValue says so and takes the default.
func (a *app) checked(files []*config.File, name string) (string, error) {
	key, err := findKey(name)
	if err != nil {
		return "", err
	}
	found := a.local(files, key)
	if err := key.check(found.Value); found.Value != "" && err != nil {
		where := config.Error{File: found.Source, Reason: err.Error()}
		for _, file := range files {
			if file.Name == found.Source {
				where.Line = file.Line(name)
			}
		}
		if found.Source == sourceEnv {
			where.File = environmentName(name)
		}
		return "", &where
	}
	return found.Value, nil
}

// workspaceOptions lets the daemon open the workspace, and export from it.
func (a *app) workspaceOptions(o *daemon.Options, place workspace.Place, c config.Daemon) {
	kept := &keptSnapshot{app: a}
	o.Open = func(ctx context.Context, notice func(string)) (daemon.Workspace, error) {
		w, err := a.openForDaemon(ctx, place, c, notice)
		if err != nil {
			return nil, err
		}
		kept.w = w
		return w, nil
	}
	o.Export = kept.update
}
