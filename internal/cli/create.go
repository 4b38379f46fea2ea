package cli

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// creation is one run of create or q.
type creation struct {
	fields fieldFlags
	labels []string
	deps   []string
	parent string
	id     string
	silent bool
	dryRun bool

	set map[string]json.RawMessage
}

func newCreate(a *app) *cobra.Command {
	c := &creation{}
	cmd := &cobra.Command{
		Use:     "create TITLE",
		Aliases: []string{"new"},
		Short:   "Create an issue",
		Long: `Create an issue and print its id. Everything given becomes one operation, so that
the issue appears with its labels and dependencies or not at all.

--deps takes TYPE:ID, comma separated or repeated; an ID alone means blocks: the new
issue cannot start before that one is closed.`,
		Example: `  bd create "Fix login" -t bug -p 1 -l auth
  bd create "Write tests" --parent bd-x7k2 --deps discovered-from:bd-a9c1
  git log -1 --format=%b | bd create "Follow up" --body-file -`,
		Args: arguments(0, 1, "one TITLE (quote it if it has blanks)"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(a, cmd, args) },
	}
	c.fields.define(cmd)
	flags := cmd.Flags()
	flags.StringArrayVarP(&c.labels, "labels", "l", nil, "labels, comma separated or repeated")
	flags.StringArrayVar(&c.deps, "deps", nil, "dependencies, `TYPE:ID`, comma separated or repeated")
	flags.StringVar(&c.parent, "parent", "", "parent issue `ID`")
	flags.StringVar(&c.id, "id", "", "use this id instead of a random one")
	flags.BoolVar(&c.silent, "silent", false, "print the id only")
	flags.BoolVar(&c.dryRun, "dry-run", false, "show what would be created and write nothing")
	alias(cmd, "label", "labels")
	accepted(cmd, "force", "validate", "no-inherit-labels")
	return cmd
}

func newQuick(a *app) *cobra.Command {
	c := &creation{silent: true}
	cmd := &cobra.Command{
		Use:   "q TITLE…",
		Short: "Create an issue quickly: prints its id and nothing else",
		Long: `Create an issue and print nothing but its id, for scripts and for thoughts on the way. All
arguments together are the title.`,
		Example: `  bd q Fix the login page
  id=$(bd q "Fix login" -t bug -p 1)`,
		Args: arguments(1, -1, "a TITLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(a, cmd, []string{strings.Join(args, " ")})
		},
	}
	c.fields.define(cmd)
	flags := cmd.Flags()
	flags.StringArrayVarP(&c.labels, "labels", "l", nil, "labels, comma separated or repeated")
	flags.StringArrayVar(&c.deps, "deps", nil, "dependencies, `TYPE:ID`, comma separated or repeated")
	flags.StringVar(&c.parent, "parent", "", "parent issue `ID`")
	alias(cmd, "label", "labels")
	return cmd
}

func (c *creation) run(a *app, cmd *cobra.Command, args []string) error {
	if err := c.prepare(a, cmd, args); err != nil {
		return err
	}
	if c.dryRun {
		return c.preview(a, cmd)
	}
	made, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		o, err := c.operation(a, tx.Query)
		if err != nil {
			return nil, err
		}
		return []workspace.Draft{draft(o)}, nil
	})
	if err != nil {
		return err
	}
	if len(made) != 1 {
		return failf("failed", "the issue was not written")
	}
	id := made[0].Issue
	switch {
	case a.json:
		return a.view(cmd, func(q *projection.Query) error {
			i, err := q.Issue(id)
			if err != nil {
				return err
			}
			return a.printJSON(i)
		})
	case c.silent || a.quiet:
		a.printf("%s\n", id)
		return nil
	}
	return a.tell(cmd, []outcome{{id, "Created", c.fields.title}})
}

// prepare checks everything that needs no workspace.
func (c *creation) prepare(a *app, cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 1 && given(cmd, "title") && args[0] != c.fields.title:
		return usagef("two titles: %q and --title %q", args[0], c.fields.title)
	case len(args) == 1:
		if err := cmd.Flags().Set("title", args[0]); err != nil {
			return err
		}
	case !given(cmd, "title"):
		return usagef("bd %s needs a title", a.command).withHint("bd %s \"Fix login\"", a.command)
	}
	set, err := c.fields.values(a, cmd)
	if err != nil {
		return err
	}
	for field, value := range set {
		if string(value) == "null" { // nothing to clear yet
			delete(set, field)
		}
	}
	if set["priority"] == nil {
		set["priority"] = op.Int(2)
	}
	if set["issue_type"] == nil {
		c.fields.kind = issue.TypeTask
		set["issue_type"] = op.Str(issue.TypeTask)
	}
	if c.labels, err = labelList(c.labels); err != nil {
		return err
	}
	slices.Sort(c.labels)
	if given(cmd, "id") {
		if err := issue.ValidateID(c.id); err != nil {
			return invalid(err)
		}
	}
	c.set = set
	return nil
}

