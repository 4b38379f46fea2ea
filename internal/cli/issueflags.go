package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
)

// fieldFlags are the flags of create and update that set a field.
type fieldFlags struct {
	title, kind, priority, description, bodyFile, design, acceptance, notes string
	assignee, owner, externalRef, estimate, metadata, due, deferUntil       string
}

// define adds the flags to a command.
func (f *fieldFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.title, "title", "", "title")
	flags.StringVarP(&f.kind, "type", "t", "", "type: task, bug, feature, epic, chore or a custom `NAME`")
	flags.StringVarP(&f.priority, "priority", "p", "", "priority, 0 (most urgent) to 4, also P0 to P4")
	flags.StringVarP(&f.description, "description", "d", "", "description; - reads standard input")
	flags.StringVar(&f.bodyFile, "body-file", "", "read the description from `FILE`; - reads standard input")
	flags.StringVar(&f.design, "design", "", "design notes; - reads standard input")
	flags.StringVar(&f.acceptance, "acceptance", "", "acceptance criteria; - reads standard input")
	flags.StringVar(&f.notes, "notes", "", "notes; - reads standard input")
	flags.StringVarP(&f.assignee, "assignee", "a", "", "assignee")
	flags.StringVar(&f.owner, "owner", "", "owner")
	flags.StringVar(&f.externalRef, "external-ref", "", "reference elsewhere, such as gh-9")
	flags.StringVarP(&f.estimate, "estimate", "e", "", "estimate in minutes, or as 1h30m")
	flags.StringVar(&f.metadata, "metadata", "", "a `JSON` object, or @FILE that holds one")
	flags.StringVar(&f.due, "due", "", "due `DATE`: 2026-11-23 (the end of that day), +2d, tomorrow, RFC 3339")
	flags.StringVar(&f.deferUntil, "defer", "", "not ready before `DATE`")
	alias(cmd, "body", "description")
	alias(cmd, "description-file", "body-file")
	alias(cmd, "acceptance-criteria", "acceptance")
	stdinFlag(cmd, "body-file")
}

// stdinFlag adds --stdin, which is the flag for a file with the value "-".
func stdinFlag(cmd *cobra.Command, file string) {
	alias(cmd, "stdin", file)
	cmd.Flags().Lookup("stdin").NoOptDefVal = "-"
}

// alias gives a flag a second name, which help does not show.
func alias(cmd *cobra.Command, name, of string) {
	flag := *cmd.Flags().Lookup(of)
	flag.Name, flag.Shorthand, flag.Hidden = name, "", true
	cmd.Flags().AddFlag(&flag)
}

// accepted takes flags of old scripts that mean nothing here.
func accepted(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		cmd.Flags().Bool(name, false, "accepted without effect")
		cmd.Flags().Lookup(name).Hidden = true
	}
}

// given reports whether a flag was given under one of its names.
func given(cmd *cobra.Command, names ...string) bool {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// invalid is an error about a value; the exit code is that of wrong usage.
func invalid(err error) error {
	f := usagef("%w", err)
	f.code = "invalid"
	return f
}

// values are the fields that the flags set, checked as far as can be without
// the workspace. A flag given as "" clears its field (null).
func (f *fieldFlags) values(a *app, cmd *cobra.Command) (map[string]json.RawMessage, error) {
	set := map[string]json.RawMessage{}
	if err := f.texts(a, cmd, set); err != nil {
		return nil, err
	}
	for _, date := range []struct {
		flag, field, value string
		endOfDay           bool
	}{
		{"due", "due_at", f.due, true},
		{"defer", "defer_until", f.deferUntil, false},
	} {
		if !given(cmd, date.flag) {
			continue
		}
		value, err := a.dateValue(date.value, date.endOfDay)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", date.flag, err)
		}
		set[date.field] = value
	}
	if given(cmd, "priority") {
		n, err := issue.ParsePriority(f.priority)
		if err != nil {
			return nil, invalid(err)
		}
		set["priority"] = op.Int(n)
	}
	if given(cmd, "estimate") {
		value, err := estimateValue(f.estimate)
		if err != nil {
			return nil, err
		}
		set["estimated_minutes"] = value
	}
	if given(cmd, "metadata") {
		value, err := a.metadataValue(f.metadata)
		if err != nil {
			return nil, err
		}
		set["metadata"] = value
	}
	return set, nil
}

