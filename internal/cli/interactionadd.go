package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// interactionFlags are the members of a record as the command line has them.
type interactionFlags struct {
	record                   op.Interaction
	issue, parent, extra     string
	promptFile, responseFile string
	exit                     int
	stdin                    bool
}

func newInteractionAdd(a *app) *cobra.Command {
	var f interactionFlags
	cmd := &cobra.Command{
		Use:     "add",
		Aliases: []string{"record"}, // upstream's name
		Short:   "Record an interaction",
		Long: `Record an interaction and print its id. With --stdin records come as JSON lines from
standard input, all of them or none: {"kind":"tool_call","tool_name":"make","exit_code":2}.
What such a record lacks of id, created_at and actor is filled in; one with an id is
taken over as it is, once. Members that bd does not know are kept.`,
		Example: `  bd interactions add --kind llm_call --model opus --prompt-file p.txt --response "use a mutex" --issue bd-x7k2
  bd interactions add --kind tool_call --tool-name make --exit-code 2 --error "no rule"
  agent-log | bd interactions add --stdin`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.stdin {
				return a.addFromStdin(cmd)
			}
			return a.addInteraction(cmd, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.record.Kind, "kind", "", "llm_call, tool_call, label, or any other name")
	flags.StringVar(&f.issue, "issue", "", "the issue `ID` it is about")
	flags.StringVar(&f.record.Model, "model", "", "the model that was asked")
	flags.StringVar(&f.record.Prompt, "prompt", "", "what it was asked; - reads standard input")
	flags.StringVar(&f.promptFile, "prompt-file", "", "read the prompt from `FILE`; - reads standard input")
	flags.StringVar(&f.record.Response, "response", "", "what it answered; - reads standard input")
	flags.StringVar(&f.responseFile, "response-file", "", "read the response from `FILE`; - reads standard input")
	flags.StringVar(&f.record.Error, "error", "", "what went wrong")
	flags.StringVar(&f.record.ToolName, "tool-name", "", "the tool that was called")
	flags.IntVar(&f.exit, "exit-code", 0, "how it ended")
	flags.StringVar(&f.parent, "parent", "", "the record `ID` that this one is about")
	flags.StringVar(&f.record.Label, "label", "", "a judgement on that record, such as good or bad")
	flags.StringVar(&f.record.Reason, "reason", "", "why")
	flags.StringVar(&f.extra, "extra", "", "anything else, as a JSON object")
	flags.BoolVar(&f.stdin, "stdin", false, "read whole records, one JSON object a line")
	flags.StringVar(&f.issue, "issue-id", "", "upstream's name of --issue")
	hide(cmd, "issue-id")
	a.completeInteractionFlags(cmd)
	return cmd
}

// complete takes the flags that are not a member as they are.
func (f *interactionFlags) complete(a *app, cmd *cobra.Command) error {
	i := &f.record
	if i.Kind == "" {
		return usagef("--kind is missing").withHint("bd interactions add --help")
	}
	if cmd.Flags().Changed("exit-code") {
		i.ExitCode = &f.exit
	}
	for _, text := range []struct {
		name, file string
		value      *string
	}{{"prompt", f.promptFile, &i.Prompt}, {"response", f.responseFile, &i.Response}} {
		file := text.file
		if *text.value == "-" {
			file, *text.value = "-", ""
		}
		if file == "" {
			continue
		}
		if *text.value != "" {
			return usagef("--%s and --%s-file exclude each other", text.name, text.name)
		}
		read, err := a.readText(file)
		if err != nil {
			return err
		}
		*text.value = read
	}
	if f.extra != "" {
		i.Extra = json.RawMessage(f.extra)
	}
	return checkInteraction(i, a.Now())
}

// checkInteraction lets the reader of the log judge what came from flags, before
// anything is opened.
func checkInteraction(i *op.Interaction, now time.Time) error {
	if i.Kind == op.KindLabel && i.Label == "" {
		return usagef("a record of kind label needs --label and --parent").withHint("bd interactions label ID good")
	}
	trial := *i
	trial.ID, trial.CreatedAt, trial.Actor = op.MinID(now), now, "x"
	if _, err := op.EncodeInteraction(&trial); err != nil {
		var bad *op.BadLine
		if errors.As(err, &bad) {
			err = bad
		}
		return invalid(fmt.Errorf("the record is not valid: %w", err))
	}
	return nil
}

func (a *app) addInteraction(cmd *cobra.Command, f *interactionFlags) error {
	if err := f.complete(a, cmd); err != nil {
		return err
	}
	made, err := a.record(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		i := f.record
		if f.parent != "" {
			parent, err := tx.Interaction(f.parent)
			if err != nil {
				return nil, err
			}
			i.Parent, i.Issue = parent.ID, parent.Issue
		} else if i.Kind == op.KindLabel {
			return nil, usagef("a record of kind label needs --label and --parent").withHint("bd interactions label ID good")
		}
		if f.issue != "" {
			issue, err := a.resolve(tx.Query, f.issue, false)
			if err != nil {
				return nil, err
			}
			i.Issue = issue
		}
		return []workspace.Draft{{Interaction: &i}}, nil
	})
	if err != nil {
		return err
	}
	return a.tellInteractions(made, false)
}

// tellInteractions prints the ids, or with --json the records.
func (a *app) tellInteractions(made []*op.Interaction, many bool) error {
	if a.json && !many && len(made) == 1 {
		return a.printInteraction(made[0])
	}
	if a.json {
		all := make([]op.Interaction, len(made))
		for n, i := range made {
			all[n] = *i
		}
		return a.printInteractions(all)
	}
	for _, i := range made {
		a.printf("%s\n", i.ID)
	}
	return nil
}

