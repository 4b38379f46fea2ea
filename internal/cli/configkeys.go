package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"beads/internal/config"
	"beads/internal/git"
	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/spelling"
)

// configKey is one setting. Shared ones are operations in the log and the same
// in every clone; the others are in a config.yaml and stay on this machine.
type configKey struct {
	name     string
	shared   bool
	def      string   // what counts when nothing is set; "" if nothing does
	kind     string   // text, bool, duration, list, choice, or daemon
	choices  []string // of a choice
	meaning  string
	readOnly string // why it cannot be changed here
}

// configKeys are the settings this version knows.
func configKeys() []configKey {
	keys := []configKey{
		{name: op.SettingPrefix, shared: true, def: op.DefaultPrefix, kind: "text", meaning: "what new issue ids begin with",
			readOnly: "it is chosen by bd init, and by bd rename-prefix for new ids; ids never change"},
		{name: op.SettingAliases, shared: true, kind: "list", meaning: "other prefixes under which ids are known"},
		{name: op.SettingStatuses, shared: true, kind: "list", meaning: "statuses beside the built-in ones"},
		{name: op.SettingTypes, shared: true, kind: "list", meaning: "issue types beside the built-in ones"},
		{name: op.SettingLease, shared: true, def: op.DefaultLease.String(), kind: "duration", meaning: "how long a claim holds without activity"},
		{name: "actor", kind: "text", meaning: "who acts, before git's user.name"},
		{name: "output.color", def: "auto", kind: "choice", choices: []string{"auto", "never"}, meaning: "colours on a terminal"},
		{name: "validation.require_description", def: "false", kind: "bool", meaning: "create refuses an issue without a description"},
		{name: "sync.warn_after", def: "1h", kind: "duration", meaning: "unshared work older than this is mentioned, while a remote is pinned"},
		{name: "git.remote", kind: "text", meaning: "the remote to replicate with"},
		{name: "git.ref", def: "refs/beads/ops", kind: "text", meaning: "the ref that holds the operations"},
		{name: "git.auto_push", def: "true", kind: "bool", meaning: "the daemon pushes, while a remote is pinned"},
		{name: "git.auto_fetch", def: "true", kind: "bool", meaning: "the daemon fetches, while a remote is pinned"},
		{name: "git.remote_interval", def: "30s", kind: "duration", meaning: "how often the daemon asks the remote"},
		{name: "interactions.replicate", def: "false", kind: "bool", meaning: "replicate interactions too, which may hold prompts"},
	}
	for _, k := range config.Keys() {
		keys = append(keys, configKey{name: config.Section + k.Name, def: k.Default, kind: "daemon", meaning: "see docs/daemon.md: " + k.Allowed})
	}
	return keys
}

// upstreamKey says what became of a setting of upstream beads, "" if the key is
// not one. Mapped ones name the key that has the same meaning.
func upstreamKey(name string) (mapped, without string) {
	switch name {
	case "issue-prefix", "issue.prefix", "prefix":
		return op.SettingPrefix, ""
	case "create.require-description":
		return "validation.require_description", ""
	case "types.custom", "status.custom":
		return name, ""
	case "sync-branch", "sync.branch":
		return "", "operations travel on a ref of their own (git.ref), not on a branch"
	case "no-daemon", "auto-start-daemon", "no-db", "no-auto-flush", "no-auto-import", "flush-debounce", "auto-commit", "auto-push",
		"auto-pull", "json", "db", "lock-timeout", "sync.mode", "storage-backend", "import.orphan_handling", "beads.role", "identity",
		"no-push", "external_projects", "repos", "routing.mode", "compact_tier1_days", "compaction_enabled", "export.error_policy":
		return "", "there is one mode here, and nothing to choose"
	}
	for _, family := range []string{"jira.", "linear.", "github.", "gitlab.", "directory.", "federation.", "compact", "daemon."} {
		if strings.HasPrefix(name, family) {
			return "", "bd has nothing that it would change"
		}
	}
	return "", ""
}