// texts fills in the fields that are strings.
func (f *fieldFlags) texts(a *app, cmd *cobra.Command, set map[string]json.RawMessage) error {
	if given(cmd, "body-file", "description-file", "stdin") {
		if given(cmd, "description", "body") {
			return usagef("--description and --body-file exclude each other")
		}
		text, err := a.readText(f.bodyFile)
		if err != nil {
			return err
		}
		f.description = text
		set["description"] = nil
	} else if err := a.dash(&f.description); err != nil {
		return err
	}
	for _, text := range []*string{&f.design, &f.acceptance, &f.notes} {
		if err := a.dash(text); err != nil {
			return err
		}
	}
	long := func(field, value string) error { return issue.ValidateText(field, value) }
	short := func(field, value string) error { return issue.ValidateShort(field, value) }
	for _, text := range []struct {
		flags []string
		field string
		value string
		check func(field, value string) error
	}{
		{[]string{"title"}, "title", f.title, func(_, value string) error { return issue.ValidateTitle(value) }},
		{[]string{"type"}, "issue_type", f.kind, func(_, value string) error { return issue.ValidateName("issue type", value) }},
		{[]string{"description", "body", "body-file", "description-file", "stdin"}, "description", f.description, long},
		{[]string{"design"}, "design", f.design, long},
		{[]string{"acceptance", "acceptance-criteria"}, "acceptance_criteria", f.acceptance, long},
		{[]string{"notes"}, "notes", f.notes, long},
		{[]string{"assignee"}, "assignee", f.assignee, short},
		{[]string{"owner"}, "owner", f.owner, short},
		{[]string{"external-ref"}, "external_ref", f.externalRef, short},
	} {
		if !given(cmd, text.flags...) {
			continue
		}
		if text.value == "" && text.field != "title" && text.field != "issue_type" {
			set[text.field] = op.Null()
			continue
		}
		if err := text.check(text.field, text.value); err != nil {
			return invalid(err)
		}
		set[text.field] = op.Str(text.value)
	}
	return nil
}

// dateValue is a date as the log holds it; "" clears.
func (a *app) dateValue(text string, endOfDay bool) (json.RawMessage, error) {
	if text == "" {
		return op.Null(), nil
	}
	t, err := a.parseDate(text, endOfDay)
	if err != nil {
		return nil, err
	}
	return op.Str(t.UTC().Truncate(time.Second).Format(time.RFC3339)), nil
}

// estimateValue reads minutes, or a span such as 1h30m; "" and 0 clear.
func estimateValue(text string) (json.RawMessage, error) {
	if span, err := time.ParseDuration(text); err == nil && text != "0" {
		text = strconv.Itoa(int(span.Round(time.Minute) / time.Minute))
	}
	if text == "" || text == "0" {
		return op.Null(), nil
	}
	minutes, err := issue.ParseEstimate(text)
	if err != nil {
		return nil, invalid(err)
	}
	return op.Int(minutes), nil
}

// metadataValue reads a JSON object; "" clears.
func (a *app) metadataValue(text string) (json.RawMessage, error) {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		var err error
		if text, err = a.readText(name); err != nil {
			return nil, err
		}
	}
	if text == "" {
		return op.Null(), nil
	}
	if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, usagef("--metadata is not a JSON object")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return nil, usagef("--metadata: %w", err)
	}
	return compact.Bytes(), nil
}

// splitList splits comma-separated values that may also be given one by one,
// without blanks around them and without repetitions.
func splitList(values []string) []string {
	var parts []string
	seen := map[string]bool{}
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" && !seen[part] {
				seen[part] = true
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// labelList is splitList for labels, each checked.
func labelList(values []string) ([]string, error) {
	labels := splitList(values)
	for _, label := range labels {
		if err := issue.ValidateLabel(label); err != nil {
			return nil, invalid(err)
		}
	}
	return labels, nil
}