// What one call takes from standard input, since it is written at once.
const (
	maxRecords     = 100_000
	maxRecordBytes = 64 << 20
)

func (a *app) addFromStdin(cmd *cobra.Command) error {
	if given(cmd, "kind", "issue", "issue-id", "model", "prompt", "prompt-file", "response", "response-file", "error",
		"tool-name", "exit-code", "parent", "label", "reason", "extra") {
		return usagef("--stdin takes whole records: no other flags of a record").withHint("bd interactions add --help")
	}
	records, err := readRecords(a.input)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return usagef("no records on standard input").withHint("bd interactions add --help")
	}
	made, err := a.record(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		drafts := make([]workspace.Draft, 0, len(records))
		before := map[op.ID]bool{}
		for n, r := range records {
			d, err := a.recordDraft(tx.Query, r, before)
			if err != nil {
				return nil, fmt.Errorf("record %d: %w", n+1, err)
			}
			drafts = append(drafts, d)
		}
		return drafts, nil
	})
	if err != nil {
		return err
	}
	return a.tellInteractions(made, true)
}

// readRecords reads JSON lines. The first wrong one fails the whole.
func readRecords(in io.Reader) ([]op.Record, error) {
	var records []op.Record
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), op.MaxLine+64)
	size := 0
	for number := 1; lines.Scan(); number++ {
		for _, part := range op.Interactions.Split(append([]byte(nil), lines.Bytes()...)) {
			record, err := op.ParseInteraction(part)
			if err == nil && !record.Interaction.ID.IsZero() {
				decoder := op.Decoder{Stream: op.Interactions}
				record, err = decoder.Read(part)
			}
			if err != nil {
				return nil, invalid(fmt.Errorf("line %d of standard input: %w", number, err))
			}
			records, size = append(records, record), size+len(part)
			if len(records) > maxRecords || size > maxRecordBytes {
				return nil, failf("too_long", "more than %d records or %d bytes on standard input: give them in parts", maxRecords, maxRecordBytes)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return records, nil
}

// recordDraft checks what a record names. One with an id is relayed as it is.
// before are the ids of those before it.
func (a *app) recordDraft(q *projection.Query, r op.Record, before map[op.ID]bool) (workspace.Draft, error) {
	i := *r.Interaction
	if !i.Parent.IsZero() && !before[i.Parent] {
		if _, err := q.Interaction(i.Parent.String()); err != nil {
			return workspace.Draft{}, err
		}
	}
	if i.Issue != "" {
		issue, err := a.resolveGone(q, i.Issue)
		if err != nil {
			return workspace.Draft{}, err
		}
		if i.ID.IsZero() {
			i.Issue = issue
		}
	}
	if i.ID.IsZero() {
		return workspace.Draft{Interaction: &i}, nil
	}
	before[i.ID] = true
	return workspace.Draft{Interaction: &i, Line: r.Line, Sum: r.Sum}, nil
}

func newInteractionLabel(a *app) *cobra.Command {
	var f interactionFlags
	cmd := &cobra.Command{
		Use:   "label ID LABEL",
		Short: "Judge an earlier interaction",
		Long: `Record a judgement on an earlier interaction, such as good or bad. The record itself
does not change: the label is a record of its own that names it, and several may.`,
		Example: `  bd interactions label 01KAQ0T6V3 good
  bd interactions label 01KAQ0T6V3 bad -r "ignored the failing test"`,
		Args: arguments(1, 2, "an ID and a LABEL"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return a.completeInteractions(cmd, args, typed)
			case 1:
				return []cobra.Completion{"good", "bad"}, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				f.record.Label = args[1]
			}
			if f.record.Label == "" {
				return usagef("the LABEL is missing").withHint("bd interactions label %s good", args[0])
			}
			f.record.Kind, f.parent = op.KindLabel, args[0]
			return a.addInteraction(cmd, &f)
		},
	}
	cmd.Flags().StringVarP(&f.record.Reason, "reason", "r", "", "why")
	cmd.Flags().StringVar(&f.record.Label, "label", "", "upstream's way to give the LABEL")
	hide(cmd, "label")
	return cmd
}

// completeInteractionFlags offers what the flags of records take.
func (a *app) completeInteractionFlags(cmd *cobra.Command) {
	for name, complete := range map[string]cobra.CompletionFunc{
		"issue":  a.completeIDs,
		"parent": a.completeInteractions,
		"kind":   cobra.FixedCompletions([]cobra.Completion{op.KindLLMCall, op.KindToolCall, op.KindLabel}, cobra.ShellCompDirectiveNoFileComp),
		"label":  cobra.FixedCompletions([]cobra.Completion{"good", "bad"}, cobra.ShellCompDirectiveNoFileComp),
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, complete) // it fails only for a flag that is not there
	}
}

// completeInteractions offers the newest records.
func (a *app) completeInteractions(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	a.quiet, a.readonly = true, true
	var offered []cobra.Completion
	err := a.viewAll(cmd, func(q *projection.Query) error {
		found, err := q.Interactions(projection.InteractionFilter{Limit: interactionLimit})
		for n := len(found) - 1; err == nil && n >= 0; n-- {
			var id, text string
			if id, err = q.ShortInteraction(found[n].ID); err != nil {
				return err
			}
			if text, err = a.interactionText(q, &found[n]); err == nil && strings.HasPrefix(id, strings.ToUpper(typed)) {
				offered = append(offered, cobra.CompletionWithDesc(id, visible(found[n].Kind+" "+cut(text, quotedWidth))))
			}
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
