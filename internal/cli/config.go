package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/config"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func newConfig(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Settings",
		Long: `Settings are of two kinds. Shared ones (issue_prefix, prefix_aliases, status.custom,
types.custom, claim_lease) are operations: they travel with the issues. All others stay
on this machine: the environment (BD_ACTOR, BD_GIT_REMOTE …) counts before config.yaml in
the workspace, that before ~/.config/bd/config.yaml. Those of the daemon (daemon.*) may
stand in these files too; its own daemon.yaml counts before them, and the environment
(BEADS_DAEMON_LOG_LEVEL …) before that.`,
		Example: `  bd config set status.custom "review,testing"
  bd config get actor
  bd config list`,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "get KEY",
			Short: "Print a setting; exit 1 if it is not set and has no default",
			Long: `Print one setting as it counts here: from the environment, a config.yaml, the shared
settings or the default.`,
			Example: "  bd config get issue_prefix",
			Args:    arguments(1, 1, "one KEY"),
			RunE:    func(cmd *cobra.Command, args []string) error { return a.getConfig(cmd, args[0]) },
		},
		&cobra.Command{
			Use:   "set KEY VALUE",
			Short: "Change a setting",
			Long: `Change one setting. Shared ones are an operation, like a change of an issue, and count in
every clone; all others go into the workspace's config.yaml.`,
			Example: "  bd config set claim_lease 2h",
			Args:    arguments(2, 2, "a KEY and a VALUE"),
			RunE:    func(cmd *cobra.Command, args []string) error { return a.changeConfig(cmd, args[0], &args[1]) },
		},
		&cobra.Command{
			Use:     "unset KEY",
			Short:   "Go back to the default",
			Long:    "Take a setting back, so that the next layer or the default counts again.",
			Example: "  bd config unset claim_lease",
			Args:    arguments(1, 1, "one KEY"),
			RunE:    func(cmd *cobra.Command, args []string) error { return a.changeConfig(cmd, args[0], nil) },
		},
		&cobra.Command{
			Use:     "list",
			Short:   "List every setting with where it comes from",
			Long:    "List every setting that has a value, with where it comes from.",
			Example: "  bd config list --json",
			Args:    arguments(0, 0, "no arguments"),
			RunE:    func(cmd *cobra.Command, _ []string) error { return a.listConfig(cmd) },
		},
	)
	return needSubcommand(cmd)
}

// readSetting finds one setting in its layers.
func (a *app) readSetting(cmd *cobra.Command, key configKey) (setting, error) {
	if key.shared {
		var found setting
		err := a.view(cmd, func(q *projection.Query) error {
			settings, err := q.Settings()
			found = sharedSetting(settings, key)
			return err
		})
		return found, err
	}
	place, err := a.place()
	if err != nil {
		return setting{}, err
	}
	files, err := a.layers(place)
	if err != nil {
		return setting{}, err
	}
	if key.kind != "daemon" {
		return a.local(files, key), nil
	}
	c, err := config.LoadDaemon(a.source(place), files)
	if err != nil {
		return setting{}, daemonFailure(err)
	}
	return daemonSetting(c, key), nil
}

// sharedSetting is a shared setting as text.
func sharedSetting(settings op.Settings, key configKey) setting {
	raw, there := settings.Values[key.name]
	if !there {
		return setting{key.name, key.def, sourceDefault}
	}
	return setting{key.name, settingText(raw), sourceShared}
}

// settingText is a shared value as people write it: a list with commas.
func settingText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var values []string
	if json.Unmarshal(raw, &values) == nil {
		return strings.Join(values, ",")
	}
	return string(raw)
}

func (a *app) getConfig(cmd *cobra.Command, name string) error {
	key, err := findKey(name)
	if err != nil {
		return err
	}
	found, err := a.readSetting(cmd, key)
	if err != nil {
		return err
	}
	if found.Value == "" {
		return failf("not_set", "%s is not set", key.name)
	}
	if a.json {
		return a.printJSON(found)
	}
	a.printf("%s\n", visible(found.Value))
	return nil
}

// changeConfig sets a setting, or unsets it if value is nil.
func (a *app) changeConfig(cmd *cobra.Command, name string, value *string) error {
	key, err := findKey(name)
	var f *failure
	if errors.As(err, &f) && f.code == "without_effect" {
		a.notice(err.Error()) // old scripts go on
		if a.json {
			return a.printJSON(setting{Key: name, Source: sourceNone})
		}
		return nil
	}
	if err != nil {
		return err
	}
	if key.readOnly != "" {
		return failf("read_only_setting", "%s cannot be changed: %s", key.name, key.readOnly)
	}
	if value != nil {
		if err := key.check(*value); err != nil {
			return err
		}
		if err := key.checkName(*value); err != nil {
			return err
		}
	}
	if key.shared {
		err = a.changeShared(cmd, key, value)
	} else {
		err = a.changeLocal(cmd, key, value)
	}
	if err != nil {
		return err
	}
	return a.tellConfig(cmd, key, value)
}

