package cli

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/terminal"
	"beads/internal/workspace"
)

// editable are the fields that bd edit opens, by flag.
func editable() []struct{ flag, field, usage string } {
	return []struct{ flag, field, usage string }{
		{"title", "title", "edit the title"},
		{"description", "description", "edit the description (the default)"},
		{"design", "design", "edit the design notes"},
		{"notes", "notes", "edit the notes"},
		{"acceptance", "acceptance_criteria", "edit the acceptance criteria"},
	}
}

func newEdit(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edit ID",
		Short: "Change a text of an issue in your editor",
		Long: `Open one text of an issue in $VISUAL or $EDITOR. What you save is written when the
editor ends. Should somebody have changed the same text meanwhile, nothing is written,
and the file with your version stays.`,
		Example:           "  bd edit bd-x7k2\n  bd edit bd-x7k2 --notes",
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			field := "description"
			n := 0
			for _, e := range editable() {
				if given(cmd, e.flag) {
					field = e.field
					n++
				}
			}
			if n > 1 {
				return usagef("one text at a time")
			}
			return a.edit(cmd, args[0], field)
		},
	}
	for _, e := range editable() {
		cmd.Flags().Bool(e.flag, false, e.usage)
	}
	return cmd
}

// editableFlag is the flag of update, too, that sets the field.
func editableFlag(field string) string {
	for _, e := range editable() {
		if e.field == field {
			return e.flag
		}
	}
	return field
}

// textOf is the text of an issue that bd edit opens.
func textOf(i issue.Issue, field string) string {
	switch field {
	case "title":
		return i.Title
	case "design":
		return i.Design
	case "notes":
		return i.Notes
	case "acceptance_criteria":
		return i.AcceptanceCriteria
	}
	return i.Description
}

// edit keeps no lock while the person types. The text is compared again when it
// is written.
func (a *app) edit(cmd *cobra.Command, input, field string) error {
	var before issue.Issue
	err := a.view(cmd, func(q *projection.Query) error {
		id, err := a.resolve(q, input, false)
		if err != nil {
			return err
		}
		before, err = q.Issue(id)
		return err
	})
	if err != nil {
		return err
	}
	if a.readonly {
		return workspace.ErrReadOnly
	}
	if !a.StdoutTerminal && a.Getenv("VISUAL") == "" && a.Getenv("EDITOR") == "" {
		// vi would wait for somebody to type, for ever where that is an agent.
		return usagef("without a terminal bd edit needs an editor in $VISUAL or $EDITOR").
			withHint("bd update %s --%s -", input, editableFlag(field))
	}
	old := textOf(before, field)
	text, path, err := terminal.Edit(cmd.Context(), terminal.Editor(a.Getenv), a.ws.Place().Dir, ".md", old+"\n", terminal.Streams{
		Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr, Dir: a.Dir, Environ: a.Environ,
	})
	if err != nil {
		return err
	}
	text = strings.TrimRight(text, "\r\n")
	if err := a.saveEdited(cmd, before.ID, field, old, text); err != nil {
		return failf(asFailure(err).code, "%w", err).withHint("your version is in %s", path)
	}
	return os.Remove(path)
}

// saveEdited writes a text that a person edited, unless it is another one by now.
func (a *app) saveEdited(cmd *cobra.Command, id, field, old, text string) error {
	check := func() error { return issue.ValidateText(strings.ReplaceAll(field, "_", " "), text) }
	if field == "title" {
		check = func() error { return issue.ValidateTitle(text) }
	}
	if err := check(); err != nil {
		return invalid(err)
	}
	return a.eachIssue(cmd, []string{id}, func(_ *workspace.Tx, s *op.State) (*op.Operation, string, error) {
		switch {
		case text == old:
			return nil, "Unchanged", nil
		case textOf(s.Issue, field) != old:
			return nil, "", failf("changed", "the %s of %s was changed meanwhile", strings.ReplaceAll(field, "_", " "), id)
		}
		return &op.Operation{Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{field: op.Str(text)}}, "Updated", nil
	})
}
