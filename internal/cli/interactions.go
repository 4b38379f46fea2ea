package cli

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func newInteractions(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "interactions",
		Aliases: []string{"interaction", "audit"}, // audit: upstream's name
		Short:   "Record what agents did, and judge it",
		Long: `Keep a log of what agents did: calls of models (llm_call) and of tools (tool_call), with
prompts and answers, and judgements on them (label). It is a log of its own,
.beads/interactions.jsonl, kept and repaired like that of the issues. Records are only
ever added.

It may hold prompts, so it stays in this clone even where the issues are shared, until
someone says otherwise: bd config set interactions.replicate true`,
		Example: `  bd interactions add --kind tool_call --tool-name "go test" --exit-code 1 --issue bd-x7k2
  bd interactions label 01KAQ0T6V3 good -r "found the cause at once"
  bd interactions list --issue bd-x7k2`,
	}
	cmd.AddCommand(newInteractionAdd(a), newInteractionLabel(a), newInteractionList(a), newInteractionSearch(a), newInteractionShow(a))
	return needSubcommand(cmd)
}

// viewAll is view with the interactions up to date too.
func (a *app) viewAll(cmd *cobra.Command, fn func(*projection.Query) error) error {
	return a.inWorkspace(cmd.Context(), func(w *workspace.Workspace) error { return w.ViewAll(cmd.Context(), fn) })
}

// record is commit for interactions.
func (a *app) record(cmd *cobra.Command, decide func(*workspace.Tx) ([]workspace.Draft, error)) ([]*op.Interaction, error) {
	var made []*op.Interaction
	err := a.inWorkspace(cmd.Context(), func(w *workspace.Workspace) (err error) {
		if err = a.checkActor(w.Place()); err == nil {
			made, err = w.Record(cmd.Context(), decide)
		}
		return err
	})
	return made, err
}

// interactionFilter are the flags that narrow a list.
type interactionFilter struct {
	issue, parent, since, until string
	limit                       int
	filter                      projection.InteractionFilter
}

// interactionLimit is how many are listed unless asked otherwise.
const interactionLimit = 50

func (f *interactionFilter) define(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.issue, "issue", "", "only about issue `ID`")
	flags.StringVar(&f.filter.Kind, "kind", "", "only of this kind")
	flags.StringVar(&f.filter.Actor, "by", "", "only by this actor") // --actor says who calls, for every command
	flags.StringVar(&f.filter.Model, "model", "", "only of this model")
	flags.StringVar(&f.filter.ToolName, "tool-name", "", "only of this tool")
	flags.StringVar(&f.filter.Label, "label", "", "only with this label")
	flags.StringVar(&f.parent, "parent", "", "only on record `ID`")
	flags.StringVar(&f.since, "since", "", "only from this time on (2026-11-23, -2d, yesterday, …)")
	flags.StringVar(&f.until, "until", "", "only up to this time")
	flags.IntVarP(&f.limit, "limit", "n", interactionLimit, "only the newest so many (0: all)")
	a.completeInteractionFlags(cmd)
}

// read makes the filter of the flags.
func (f *interactionFilter) read(a *app, q *projection.Query) (filter projection.InteractionFilter, err error) {
	filter = f.filter
	if f.limit < 0 {
		return filter, usagef("--limit must not be negative")
	}
	filter.Limit = f.limit
	if f.issue != "" {
		if filter.Issue, err = a.resolveGone(q, f.issue); err != nil {
			return filter, err
		}
	}
	if f.parent != "" {
		parent, err := q.Interaction(f.parent)
		if err != nil {
			return filter, err
		}
		filter.Parent = parent.ID
	}
	if f.since != "" {
		if filter.Since, err = a.parseDate(f.since, false); err != nil {
			return filter, err
		}
	}
	if f.until != "" {
		filter.Until, err = a.parseDate(f.until, true)
	}
	return filter, err
}

func newInteractionList(a *app) *cobra.Command {
	var f interactionFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List interactions, the newest last",
		Long:  "List the interactions that the flags select, in the order in which they were recorded.",
		Example: `  bd interactions list --issue bd-x7k2
  bd interactions list --kind label --label bad --since -7d --json`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listInteractions(cmd, &f) },
	}
	f.define(a, cmd)
	return cmd
}

func newInteractionSearch(a *app) *cobra.Command {
	var f interactionFilter
	cmd := &cobra.Command{
		Use:   "search TEXT",
		Short: "Find interactions by their text",
		Long: `Find interactions that hold TEXT in their prompt, response, error or any other text,
whatever its case.`,
		Example: `  bd interactions search "connection refused"
  bd interactions search timeout --kind tool_call -n 0 --json`,
		Args: arguments(1, -1, "a TEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.filter.Text = strings.Join(args, " "); strings.TrimSpace(f.filter.Text) == "" {
				return usagef("the TEXT to search for is missing").withHint("bd interactions search --help")
			}
			return a.listInteractions(cmd, &f)
		},
	}
	f.define(a, cmd)
	return cmd
}

