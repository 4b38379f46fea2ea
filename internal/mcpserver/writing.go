package mcpserver

import (
	"context"
	"encoding/json"
	"slices"
)

// written is the result of tools that change issues.
type written struct {
	Issues []summary `json:"issues" jsonschema:"as they are now"`
}

// named are the arguments that name one or several issues.
type named struct {
	ID  string   `json:"issue_id,omitempty"`
	IDs []string `json:"issue_ids,omitempty"`
}

func (n named) ids() ([]string, error) {
	ids := slices.Clone(n.IDs)
	if n.ID != "" {
		ids = append(ids, n.ID)
	}
	if len(ids) == 0 {
		return nil, newProblem("invalid", "issue_id is missing", "issue_id names one issue, issue_ids several")
	}
	return ids, nil
}

// change runs a command that prints the issues it changed.
func (s *server) change(ctx context.Context, root string, n named, args line) (written, error) {
	ids, err := n.ids()
	if err != nil {
		return written{}, err
	}
	issues, err := read[[]summary](ctx, s, root, args.operands(ids...))
	return written{issues}, err
}

type createArguments struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty" jsonschema:"what is to be done and why; Markdown"`
	Design      string   `json:"design,omitempty" jsonschema:"how"`
	Acceptance  string   `json:"acceptance,omitempty" jsonschema:"when it is done"`
	Notes       string   `json:"notes,omitempty"`
	Priority    int      `json:"priority,omitempty"`
	Type        string   `json:"issue_type,omitempty"`
	Assignee    string   `json:"assignee,omitempty"`
	ExternalRef string   `json:"external_ref,omitempty" jsonschema:"reference elsewhere, such as gh-9"`
	Labels      []string `json:"labels,omitempty"`
	Deps        []string `json:"deps,omitempty" jsonschema:"dependencies, ID or TYPE:ID; an ID alone means that the new issue waits for that one"`
	Parent      string   `json:"parent,omitempty" jsonschema:"id of the issue that this is a part of"`
	ID          string   `json:"id,omitempty" jsonschema:"use this id instead of a random one"`
	where
}

func (s *server) create(ctx context.Context, in createArguments) (written, error) {
	args := command("create").with("description", in.Description).with("design", in.Design).with("acceptance", in.Acceptance).
		with("notes", in.Notes).number("priority", &in.Priority).with("type", in.Type).with("assignee", in.Assignee).
		with("external-ref", in.ExternalRef).each("labels", in.Labels).each("deps", in.Deps).with("parent", in.Parent).
		with("id", in.ID).operands(in.Title)
	made, err := read[summary](ctx, s, in.Root, args)
	return written{[]summary{made}}, err
}

type updateArguments struct {
	named
	Title              *string  `json:"title,omitempty"`
	Status             *string  `json:"status,omitempty"`
	Priority           *int     `json:"priority,omitempty"`
	Type               *string  `json:"issue_type,omitempty"`
	Assignee           *string  `json:"assignee,omitempty"`
	Description        *string  `json:"description,omitempty"`
	Design             *string  `json:"design,omitempty"`
	AcceptanceCriteria *string  `json:"acceptance_criteria,omitempty"`
	Notes              *string  `json:"notes,omitempty" jsonschema:"replaces all notes"`
	AppendNotes        *string  `json:"append_notes,omitempty" jsonschema:"is added to the notes"`
	ExternalRef        *string  `json:"external_ref,omitempty"`
	Due                *string  `json:"due,omitempty" jsonschema:"date, such as 2026-11-23 or +2d"`
	Defer              *string  `json:"defer,omitempty" jsonschema:"not ready before this date"`
	Parent             *string  `json:"parent,omitempty" jsonschema:"id of the issue that this is a part of"`
	AddLabels          []string `json:"add_labels,omitempty"`
	RemoveLabels       []string `json:"remove_labels,omitempty"`
	where
}

