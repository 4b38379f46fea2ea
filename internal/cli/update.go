package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// change is one run of update.
type change struct {
	fields      fieldFlags
	status      string
	appendNotes string
	claim       bool
	confirm     bool
	force       bool
	parent      string
	addLabels   []string
	dropLabels  []string
	setLabels   []string

	set map[string]json.RawMessage
}

func newUpdate(a *app) *cobra.Command {
	c := &change{}
	cmd := &cobra.Command{
		Use:   "update ID…",
		Short: "Change issues",
		Long: `Change one or more issues. All changes to one issue are one operation; with several
issues either all are changed or none. An empty value clears a field.

--claim takes the issue: it sets you as the assignee and the status in_progress, and
fails if someone else has it. BD_SESSION tells agents of the same name apart. With
--confirm it succeeds only when the Git remote has the claim, and no other clone was
first: of several that confirm, exactly one gets it.`,
		Example: `  bd update bd-x7k2 --claim
  bd update bd-x7k2 --claim --confirm
  bd update bd-x7k2 -s blocked --append-notes "waits for the vendor"
  bd update bd-x7k2 bd-a9c1 -p 0 --add-label urgent --due +2d`,
		Args:              arguments(1, -1, "at least one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE:              a.manyIDs(func(cmd *cobra.Command, args []string) error { return c.run(a, cmd, args) }),
	}
	c.fields.define(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&c.status, "status", "s", "", "status: open, in_progress, blocked, deferred, closed or a custom `NAME`")
	flags.StringVar(&c.appendNotes, "append-notes", "", "add to the notes; both texts survive when two people do so; - reads standard input")
	flags.BoolVar(&c.claim, "claim", false, "take the issue, unless someone else has it")
	flags.BoolVar(&c.confirm, "confirm", false, "with --claim: only if the Git remote confirms it")
	flags.BoolVar(&c.force, "force", false, "also if our claim on it was lost to another clone")
	flags.StringVar(&c.parent, "parent", "", "make `ID` the parent; \"\" removes the parent")
	flags.StringArrayVar(&c.addLabels, "add-label", nil, "add labels")
	flags.StringArrayVar(&c.dropLabels, "remove-label", nil, "remove labels")
	flags.StringArrayVar(&c.setLabels, "set-labels", nil, "have exactly these labels")
	return cmd
}

func (c *change) run(a *app, cmd *cobra.Command, args []string) error {
	if err := c.prepare(a, cmd); err != nil {
		return err
	}
	var outcomes []outcome
	decide := func(tx *workspace.Tx) ([]workspace.Draft, error) {
		outcomes = outcomes[:0]
		return c.drafts(a, cmd, tx, args, &outcomes)
	}
	var err error
	if c.confirm {
		err = a.confirm(cmd, args, decide)
	} else {
		_, err = a.commit(cmd, decide)
	}
	if err != nil {
		return err
	}
	return a.tell(cmd, outcomes)
}

// confirm writes through the remote, and looks whether what was claimed is ours
// when everything that the remote had is here.
func (a *app) confirm(cmd *cobra.Command, args []string, decide func(*workspace.Tx) ([]workspace.Draft, error)) error {
	if err := a.lead(cmd, args); err != nil { // the remote to ask may be another
		return err
	}
	if err := a.checkActor(a.ws.Place()); err != nil {
		return err
	}
	made, _, err := a.replica(a.ws).Confirm(cmd.Context(), decide)
	if err != nil {
		return err
	}
	return a.view(cmd, func(q *projection.Query) error {
		for _, o := range made {
			state, err := q.State(o.Issue)
			if err != nil {
				return err
			}
			if state.HolderOp != o.ID {
				return failf("claim_lost", "issue %s is claimed by %s", a.shortID(q, o.Issue), a.holder(&state)).withHint("bd ready shows what is free")
			}
		}
		return nil
	})
}

// prepare checks everything that needs no workspace.
func (c *change) prepare(a *app, cmd *cobra.Command) error {
	var err error
	if c.set, err = c.fields.values(a, cmd); err != nil {
		return err
	}
	for _, labels := range []*[]string{&c.addLabels, &c.dropLabels, &c.setLabels} {
		if *labels, err = labelList(*labels); err != nil {
			return err
		}
	}
	switch {
	case given(cmd, "status") && c.status == "":
		return usagef("the status must not be empty")
	case given(cmd, "priority") && c.fields.priority == "":
		return usagef("the priority must not be empty")
	case c.confirm && !c.claim:
		return usagef("--confirm needs --claim")
	case c.claim && given(cmd, "assignee"):
		return usagef("--claim and --assignee exclude each other")
	case c.claim && given(cmd, "status") && c.status != issue.StatusInProgress:
		return usagef("--claim makes the status in_progress; --status %s contradicts it", c.status)
	case given(cmd, "set-labels") && given(cmd, "add-label", "remove-label"):
		return usagef("--set-labels excludes --add-label and --remove-label")
	}
	for _, label := range c.addLabels {
		if slices.Contains(c.dropLabels, label) {
			return usagef("label %s is to be added and removed", label)
		}
	}
	if given(cmd, "append-notes") {
		if err := a.textFlag(&c.appendNotes, "notes"); err != nil {
			return err
		}
	}
	if len(c.set) == 0 && !c.claim && !given(cmd, "status", "append-notes", "parent", "add-label", "remove-label", "set-labels") {
		return usagef("nothing to change was given").withHint("bd update --help")
	}
	return nil
}

// drafts makes the operations for all issues, or fails for all.
func (c *change) drafts(a *app, cmd *cobra.Command, tx *workspace.Tx, args []string, outcomes *[]outcome) ([]workspace.Draft, error) {
	ids, err := a.resolveAll(tx.Query, args, false)
	if err != nil {
		return nil, err
	}
	if given(cmd, "status") {
		if err := checkStatus(tx.Query, c.status); err != nil {
			return nil, err
		}
	}
	if given(cmd, "type") {
		if err := checkType(tx.Query, c.fields.kind); err != nil {
			return nil, err
		}
	}
	var drafts []workspace.Draft
	for _, id := range ids {
		state, err := tx.State(id)
		if err != nil {
			return nil, err
		}
		if err := a.refuseLost(id, c.force); err != nil {
			return nil, err
		}
		o, err := c.operation(a, cmd, tx, &state)
		if err != nil {
			return nil, err
		}
		changes := c.claim // also a renewal, which only moves the lease
		if !changes {
			if changes, err = a.changes(tx, &state, o); err != nil {
				return nil, err
			}
		}
		title := state.Issue.Title
		if given(cmd, "title") {
			title = "" // tell reads what it is now
		}
		if !changes {
			*outcomes = append(*outcomes, outcome{id, "Unchanged", title})
			continue
		}
		did := "Updated"
		if c.claim {
			did = "Claimed"
		}
		*outcomes = append(*outcomes, outcome{id, did, title})
		drafts = append(drafts, draft(o))
	}
	return drafts, nil
}

// operation is the one operation that makes the whole change to one issue.
func (c *change) operation(a *app, cmd *cobra.Command, tx *workspace.Tx, s *op.State) (*op.Operation, error) {
	o := &op.Operation{Do: op.DoUpdate, Issue: s.Issue.ID, Set: maps.Clone(c.set), Add: &op.Elements{}, Remove: &op.Elements{}}
	if given(cmd, "status") {
		o.Do = statusVerb(s.Issue.Status, c.status)
		o.Set["status"] = op.Str(c.status)
	}
	if c.appendNotes != "" {
		o.Append = map[string]string{"notes": c.appendNotes}
		if err := appendable(a, tx, s, o); err != nil {
			return nil, err
		}
	}
	c.labels(cmd, s, o)
	if given(cmd, "parent") {
		if err := c.reparent(a, tx, s, o); err != nil {
			return nil, err
		}
	}
	if len(o.Set) == 0 {
		o.Set = nil
	}
	dropEmpty(o)
	if c.claim {
		return o, a.claim(tx, s, o)
	}
	return o, nil
}

// appendable refuses what the fold would leave out. Notes that are set at the same
// time have room for what is added to them.
func appendable(a *app, tx *workspace.Tx, s *op.State, o *op.Operation) error {
	if _, anew := o.Set["notes"]; anew {
		return nil
	}
	if _, err := op.AppendedText(s.Issue.Notes, o.Append["notes"]); err != nil {
		return failf("too_long", "the notes of %s %v", a.shortID(tx.Query, s.Issue.ID), err).
			withHint("bd comments add puts a text beside them")
	}
	return nil
}

// statusVerb is the verb that a change of status is written under, for people
// and the audit; the fold looks only at the status.
func statusVerb(from, to string) string {
	switch {
	case to == issue.StatusClosed && from != to:
		return op.DoClose
	case from == issue.StatusClosed && from != to:
		return op.DoReopen
	}
	return op.DoUpdate
}

// labels makes the label changes, leaving out what is so already.
func (c *change) labels(cmd *cobra.Command, s *op.State, o *op.Operation) {
	add, drop := c.addLabels, c.dropLabels
	if given(cmd, "set-labels") {
		add, drop = c.setLabels, nil
		for _, label := range s.Issue.Labels {
			if !slices.Contains(c.setLabels, label) {
				drop = append(drop, label)
			}
		}
	}
	for _, label := range slices.Sorted(slices.Values(add)) {
		if !slices.Contains(s.Issue.Labels, label) {
			o.Add.Labels = append(o.Add.Labels, label)
		}
	}
	for _, label := range slices.Sorted(slices.Values(drop)) {
		if slices.Contains(s.Issue.Labels, label) {
			o.Remove.Labels = append(o.Remove.Labels, label)
		}
	}
}

// reparent replaces whatever parents the issue has.
func (c *change) reparent(a *app, tx *workspace.Tx, s *op.State, o *op.Operation) error {
	parent := ""
	if c.parent != "" {
		var err error
		if parent, err = a.resolve(tx.Query, c.parent, false); err != nil {
			return fmt.Errorf("--parent: %w", err)
		}
		if err := a.checkCycle(tx.Query, s.Issue.ID, parent, issue.DepParentChild); err != nil {
			return err
		}
	}
	has := false
	for _, d := range s.Issue.Dependencies {
		switch {
		case d.Type != issue.DepParentChild:
		case d.To == parent:
			has = true
		default:
			o.Remove.Deps = append(o.Remove.Deps, op.Dep{To: d.To, Type: d.Type})
		}
	}
	if parent != "" && !has {
		o.Add.Deps = append(o.Add.Deps, op.Dep{To: parent, Type: issue.DepParentChild})
	}
	return nil
}

// dropEmpty leaves out members that name nothing.
func dropEmpty(o *op.Operation) {
	for _, e := range []**op.Elements{&o.Add, &o.Remove} {
		if *e != nil && len((*e).Labels) == 0 && len((*e).Deps) == 0 {
			*e = nil
		}
	}
}
