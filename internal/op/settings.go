package op

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"beads/internal/issue"
)

// The shared settings this version knows. Others are kept.
const (
	SettingPrefix   = "issue_prefix"   // text
	SettingAliases  = "prefix_aliases" // list of texts
	SettingStatuses = "status.custom"  // list of texts, or one with commas
	SettingTypes    = "types.custom"   // likewise
	SettingLease    = "claim_lease"    // whole seconds, or a duration like "4h"
)

// DefaultPrefix begins the ids of a tracker that has no prefix set.
const DefaultPrefix = "bd"

// Settings are the shared settings: the fold of the workspace-wide operations.
type Settings struct {
	Values map[string]json.RawMessage // acceptable values only
	Last   ID
}

// FoldSettings is Fold for the workspace-wide operations.
func FoldSettings(ops []*Operation) (Settings, []Problem) {
	var s Settings
	var problems []Problem
	for _, o := range inOrder(ops) {
		_, found := s.Take(o)
		problems = append(problems, found...)
	}
	return s, problems
}

// Apply is State.Apply for a workspace-wide operation. Of its members only set
// means something. A claim's condition is not understood here. Copies of s are not
// altered.
func (s *Settings) Apply(o *Operation) (effective bool, problems []Problem) {
	s.Values = maps.Clone(s.Values)
	return s.Take(o)
}

// Take is Apply for settings without copies. Its cost depends on o alone: a fold
// that copied all settings for each operation would take minutes where somebody
// made very many of both.
func (s *Settings) Take(o *Operation) (effective bool, problems []Problem) {
	if o.ID.Compare(s.Last) <= 0 {
		return false, nil
	}
	s.Last = o.ID
	report := func(kind, format string, args ...any) {
		problems = append(problems, Problem{Op: o.ID, Kind: kind, Detail: fmt.Sprintf(format, args...)})
	}
	switch {
	case o.V > Version:
		report(NewerVersion, "format version %d", o.V)
		return false, problems
	case o.If != nil && (o.If.Unknown || o.If.Unassigned):
		report(UnknownCondition, "condition on settings")
		return false, problems
	case o.If != nil && o.If.Unset && s.anySet(o.Set):
		return false, nil
	}
	if s.Values == nil {
		s.Values = make(map[string]json.RawMessage, len(o.Set))
	}
	for _, name := range sortedKeys(o.Set) {
		value := o.Set[name]
		if len(value) == 0 || isNull(value) {
			delete(s.Values, name)
			continue
		}
		if err := CheckSetting(name, value); err != nil {
			report(BadValue, "%s %v: %s", clip(name), err, clip(string(value)))
			continue
		}
		s.Values[name] = cloneRaw(value)
	}
	return true, problems
}

func (s *Settings) anySet(set map[string]json.RawMessage) bool {
	for name := range set {
		if _, held := s.Values[name]; held {
			return true
		}
	}
	return false
}

// CheckSetting reports why value is no value for the shared setting name. Any
// value does for a setting that this version does not know.
func CheckSetting(name string, value json.RawMessage) error {
	if err := short(name, maxFieldName); err != nil {
		return fmt.Errorf("as a name %w", err)
	}
	switch name {
	case SettingPrefix:
		s, ok := textOf(value)
		if !ok {
			return errors.New("is not a string")
		}
		return issue.ValidatePrefix(s)
	case SettingAliases:
		list, err := listOf(value)
		if err != nil {
			return err
		}
		for _, alias := range list {
			if err := issue.ValidatePrefix(alias); err != nil {
				return err
			}
		}
	case SettingStatuses, SettingTypes:
		list, err := listOf(value)
		if err != nil {
			return err
		}
		for _, name := range list {
			if err := short(name, issue.MaxName); err != nil {
				return fmt.Errorf("has an element that %w", err)
			}
		}
	case SettingLease:
		_, err := leaseOf(value)
		return err
	}
	return nil
}

// listOf reads a list of texts, or one text with commas.
func listOf(value json.RawMessage) ([]string, error) {
	var list []string
	if s, ok := textOf(value); ok {
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return list, nil
	}
	if len(value) == 0 || value[0] != '[' {
		return nil, errors.New("is not a list")
	}
	err := eachElement(value, func(element json.RawMessage) error {
		s, ok := textOf(element)
		if !ok {
			return errors.New("has an element that is not a string")
		}
		list = append(list, s)
		return nil
	})
	return list, err
}

func leaseOf(value json.RawMessage) (time.Duration, error) {
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		if n < 1 || n > maxLease {
			return 0, errors.New("is out of range")
		}
		return time.Duration(n) * time.Second, nil
	}
	s, ok := textOf(value)
	if !ok {
		return 0, errors.New("is neither whole seconds nor a duration")
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("is not a duration like 4h")
	}
	if d < time.Second || d > maxLease*time.Second {
		return 0, errors.New("is out of range")
	}
	return d, nil
}

// Prefix is what new issue ids begin with.
func (s Settings) Prefix() string {
	if prefix, ok := textOf(s.Values[SettingPrefix]); ok {
		return prefix
	}
	return DefaultPrefix
}

// Aliases are the other prefixes under which ids are known, sorted.
func (s Settings) Aliases() []string { return s.list(SettingAliases) }

// CustomStatuses are the statuses that the tracker added, sorted.
func (s Settings) CustomStatuses() []string { return s.list(SettingStatuses) }

// CustomTypes are the issue types that the tracker added, sorted.
func (s Settings) CustomTypes() []string { return s.list(SettingTypes) }

func (s Settings) list(name string) []string {
	list, err := listOf(s.Values[name])
	if err != nil {
		return nil
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Lease is how long a claim holds when its holder does nothing.
func (s Settings) Lease() time.Duration {
	if lease, err := leaseOf(s.Values[SettingLease]); err == nil {
		return lease
	}
	return DefaultLease
}