// findKey is the setting of that name, also under an upstream name.
func findKey(name string) (configKey, error) {
	keys := configKeys()
	mapped, without := upstreamKey(name)
	if mapped != "" {
		name = mapped
	}
	if i := slices.IndexFunc(keys, func(k configKey) bool { return k.name == name }); i >= 0 {
		return keys[i], nil
	}
	names := make([]string, 0, len(keys))
	for _, k := range keys {
		names = append(names, k.name)
	}
	// Upstream's daemon.* have no effect, but a slip in one of ours is no such key.
	if bare, daemons := strings.CutPrefix(name, config.Section); without != "" && daemons && spelling.Nearest(name, names, max(1, len(bare)/4)) != "" {
		without = ""
	}
	if without != "" {
		return configKey{}, failf("without_effect", "%s is a setting of upstream beads without effect here: %s", name, without)
	}
	f := usagef("unknown setting %q", name).withHint("bd config list shows all")
	if near := spelling.Nearest(name, names, len(name)/3+1); near != "" {
		_ = f.withHint("did you mean %s?", near)
	}
	return configKey{}, f
}

// check reports why value is no value of the setting.
func (k configKey) check(value string) error {
	bad := func(needed string) error {
		f := usagef("%s: %q is not %s", k.name, value, needed)
		f.code = "invalid"
		return f
	}
	switch k.kind {
	case "daemon":
		if err := config.Check(strings.TrimPrefix(k.name, config.Section), value); err != nil {
			var reason *config.Error
			if errors.As(err, &reason) {
				err = fmt.Errorf("%s: %s", k.name, reason.Reason)
			}
			return invalid(err)
		}
	case "bool":
		if _, err := strconv.ParseBool(value); err != nil {
			return bad("true or false")
		}
	case "duration":
		d, err := time.ParseDuration(value)
		if seconds, numberErr := strconv.Atoi(value); k.shared && numberErr == nil {
			d, err = time.Duration(seconds)*time.Second, nil
		}
		if err != nil || d <= 0 {
			return bad("a duration such as 4h or 30s")
		}
	case "choice":
		if !slices.Contains(k.choices, value) {
			return bad("one of " + strings.Join(k.choices, ", "))
		}
	case "list":
		return k.checkList(value)
	case "text":
		if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return bad("a text in one line")
		}
		if strings.HasPrefix(value, "-") && strings.HasPrefix(k.name, "git.") {
			return bad("a name: it starts with a dash")
		}
	}
	return nil
}

// checkList refuses a name that no issue can have: it would be declared, and every
// command would refuse it all the same.
func (k configKey) checkList(value string) error {
	for name := range strings.SplitSeq(value, ",") {
		var err error
		switch name = strings.TrimSpace(name); {
		case name == "":
		case k.name == op.SettingStatuses:
			err = issue.ValidateStatus(name)
		case k.name == op.SettingTypes:
			err = issue.ValidateName("issue type", name)
		case k.name == op.SettingAliases:
			err = issue.ValidatePrefix(name)
		}
		if err != nil {
			return invalid(fmt.Errorf("%s: %w", k.name, err))
		}
	}
	return nil
}

// checkName reports why value can be no name of a remote or of a ref. It is asked
// when one is set; one in a file is refused where it is used, since the default in
// its place would be another remote.
func (k configKey) checkName(value string) error {
	var err error
	switch k.name {
	case "git.remote":
		if err = git.CheckRemote(value); err != nil {
			err = fmt.Errorf("git.remote: %w; a URL is given to git: git remote add NAME URL", err)
		}
	case "git.ref":
		if err = git.CheckRef(value); err != nil {
			err = fmt.Errorf("git.ref: %w", err)
		}
	}
	if err != nil {
		return invalid(err)
	}
	return nil
}
