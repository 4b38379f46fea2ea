package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"beads/internal/workspace"
)

// The name of the settings file, in the workspace and in the user's directory.
const configName = "config.yaml"

// Where a setting comes from, as people see it.
const (
	sourceShared  = "shared"
	sourceEnv     = "environment"
	sourceDefault = "default"
)

// maxUserConfig bounds the user's own file, in bytes.
const maxUserConfig = 1 << 20

// layers are the configuration files that count, the stronger first.
func (a *app) layers(place workspace.Place) ([]*configFile, error) {
	var files []*configFile
	var errs error
	add := func(name string, data []byte, err error) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = errors.Join(errs, err)
		default:
			file, err := parseConfig(name, data)
			errs = errors.Join(errs, err)
			files = append(files, file)
		}
	}
	if place.Dir != "" {
		data, err := place.ReadFile(configName)
		add(filepath.Join(place.Dir, configName), data, err)
	}
	if path := a.userConfig(); path != "" {
		data, err := readBounded(path)
		add(path, data, err)
	}
	return files, errs
}

// userConfig is the user's own config.yaml, "" if there is no home.
func (a *app) userConfig() string {
	if dir := a.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bd", configName)
	}
	if a.Home == "" {
		return ""
	}
	return filepath.Join(a.Home, ".config", "bd", configName)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxUserConfig {
		return nil, failf("failed", "%s is not a file of at most %d bytes", path, maxUserConfig)
	}
	return os.ReadFile(path)
}

// setting is one value with where it comes from.
type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// local finds a setting that is not shared: the environment counts before the
// workspace's file, that before the user's, that before the default.
func (a *app) local(files []*configFile, key configKey) setting {
	if value := a.Getenv(environmentName(key.name)); value != "" {
		return setting{key.name, value, sourceEnv}
	}
	for _, file := range files {
		for _, name := range file.keys {
			mapped, _ := upstreamKey(name)
			if value := file.values[name]; (name == key.name || mapped == key.name) && value != "" {
				return setting{key.name, value, file.name}
			}
		}
	}
	return setting{key.name, key.def, sourceDefault}
}

// environmentName is the variable of a setting: git.remote is BD_GIT_REMOTE.
func environmentName(key string) string {
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
	if !a.configRead {
		a.configRead = true
		if a.config, err = a.layers(place); err != nil {
			a.notice(strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	found := a.local(a.config, key)
	if err := key.check(found.Value); found.Value != "" && err != nil {
		a.notice(found.Source + ": " + err.Error())
		return key.def
	}
	return found.Value
}