func (a *app) tellConfig(cmd *cobra.Command, key configKey, value *string) error {
	found, err := a.readSetting(cmd, key)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(found)
	}
	a.say("%s = %s", key.name, visible(found.Value))
	if found.Source == sourceEnv {
		a.notice(environmentName(key.name) + " is set and counts before this")
	} else if value != nil && found.Value != *value && !key.shared {
		a.notice(found.Source + " counts before this")
	}
	return nil
}

// changeShared writes the operation, unless the setting is so already.
func (a *app) changeShared(cmd *cobra.Command, key configKey, value *string) error {
	raw := op.Null()
	if value != nil {
		raw = op.Str(*value)
		if key.kind == "list" {
			encoded, err := json.Marshal(list(splitList([]string{*value})))
			if err != nil {
				return err
			}
			raw = encoded
		}
		if err := op.CheckSetting(key.name, raw); err != nil {
			return invalid(fmt.Errorf("%s %w", key.name, err))
		}
	}
	_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		settings, err := tx.Settings()
		if err != nil {
			return nil, err
		}
		held, there := settings.Values[key.name]
		if value == nil && !there || value != nil && there && string(held) == string(raw) {
			return nil, nil
		}
		return []workspace.Draft{draft(&op.Operation{Do: op.DoConfig, Set: map[string]json.RawMessage{key.name: raw}})}, nil
	})
	return err
}

// changeLocal changes the workspace's config.yaml.
func (a *app) changeLocal(cmd *cobra.Command, key configKey, value *string) error {
	w, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	path := filepath.Join(w.Place().Dir, config.FileName)
	data, err := w.ReadFile(config.FileName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := config.ParseFile(path, data)
	if err != nil {
		return err
	}
	name := key.name // or an upstream name for it, where the file has that
	for _, held := range file.Keys {
		if mapped, _ := upstreamKey(held); mapped == key.name {
			name = held
		}
	}
	var text []byte
	if value == nil {
		text, err = config.UnsetKey(path, data, name)
	} else {
		text, err = config.SetKey(path, data, name, *value)
	}
	if err != nil || string(text) == string(data) {
		return err
	}
	return w.WriteFile(config.FileName, text)
}

func (a *app) listConfig(cmd *cobra.Command) error {
	place, err := a.place()
	if err != nil {
		return err
	}
	files, err := a.layers(place)
	if err != nil {
		return err
	}
	var settings op.Settings
	err = a.view(cmd, func(q *projection.Query) (err error) {
		settings, err = q.Settings()
		return err
	})
	if err != nil {
		return err
	}
	daemons, err := config.LoadDaemon(a.source(place), files)
	if err != nil {
		return daemonFailure(err)
	}
	found := []setting{}
	for _, key := range configKeys() {
		var s setting
		switch {
		case key.shared:
			s = sharedSetting(settings, key)
		case key.kind == "daemon":
			s = daemonSetting(daemons, key)
		default:
			s = a.local(files, key)
		}
		if s.Value != "" {
			found = append(found, s)
		}
	}
	a.warnUnknown(files)
	if a.json {
		return a.printJSON(found)
	}
	width := 0
	for _, s := range found {
		width = max(width, len(s.Key)+len(s.Value))
	}
	for _, s := range found {
		pad := strings.Repeat(" ", max(0, min(width, 60)-len(s.Key)-len(s.Value)))
		a.printf("%s = %s%s  (%s)\n", s.Key, visible(s.Value), pad, visible(s.Source))
	}
	return nil
}

// warnUnknown names the keys of config.yaml that mean nothing. They are no
// errors: the file may be shared with other versions and with upstream.
func (a *app) warnUnknown(files []*config.File) {
	for _, problem := range unknownKeys(files) {
		a.notice(problem)
	}
}

func unknownKeys(files []*config.File) []string {
	var problems []string
	for _, file := range files {
		for _, name := range slices.Sorted(slices.Values(file.Keys)) {
			if _, err := findKey(name); err != nil {
				problems = append(problems, fmt.Sprintf("%s:%d: %v", file.Name, file.Line(name), err))
			}
		}
	}
	return problems
}