func (a *app) listInteractions(cmd *cobra.Command, f *interactionFilter) error {
	return a.viewAll(cmd, func(q *projection.Query) error {
		filter, err := f.read(a, q)
		if err != nil {
			return err
		}
		found, err := q.Interactions(filter)
		if err != nil {
			return err
		}
		if a.json {
			return a.printInteractions(found)
		}
		if len(found) == 0 {
			a.say("No interactions.")
			return nil
		}
		if err := a.tableInteractions(q, found); err != nil {
			return err
		}
		if !cmd.Flags().Changed("limit") && len(found) == f.limit {
			a.notice("only the newest " + strconv.Itoa(f.limit) + " are shown; -n 0 shows all")
		}
		return nil
	})
}

// printInteractions prints records as a JSON array.
func (a *app) printInteractions(found []op.Interaction) error {
	objects := make([]json.RawMessage, 0, len(found))
	for n := range found {
		object, err := found[n].AppendJSON(nil)
		if err != nil {
			return err
		}
		objects = append(objects, object)
	}
	return a.printJSON(objects)
}

func (a *app) tableInteractions(q *projection.Query, found []op.Interaction) error {
	t := table{columns: []column{{"ID", firm}, {"TIME", firm}, {"KIND", firm}, {"ISSUE", optional}, {"BY", optional}, {"WHAT", cuttable}}}
	for n := range found {
		i := &found[n]
		id, err := a.shortInteraction(q, i.ID)
		if err != nil {
			return err
		}
		issue := ""
		if i.Issue != "" {
			issue = a.shortID(q, i.Issue)
		}
		what, err := a.interactionText(q, i)
		if err != nil {
			return err
		}
		t.rows = append(t.rows, []cell{
			{id, plain}, {a.localTime(i.CreatedAt), plain}, {visible(i.Kind), plain}, {visible(issue), plain},
			{visible(i.Actor), cyan}, {visible(what), interactionStyle(i)},
		})
	}
	a.printTable(t)
	return nil
}

// interactionStyle draws the eye to what failed.
func interactionStyle(i *op.Interaction) style {
	if i.Error != "" || i.ExitCode != nil && *i.ExitCode != 0 {
		return red
	}
	return plain
}

// interactionText is what a record says, in one line.
func (a *app) interactionText(q *projection.Query, i *op.Interaction) (string, error) {
	var parts []string
	for _, text := range []string{i.ToolName, i.Model, i.Label} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if !i.Parent.IsZero() {
		parent, err := a.shortInteraction(q, i.Parent)
		if err != nil {
			return "", err
		}
		parts = append(parts, "on "+parent)
	}
	if i.ExitCode != nil && *i.ExitCode != 0 {
		parts = append(parts, "exit "+strconv.Itoa(*i.ExitCode))
	}
	for _, text := range []string{i.Error, i.Reason, i.Prompt, i.Response} {
		if text = strings.TrimSpace(text); text != "" {
			line, more, _ := strings.Cut(text, "\n")
			if more != "" {
				line += " …"
			}
			parts = append(parts, line)
			break
		}
	}
	return strings.Join(parts, "  "), nil
}

// shortInteraction is how people see the id of a record.
func (a *app) shortInteraction(q *projection.Query, id op.ID) (string, error) {
	if !a.StdoutTerminal || a.json {
		return id.String(), nil
	}
	return q.ShortInteraction(id)
}

func newInteractionShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "show ID",
		Short:             "Show an interaction whole, with what was said of it",
		Long:              "Show every member of one interaction, with its texts whole, and the judgements on it.",
		Example:           "  bd interactions show 01KAQ0T6V3",
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeInteractions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.viewAll(cmd, func(q *projection.Query) error {
				i, err := q.Interaction(args[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.printInteraction(&i)
				}
				labels, err := q.Interactions(projection.InteractionFilter{Parent: i.ID})
				if err != nil {
					return err
				}
				return a.showInteraction(q, &i, labels)
			})
		},
	}
}

func (a *app) printInteraction(i *op.Interaction) error {
	object, err := i.AppendJSON(nil)
	if err != nil {
		return err
	}
	return a.printJSON(json.RawMessage(object))
}

// showInteraction prints the short members in lines and the texts below.
func (a *app) showInteraction(q *projection.Query, i *op.Interaction, labels []op.Interaction) error {
	exit, parent, issue := "", "", ""
	if i.ExitCode != nil {
		exit = strconv.Itoa(*i.ExitCode)
	}
	if !i.Parent.IsZero() {
		parent = i.Parent.String()
	}
	if i.Issue != "" {
		issue = a.shortID(q, i.Issue)
	}
	for _, line := range [][2]string{
		{"ID", i.ID.String()}, {"Kind", i.Kind}, {"Time", a.localTime(i.CreatedAt)}, {"By", i.Actor}, {"Issue", issue},
		{"Model", i.Model}, {"Tool", i.ToolName}, {"Exit code", exit}, {"On", parent}, {"Label", i.Label},
	} {
		if line[1] != "" {
			a.printf("%-10s %s\n", line[0], visible(line[1]))
		}
	}
	for _, text := range [][2]string{
		{"Prompt", i.Prompt}, {"Response", i.Response}, {"Error", i.Error}, {"Reason", i.Reason}, {"Extra", string(i.Extra)},
	} {
		if text[1] == "" {
			continue
		}
		a.printf("\n%s\n", text[0])
		for line := range strings.SplitSeq(VisibleText(text[1]), "\n") {
			a.printf("  %s\n", line)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	a.printf("\nSaid of it\n")
	return a.tableInteractions(q, labels)
}
