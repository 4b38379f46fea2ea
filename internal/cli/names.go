package cli

import (
	"slices"
	"strings"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
)

// statusPinned is upstream's, for what is to stay in view.
const statusPinned = "pinned"

// Statuses and types every tracker knows. Those beyond package issue's are
// upstream's, so that its data and scripts keep working.
func knownStatuses() []string {
	return []string{issue.StatusOpen, issue.StatusInProgress, issue.StatusBlocked, issue.StatusDeferred,
		issue.StatusClosed, statusPinned, "hooked"}
}

func knownTypes() []string {
	return []string{issue.TypeTask, issue.TypeBug, issue.TypeFeature, issue.TypeEpic, issue.TypeChore,
		"decision", "message", "molecule", "gate", "event", "merge-request"}
}

// checkStatus refuses a status that nobody declared, which is nearly always a
// slip that would hide the issue from every list. Any string is valid in the log;
// this is a courtesy of the commands.
func checkStatus(q *projection.Query, status string) error {
	if err := issue.ValidateStatus(status); err != nil {
		return invalid(err)
	}
	return checkName(q, "status", status, knownStatuses(), op.Settings.CustomStatuses)
}

// checkType is checkStatus for issue types.
func checkType(q *projection.Query, kind string) error {
	if err := issue.ValidateName("issue type", kind); err != nil {
		return invalid(err)
	}
	return checkName(q, "type", kind, knownTypes(), op.Settings.CustomTypes)
}

// checkName accepts a known name, one that the shared settings declare, and one
// that some issue has already.
func checkName(q *projection.Query, key, name string, known []string, customOf func(op.Settings) []string) error {
	if slices.Contains(known, name) {
		return nil
	}
	settings, err := q.Settings()
	if err != nil {
		return err
	}
	custom := customOf(settings)
	if slices.Contains(custom, name) {
		return nil
	}
	groups, err := q.CountBy(issue.Filter{}, key)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(groups, func(g projection.Group) bool { return g.Group == name }) {
		return nil
	}
	setting := op.SettingStatuses
	if key == "type" {
		setting = op.SettingTypes
	}
	f := usagef("unknown %s %q; known are %s", key, name, strings.Join(slices.Concat(known, custom), ", ")).
		withHint("bd config set %s %q makes it known", setting, strings.Join(append(custom, name), ","))
	f.code = "invalid"
	return f
}
