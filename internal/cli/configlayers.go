package cli

import (
	"path/filepath"
	"strconv"
	"strings"

	"beads/internal/config"
	"beads/internal/workspace"
)

// Where a setting comes from, as people see it.
const (
	sourceShared  = "shared"
	sourceEnv     = "environment"
	sourceDefault = "default"
	sourceNone    = "none" // a setting of upstream without effect here
)

// source is where the settings of the workspace at place are.
func (a *app) source(place workspace.Place) config.Source {
	return config.Source{Dir: place.Dir, Read: place.ReadFile, User: a.userConfig(), Getenv: a.Getenv}
}

// layers are the configuration files that count, the stronger first.
func (a *app) layers(place workspace.Place) ([]*config.File, error) { return a.source(place).Layers() }

// userConfig is the user's own config.yaml, "" if there is no home.
func (a *app) userConfig() string {
	if dir := a.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bd", config.FileName)
	}
	if a.Home == "" {
		return ""
	}
	return filepath.Join(a.Home, ".config", "bd", config.FileName)
}

// setting is one value with where it comes from.
type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// local finds a setting that is not shared: the environment counts before the
// workspace's file, that before the user's, that before the default.
func (a *app) local(files []*config.File, key configKey) setting {
	if value := a.Getenv(environmentName(key.name)); value != "" {
		return setting{key.name, value, sourceEnv}
	}
	for _, file := range files {
		for _, name := range file.Keys {
			mapped, _ := upstreamKey(name)
			if value := file.Value(name); (name == key.name || mapped == key.name) && value != "" {
				return setting{key.name, value, file.Name}
			}
		}
	}
	return setting{key.name, key.def, sourceDefault}
}

// daemonSetting finds a setting of the daemon, which has a file of its own beside
// those layers.
func daemonSetting(c config.Daemon, key configKey) setting {
	found := c.Setting(strings.TrimPrefix(key.name, config.Section))
	switch found.Source {
	case "":
		found.Source = sourceDefault
	case environmentName(key.name):
		found.Source = sourceEnv
	}
	return setting{key.name, found.Value, found.Source}
}

// environmentName is the variable of a setting: git.remote is BD_GIT_REMOTE.
func environmentName(key string) string {
	if name, daemons := strings.CutPrefix(key, config.Section); daemons {
		return config.Variable(name)
	}
	return "BD_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// configValue is the value of a setting that is not shared, "" if none is set.
// What is wrong in a file is said once, and the file then counts as far as it
// could be read.
func (a *app) configValue(place workspace.Place, name string) string {
	key, err := findKey(name)
	if err != nil {
		return ""
	}
	found := a.local(a.readLayers(place), key)
	if err := key.check(found.Value); found.Value != "" && err != nil {
		a.notice(found.Source + ": " + err.Error())
		return key.def
	}
	return found.Value
}

// configBool is configValue of a setting that is true or false.
func (a *app) configBool(place workspace.Place, name string) bool {
	value, err := strconv.ParseBool(a.configValue(place, name))
	return err == nil && value
}

// readLayers reads the files at the first call, and says then what is wrong with
// them. The steps of a daemon call it at once.
func (a *app) readLayers(place workspace.Place) []*config.File {
	a.configMu.Lock()
	defer a.configMu.Unlock()
	if !a.configRead {
		files, err := a.layers(place)
		if err != nil {
			a.notice(strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		a.config, a.configRead = files, true
	}
	return a.config
}

// forgetLayers lets the next setting that is asked for be read anew.
func (a *app) forgetLayers() {
	a.configMu.Lock()
	defer a.configMu.Unlock()
	a.config, a.configRead = nil, false
}

// useLayers takes files that a daemon has read anew.
func (a *app) useLayers(files []*config.File) {
	a.configMu.Lock()
	defer a.configMu.Unlock()
	a.config, a.configRead = files, true
}
