package cli

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

// filterFlags are the flags that select issues: of list, count, search, ready,
// blocked and export, each with what fits it.
type filterFlags struct {
	statuses, types, notTypes, priorities, labels, labelsAny, ids                  []string
	priorityMin, priorityMax                                                       string
	assignee, owner, labelPattern, parent, externalRef                             string
	text, title, description, notes                                                string
	createdAfter, createdBefore, updatedAfter, updatedBefore                       string
	closedAfter, closedBefore, dueAfter, dueBefore, deferAfter, deferBefore        string
	unassigned, noLabels, noParent, overdue, deferred, emptyDesc, pinned, noPinned bool
	ready                                                                          bool
}

// define adds the flags that fit every list.
func (f *filterFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	listFlag(cmd, &f.types, "type", "t", "of this type (several with commas)")
	listFlag(cmd, &f.notTypes, "exclude-type", "", "not of this type")
	listFlag(cmd, &f.priorities, "priority", "p", "of this priority, 0 to 4 (several with commas)")
	flags.StringVar(&f.priorityMin, "priority-min", "", "of this priority or a greater number")
	flags.StringVar(&f.priorityMax, "priority-max", "", "of this priority or a smaller number")
	flags.StringVarP(&f.assignee, "assignee", "a", "", "assigned to `NAME`")
	flags.BoolVarP(&f.unassigned, "unassigned", "u", false, "assigned to nobody")
	listFlag(cmd, &f.labels, "label", "l", "with all of these labels")
	listFlag(cmd, &f.labelsAny, "label-any", "", "with any of these labels")
	flags.StringVar(&f.labelPattern, "label-pattern", "", "with a label that matches `GLOB`, such as tech-*")
	flags.BoolVar(&f.noLabels, "no-labels", false, "without labels")
	flags.StringVar(&f.parent, "parent", "", "children of issue `ID`")
	flags.BoolVar(&f.noParent, "no-parent", false, "without a parent")
	alias(cmd, "no-assignee", "unassigned")
	alias(cmd, "labels", "label")
	alias(cmd, "filter-parent", "parent")
}

// defineMore adds the flags of list, search and count.
func (f *filterFlags) defineMore(cmd *cobra.Command) {
	flags := cmd.Flags()
	listFlag(cmd, &f.statuses, "status", "s", "with this status (several with commas), or all")
	listFlag(cmd, &f.ids, "id", "", "only these ids")
	flags.StringVar(&f.owner, "owner", "", "owned by `NAME`")
	flags.StringVar(&f.externalRef, "external-ref", "", "with this external reference")
	flags.StringVar(&f.text, "text", "", "with this text in any field")
	flags.StringVar(&f.title, "title-contains", "", "with this text in the title")
	flags.StringVar(&f.description, "desc-contains", "", "with this text in the description")
	flags.StringVar(&f.notes, "notes-contains", "", "with this text in the notes")
	flags.BoolVar(&f.emptyDesc, "empty-description", false, "without a description")
	flags.StringVar(&f.createdAfter, "created-after", "", "created at `DATE` or later")
	flags.StringVar(&f.createdBefore, "created-before", "", "created before `DATE`")
	flags.StringVar(&f.updatedAfter, "updated-after", "", "changed at `DATE` or later")
	flags.StringVar(&f.updatedBefore, "updated-before", "", "changed before `DATE`")
	flags.StringVar(&f.closedAfter, "closed-after", "", "closed at `DATE` or later")
	flags.StringVar(&f.closedBefore, "closed-before", "", "closed before `DATE`")
	flags.StringVar(&f.dueAfter, "due-after", "", "due at `DATE` or later")
	flags.StringVar(&f.dueBefore, "due-before", "", "due before `DATE`")
	flags.StringVar(&f.deferAfter, "defer-after", "", "deferred until `DATE` or later")
	flags.StringVar(&f.deferBefore, "defer-before", "", "deferred until before `DATE`")
	flags.BoolVar(&f.pinned, "pinned", false, "pinned: with the status of this name")
	flags.BoolVar(&f.noPinned, "no-pinned", false, "not pinned")
	flags.BoolVar(&f.overdue, "overdue", false, "due in the past and not closed")
	flags.BoolVar(&f.deferred, "deferred", false, "deferred to a later time")
	alias(cmd, "title", "title-contains")
}

// filter is what the flags select. Ids and names are checked against the
// workspace, so that a slip is an error and not an empty list.
func (f *filterFlags) filter(a *app, q *projection.Query) (issue.Filter, error) {
	filter := issue.Filter{
		Types: splitList(f.types), NotTypes: splitList(f.notTypes),
		Assignee: f.assignee, Unassigned: f.unassigned, Owner: f.owner,
		LabelPattern: f.labelPattern, NoLabels: f.noLabels, NoParent: f.noParent,
		ExternalRef: f.externalRef, Text: f.text, TitleContains: f.title,
		DescContains: f.description, NotesContains: f.notes, EmptyDesc: f.emptyDesc,
		Overdue: f.overdue, Deferred: f.deferred, Ready: f.ready, Now: a.Now(),
	}
	for _, step := range []func(*app, *projection.Query, *issue.Filter) error{
		f.names, f.numbers, f.dates, f.issues,
	} {
		if err := step(a, q, &filter); err != nil {
			return issue.Filter{}, err
		}
	}
	return filter, nil
}

// allStatuses reports whether the person asked for every status.
func (f *filterFlags) allStatuses() bool { return slices.Contains(splitList(f.statuses), "all") }