// operation makes the create operation against the current state.
func (c *creation) operation(a *app, q *projection.Query) (*op.Operation, error) {
	if err := c.route(a, q); err != nil {
		return nil, err
	}
	if a.configBool(a.ws.Place(), "validation.require_description") && strings.TrimSpace(c.fields.description) == "" {
		return nil, usagef("an issue needs a description here (validation.require_description)").withHint("bd %s TITLE -d TEXT", a.command)
	}
	if err := checkType(q, c.fields.kind); err != nil {
		return nil, err
	}
	id, err := c.newID(a, q)
	if err != nil {
		return nil, err
	}
	deps, err := c.dependencies(a, q, id)
	if err != nil {
		return nil, err
	}
	o := &op.Operation{Do: op.DoCreate, Issue: id, Set: c.set}
	if len(deps) > 0 || len(c.labels) > 0 {
		o.Add = &op.Elements{Labels: c.labels, Deps: deps}
	}
	return o, nil
}

// route sends an id that was asked for to the workspace whose ids begin so: here
// it would hide an issue of the same id there.
func (c *creation) route(a *app, q *projection.Query) error {
	if c.id == "" || a.routed != nil {
		return nil
	}
	state, err := q.State(c.id)
	if err != nil || state.Exists {
		return err
	}
	err = a.findRoute(q, c.id, &projection.NotFoundError{Input: c.id})
	var free *projection.NotFoundError
	var e *elsewhere
	if errors.As(err, &free) && !errors.As(err, &e) {
		return nil
	}
	return err
}

// newID is the id asked for, or a random one that is free.
func (c *creation) newID(a *app, q *projection.Query) (string, error) {
	if c.id != "" {
		state, err := q.State(c.id)
		switch {
		case err != nil:
			return "", err
		case state.Exists && state.Deleted:
			return "", failf("exists", "issue %s exists already, deleted", c.id).withHint("bd restore %s", c.id)
		case state.Exists:
			return "", failf("exists", "issue %s exists already", c.id).withHint("bd update %s", c.id)
		}
		return c.id, nil
	}
	settings, err := q.Settings()
	if err != nil {
		return "", err
	}
	for {
		id, err := op.NewIssueID(settings.Prefix(), a.Rand)
		if err != nil {
			return "", err
		}
		last, err := q.IssueMaxID(id)
		if err != nil {
			return "", err
		}
		if last.IsZero() {
			return id, nil
		}
	}
}

// dependencies resolves --deps and --parent.
func (c *creation) dependencies(a *app, q *projection.Query, id string) ([]op.Dep, error) {
	var deps []op.Dep
	add := func(kind, target string) error {
		to, err := a.resolve(q, target, false)
		var e *elsewhere
		if errors.As(err, &e) {
			return failf("several_workspaces", "%s is routed to another workspace (%s) than the new issue", target, e.route.Path).
				withHint("dependencies do not lead from one workspace to another: create the issue there, or leave them out")
		}
		if err != nil {
			return err
		}
		dep := op.Dep{To: to, Type: kind}
		if slices.ContainsFunc(deps, func(d op.Dep) bool { return d.To == dep.To && d.Type == dep.Type }) {
			return nil
		}
		deps = append(deps, dep)
		if c.id == "" { // nothing can depend on a fresh random id
			return nil
		}
		return a.checkCycle(q, id, to, kind)
	}
	for _, text := range splitList(c.deps) {
		kind, target, ok := strings.Cut(text, ":")
		if !ok {
			kind, target = issue.DepBlocks, text
		}
		if err := issue.ValidateName("dependency type", kind); err != nil {
			return nil, invalid(err)
		}
		if err := add(kind, target); err != nil {
			return nil, err
		}
	}
	if c.parent != "" {
		if err := add(issue.DepParentChild, c.parent); err != nil {
			return nil, err
		}
	}
	return deps, nil
}

// preview folds the operation into nothing and shows the result.
func (c *creation) preview(a *app, cmd *cobra.Command) error {
	return a.view(cmd, func(q *projection.Query) error {
		o, err := c.operation(a, q)
		if err != nil {
			return err
		}
		tx := &workspace.Tx{Query: q, Now: a.Now()}
		var state op.State
		trial, err := a.trial(tx, &state, o)
		if err != nil {
			return err
		}
		state.Apply(trial)
		if c.id == "" {
			state.Issue.ID = "" // the next run will draw another one
		}
		if a.json {
			return a.printJSON(state.Issue)
		}
		a.printf("Would create a P%[2]d %[1]s: %[3]s\n", state.Issue.Type, state.Issue.Priority, visible(state.Issue.Title))
		return nil
	})
}
