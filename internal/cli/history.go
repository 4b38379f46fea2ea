package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
)

func newHistory(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:     "history ID",
		Aliases: []string{"log"},
		Short:   "Show every operation on an issue",
		Long: `Show every operation on an issue, also a deleted one, in the order in which they count.
An operation may have no effect: a claim that came second, a line that lost against
another of the same id, or one that a newer bd wrote.`,
		Example: `  bd history bd-x7k2
  bd history bd-x7k2 -n 5 --json`,
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usagef("--limit must not be negative")
			}
			return a.view(cmd, func(q *projection.Query) error {
				id, err := a.resolveGone(q, args[0])
				if err != nil {
					return err
				}
				entries, err := q.History(id)
				if err != nil {
					return err
				}
				if limit > 0 && len(entries) > limit {
					entries = entries[len(entries)-limit:]
				}
				if a.json {
					return a.historyJSON(entries)
				}
				a.printHistory(entries)
				return nil
			})
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 0, "only the last so many (0: all)")
	return cmd
}

// effectText is what became of an operation.
func effectText(e projection.HistoryEntry) string {
	if e.Effect == "" {
		return "applied"
	}
	return e.Effect
}

// historyJSON prints the operations as they are in the log, with their effect.
func (a *app) historyJSON(entries []projection.HistoryEntry) error {
	objects := make([]json.RawMessage, 0, len(entries))
	for _, e := range entries {
		if e.Effect == projection.EffectUnreadable {
			known, err := object(member{"op", e.Op.ID.String()}, member{"issue", e.Op.Issue}, member{"effect", e.Effect})
			if err != nil {
				return err
			}
			objects = append(objects, known)
			continue
		}
		effect, err := json.Marshal(effectText(e))
		if err != nil {
			return err
		}
		line := bytes.TrimRight(e.Line, " \t")
		objects = append(objects, slices.Concat(line[:len(line)-1], []byte(`,"effect":`), effect, []byte("}")))
	}
	return a.printJSON(objects)
}

func (a *app) printHistory(entries []projection.HistoryEntry) {
	t := table{columns: []column{{"TIME", optional}, {"BY", cuttable}, {"WHAT", firm}, {"CHANGE", cuttable}}}
	for _, e := range entries {
		by := e.Op.By
		if e.Op.Session != "" {
			by += " (" + e.Op.Session + ")"
		}
		change := describe(&e.Op)
		look := plain
		if e.Effect != "" {
			change, look = strings.TrimSpace("["+e.Effect+"] "+change), dim
		}
		t.rows = append(t.rows, []cell{{a.localTime(e.Op.At), plain}, {visible(by), cyan}, {visible(e.Op.Do), plain}, {visible(change), look}})
	}
	a.printTable(t)
}

// describe is what an operation changes, in one line.
func describe(o *op.Operation) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if len(o.Legacy) > 0 {
		add("a snapshot record")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Set)) {
		add("%s %s", name, valueText(o.Set[name]))
	}
	for _, side := range []struct {
		sign     string
		elements *op.Elements
	}{{"-", o.Remove}, {"+", o.Add}} {
		if side.elements == nil {
			continue
		}
		for _, label := range side.elements.Labels {
			add("%slabel %s", side.sign, label)
		}
		for _, d := range side.elements.Deps {
			add("%s%s %s", side.sign, d.Type, d.To)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Append)) {
		add("%s += %s", name, quoted(o.Append[name]))
	}
	switch {
	case o.Comment != nil:
		add("%s", quoted(o.Comment.Text))
	case o.CommentEdit != nil:
		add("comment now %s", quoted(o.CommentEdit.Text))
	case o.CommentDelete != nil:
		add("comment removed")
	}
	return strings.Join(parts, ", ")
}

// valueText is the value of a field: words bare, texts quoted and short.
func valueText(value json.RawMessage) string {
	if string(value) == "null" {
		return "cleared"
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return cutWith(string(value), quotedWidth, "...")
	}
	if text != "" && !strings.ContainsAny(text, " \t\n\",") && displayWidth(text) <= quotedWidth {
		return text
	}
	return quoted(text)
}

const quotedWidth = 60

func quoted(text string) string { return strconv.Quote(cutWith(text, quotedWidth, "...")) }