func (f *filterFlags) names(_ *app, q *projection.Query, filter *issue.Filter) (err error) {
	if !f.allStatuses() {
		filter.Statuses = splitList(f.statuses)
	}
	if f.pinned {
		filter.Statuses = append(filter.Statuses, statusPinned)
	}
	if f.noPinned {
		filter.NotStatuses = append(filter.NotStatuses, statusPinned)
	}
	for _, status := range filter.Statuses {
		if err := checkStatus(q, status); err != nil {
			return err
		}
	}
	for _, kind := range slices.Concat(filter.Types, filter.NotTypes) {
		if err := checkType(q, kind); err != nil {
			return err
		}
	}
	if err := checkGlob(f.labelPattern); err != nil {
		return usagef("--label-pattern %q: %w", f.labelPattern, err)
	}
	if filter.LabelsAll, err = labelList(f.labels); err != nil {
		return err
	}
	filter.LabelsAny, err = labelList(f.labelsAny)
	return err
}

// checkGlob refuses what GLOB of the database takes for a pattern that nothing matches:
// a class without its end. The first ] in a class is one of its characters.
func checkGlob(pattern string) error {
	for {
		_, class, ok := strings.Cut(pattern, "[")
		if !ok {
			return nil
		}
		class = strings.TrimPrefix(class, "^")
		class = strings.TrimPrefix(class, "]")
		if _, pattern, ok = strings.Cut(class, "]"); !ok {
			return errors.New("a [ has no ] after it; [[] matches the character itself")
		}
	}
}

func (f *filterFlags) numbers(_ *app, _ *projection.Query, filter *issue.Filter) error {
	for _, text := range splitList(f.priorities) {
		n, err := issue.ParsePriority(text)
		if err != nil {
			return invalid(err)
		}
		filter.Priorities = append(filter.Priorities, n)
	}
	for _, bound := range []struct {
		text string
		to   **int
	}{{f.priorityMin, &filter.PriorityMin}, {f.priorityMax, &filter.PriorityMax}} {
		if bound.text == "" {
			continue
		}
		n, err := issue.ParsePriority(bound.text)
		if err != nil {
			return invalid(err)
		}
		*bound.to = &n
	}
	return nil
}

// dates reads the bounds. A bare date means its start for both of them, so
// that after and before the same day never overlap.
func (f *filterFlags) dates(a *app, _ *projection.Query, filter *issue.Filter) error {
	for _, bound := range []struct {
		text string
		to   *time.Time
	}{
		{f.createdAfter, &filter.CreatedAfter}, {f.createdBefore, &filter.CreatedBefore},
		{f.updatedAfter, &filter.UpdatedAfter}, {f.updatedBefore, &filter.UpdatedBefore},
		{f.closedAfter, &filter.ClosedAfter}, {f.closedBefore, &filter.ClosedBefore},
		{f.dueAfter, &filter.DueAfter}, {f.dueBefore, &filter.DueBefore},
		{f.deferAfter, &filter.DeferAfter}, {f.deferBefore, &filter.DeferBefore},
	} {
		if bound.text == "" {
			continue
		}
		t, err := a.parseDate(bound.text, false)
		if err != nil {
			return err
		}
		*bound.to = t
	}
	return nil
}

func (f *filterFlags) issues(a *app, q *projection.Query, filter *issue.Filter) (err error) {
	if f.parent != "" {
		if filter.Parent, err = a.resolve(q, f.parent, false); err != nil {
			return err
		}
	}
	if len(f.ids) > 0 {
		filter.IDs, err = a.resolveAll(q, splitList(f.ids), false)
	}
	return err
}

// sortFlags are --sort, --reverse and --limit.
type sortFlags struct {
	by      string
	reverse bool
	limit   int
}

// define adds the flags; limit is the default.
func (s *sortFlags) define(cmd *cobra.Command, limit int) {
	flags := cmd.Flags()
	flags.StringVar(&s.by, "sort", "", "order by "+strings.Join(orderNames(), ", "))
	flags.BoolVarP(&s.reverse, "reverse", "r", false, "turn the order round")
	flags.IntVarP(&s.limit, "limit", "n", limit, "at most this many (0: all)")
}

// orderNames are the names that --sort takes.
func orderNames() []string {
	return []string{
		string(issue.SortPriority), string(issue.SortCreated), string(issue.SortUpdated), string(issue.SortClosed),
		string(issue.SortDue), string(issue.SortStatus), string(issue.SortID), string(issue.SortTitle),
		string(issue.SortType), string(issue.SortAssignee),
	}
}

// apply puts the flags into a filter.
func (s *sortFlags) apply(filter *issue.Filter) error {
	if s.limit < 0 {
		return usagef("--limit must not be negative")
	}
	if s.by != "" && !slices.Contains(orderNames(), s.by) {
		return usagef("cannot sort by %q; choose one of %s", s.by, strings.Join(orderNames(), ", "))
	}
	filter.Sort, filter.Reverse, filter.Limit = issue.Sort(s.by), s.reverse, s.limit
	return nil
}

// listFlag adds a flag that may be given several times, and with commas. (The
// library's own sets up a CSV reader and writer for each, which every run of
// every command would pay for.)
func listFlag(cmd *cobra.Command, to *[]string, name, shorthand, usage string) {
	cmd.Flags().VarP((*listValue)(to), name, shorthand, usage)
}

type listValue []string

func (v *listValue) Set(text string) error {
	*v = append(*v, text)
	return nil
}

func (v *listValue) Type() string   { return "list" }
func (v *listValue) String() string { return strings.Join(*v, ",") }