func (s *server) update(ctx context.Context, in updateArguments) (written, error) {
	return s.change(ctx, in.Root, in.named, command("update").set("title", in.Title).set("status", in.Status).
		number("priority", in.Priority).set("type", in.Type).set("assignee", in.Assignee).set("description", in.Description).
		set("design", in.Design).set("acceptance", in.AcceptanceCriteria).set("notes", in.Notes).
		set("append-notes", in.AppendNotes).set("external-ref", in.ExternalRef).set("due", in.Due).set("defer", in.Defer).
		set("parent", in.Parent).each("add-label", in.AddLabels).each("remove-label", in.RemoveLabels))
}

type claimArguments struct {
	ID       string   `json:"issue_id,omitempty" jsonschema:"the issue to take; without it the first ready one that nobody has"`
	Priority *int     `json:"priority,omitempty" jsonschema:"without issue_id: only of this priority"`
	Type     string   `json:"issue_type,omitempty" jsonschema:"without issue_id: only of this type"`
	Labels   []string `json:"labels,omitempty" jsonschema:"without issue_id: only with all of these labels"`
	Confirm  bool     `json:"confirm,omitempty" jsonschema:"with issue_id: only if the Git remote confirms that no other clone was first"`
	where
}

func (s *server) claim(ctx context.Context, in claimArguments) (written, error) {
	if in.ID == "" && in.Confirm {
		return written{}, newProblem("invalid", "confirm needs issue_id", "")
	}
	if in.ID != "" {
		return s.change(ctx, in.Root, named{ID: in.ID}, command("update").on("claim", true).on("confirm", in.Confirm))
	}
	args := readyArguments{Priority: in.Priority, Type: in.Type, Labels: in.Labels}.filters("ready").on("claim", true)
	issues, err := read[[]summary](ctx, s, in.Root, args)
	return written{issues}, err
}

func (s *server) unclaim(ctx context.Context, in struct {
	named
	Force bool `json:"force,omitempty" jsonschema:"also what somebody else has, or you in an earlier session"`
	where
}) (written, error) {
	return s.change(ctx, in.Root, in.named, command("unclaim").on("force", in.Force))
}

func (s *server) close(ctx context.Context, in struct {
	named
	Reason string `json:"reason,omitempty" jsonschema:"what was done, or why not"`
	where
}) (written, error) {
	return s.change(ctx, in.Root, in.named, command("close").with("reason", in.Reason))
}

func (s *server) reopen(ctx context.Context, in struct {
	named
	Reason string `json:"reason,omitempty" jsonschema:"why; becomes a comment"`
	where
}) (written, error) {
	return s.change(ctx, in.Root, in.named, command("reopen").with("reason", in.Reason))
}

// linked is the result of dep.
type linked struct {
	Status string `json:"status" jsonschema:"added, exists, removed or absent"`
	From   string `json:"issue_id"`
	To     string `json:"depends_on_id"`
	Type   string `json:"type,omitempty"`
}

func (s *server) dep(ctx context.Context, in struct {
	From   string `json:"issue_id" jsonschema:"the issue that waits, or the child"`
	To     string `json:"depends_on_id" jsonschema:"the issue that it waits for, or the parent"`
	Type   string `json:"dep_type,omitempty"`
	Remove bool   `json:"remove,omitempty" jsonschema:"take the dependency of this type out instead"`
	where
}) (linked, error) {
	verb := "add"
	if in.Remove {
		verb = "remove"
	}
	return read[linked](ctx, s, in.Root, command("dep", verb).with("type", in.Type).operands(in.From, in.To))
}

// commented is the result of comment.
type commented struct {
	Comment json.RawMessage `json:"comment"`
}

func (s *server) comment(ctx context.Context, in struct {
	ID   string `json:"issue_id"`
	Text string `json:"text" jsonschema:"Markdown"`
	where
}) (commented, error) {
	made, err := read[json.RawMessage](ctx, s, in.Root, command("comments", "add").operands(in.ID, in.Text))
	return commented{made}, err
}
