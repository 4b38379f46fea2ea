package cli

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
)

// activityStatus is a --type that stands for every change of the status,
// whichever command made it.
const activityStatus = "status"

// activityTypes are the types that --type takes: the verbs that commands write,
// and status. Others may have written more.
func activityTypes() []string {
	return []string{
		op.DoCreate, op.DoUpdate, op.DoClaim, op.DoUnclaim, op.DoClose, op.DoReopen, op.DoLabel, op.DoDep,
		op.DoComment, op.DoDelete, op.DoRestore, op.DoImport, op.DoInit, op.DoConfig, activityStatus,
	}
}

// activityFlags choose what bd activity shows.
type activityFlags struct {
	types        []string
	issue, actor string
	since        string
	limit        int
	follow       bool
}

func newActivity(a *app) *cobra.Command {
	var f activityFlags
	cmd := &cobra.Command{
		Use:   "activity",
		Short: "Show what happened, the newest last",
		Long: `Show what happened to the issues, an operation a line, in the order in which operations
count; the last 50, or with --since all since then. What had no effect, such as a claim
that came second, says so.

-f goes on until you interrupt it, with what comes from here or from elsewhere, in the
order in which it comes here: each operation once, and none is left out. A daemon is not
needed. With --json the list is an array, and with -f each operation is a line.`,
		Example: `  bd activity
  bd activity --since 2h --type close,status
  bd activity -f --actor alice
  bd activity -f -n 0 --json`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.limit < 0 {
				return usagef("--limit must not be negative")
			}
			if f.since != "" && !given(cmd, "limit") {
				f.limit = 0
			}
			if f.follow {
				return a.followActivity(cmd, &f)
			}
			return a.view(cmd, func(q *projection.Query) error {
				choice, err := f.choice(a, q)
				if err != nil {
					return err
				}
				entries, err := q.Recent(choice)
				if err != nil {
					return err
				}
				return a.printActivity(q, entries)
			})
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on until interrupted")
	flags.IntVarP(&f.limit, "limit", "n", 50, "at most the last so many (0: all)")
	flags.StringVar(&f.since, "since", "", "since `TIME`, such as 10m, 2d, or a date")
	listFlag(cmd, &f.types, "type", "t", "of this type (several with commas): "+strings.Join(activityTypes(), ", "))
	flags.StringVar(&f.issue, "issue", "", "of issue `ID`")
	flags.StringVar(&f.actor, "actor", "", "by `NAME`")
	alias(cmd, "mol", "issue")
	flags.String("interval", "", "accepted without effect: nothing is polled")
	hide(cmd, "interval")
	return cmd
}

// choice is what the flags choose. The limit is left out when everything is
// wanted of what comes.
func (f *activityFlags) choice(a *app, q *projection.Query) (choice projection.Activity, err error) {
	choice.Limit, choice.Actor = f.limit, f.actor
	if f.since != "" {
		since, err := a.parseSince(f.since)
		if err != nil {
			return choice, err
		}
		choice.Since = op.MinID(since)
	}
	if f.issue != "" {
		if choice.Issue, err = a.resolveGone(q, f.issue); err != nil {
			return choice, err
		}
	}
	types := splitList(f.types)
	for _, name := range types {
		if !slices.Contains(activityTypes(), name) {
			return choice, usagef("unknown type %q; known are %s", name, strings.Join(activityTypes(), ", "))
		}
	}
	if len(types) > 0 {
		choice.Keep = func(o *op.Operation) bool { return ofType(o, types) }
	}
	return choice, nil
}

// ofType reports whether o is of one of the types.
func ofType(o *op.Operation, types []string) bool {
	if slices.Contains(types, o.Do) {
		return true
	}
	return o.Set["status"] != nil && slices.Contains(types, activityStatus)
}

// parseSince reads how long ago (10m, 2h, 3d, 1w), or a date.
func (a *app) parseSince(text string) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return a.Now().Add(-d), nil
	}
	if t, err := a.parseDate("-"+text, false); err == nil { // 2d, 1w
		return t, nil
	}
	return a.parseDate(text, false)
}

// printActivity prints what was there, all at once.
func (a *app) printActivity(q *projection.Query, entries []projection.HistoryEntry) error {
	if a.json {
		events := make([]activityEvent, 0, len(entries))
		for _, e := range entries {
			events = append(events, newActivityEvent(e))
		}
		return a.printJSON(events)
	}
	if len(entries) == 0 {
		a.say("Nothing has happened.")
	}
	for _, e := range entries {
		a.printActivityLine(q, e)
	}
	return nil
}

// activityEvent is an operation as bd activity --json prints it. Names that
// upstream has are upstream's.
type activityEvent struct {
	ID        string          `json:"id"`
	Timestamp time.Time       `json:"timestamp"`
	Type      string          `json:"type"`
	Issue     string          `json:"issue_id"` // "": of the workspace
	Title     string          `json:"title"`
	Actor     string          `json:"actor"`
	Message   string          `json:"message"`
	OldStatus string          `json:"old_status,omitempty"` // both, if it changed
	NewStatus string          `json:"new_status,omitempty"`
	Effect    string          `json:"effect"`
	Operation json.RawMessage `json:"operation,omitempty"` // as the log has it
}

func newActivityEvent(e projection.HistoryEntry) activityEvent {
	event := activityEvent{
		ID: e.Op.ID.String(), Timestamp: activityTime(e).UTC(), Type: e.Op.Do, Issue: e.Op.Issue, Title: e.Title,
		Actor: e.Op.By, Message: strings.Join(compactWords(cmp.Or(e.Op.Issue, "workspace"), didWord(e), e.Title, changeText(e)), " "),
		Effect: effectText(e),
	}
	if e.OldStatus != e.NewStatus && e.Op.Issue != "" {
		event.OldStatus, event.NewStatus = e.OldStatus, e.NewStatus
	}
	if e.Effect == projection.EffectUnreadable {
		event.Type = e.Effect
	} else {
		event.Operation = json.RawMessage(e.Line)
	}
	return event
}

// activityTime is when the operation was made; of one that cannot be read its id
// tells.
func activityTime(e projection.HistoryEntry) time.Time {
	if e.Op.At.IsZero() {
		return e.Op.ID.Time()
	}
	return e.Op.At
}

// compactWords leaves out what is empty.
func compactWords(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}

// printActivityLine prints an operation in a line of its own, which fits the
// terminal.
func (a *app) printActivityLine(q *projection.Query, e projection.HistoryEntry) {
	id := "workspace"
	if e.Op.Issue != "" {
		id = a.shortID(q, e.Op.Issue)
	}
	look := dim
	if e.Effect == projection.EffectApplied {
		look = didStyle(e.Op.Do)
	}
	what := strings.Join(compactWords(e.Title, changeText(e)), "  ")
	columns := []column{{"", optional}, {"", firm}, {"", firm}, {"", optional}, {"", cuttable}}
	cells := []cell{
		{activityTime(e).In(a.Location).Format(time.DateTime), dim}, {visible(id), bold}, {visible(didWord(e)), look}, {visible(e.Op.By), cyan}, {visible(what), plain},
	}
	widths := make([]int, len(cells))
	for n, c := range cells {
		widths[n] = displayWidth(c.text)
	}
	widths[2] = max(widths[2], len("commented"))
	if a.StdoutTerminal && a.Width > 0 {
		fit(columns, widths, a.Width)
	}
	a.printRow(cells, widths)
}

// didWord is the operation's verb as something that happened.
func didWord(e projection.HistoryEntry) string {
	if e.Effect == projection.EffectUnreadable {
		return e.Effect
	}
	words := map[string]string{
		op.DoCreate: "created", op.DoUpdate: "updated", op.DoClaim: "claimed", op.DoUnclaim: "unclaimed",
		op.DoClose: "closed", op.DoReopen: "reopened", op.DoLabel: "labelled", op.DoDep: "linked",
		op.DoComment: "commented", op.DoDelete: "deleted", op.DoRestore: "restored", op.DoImport: "imported",
		op.DoInit: "began", op.DoConfig: "set",
	}
	return cmp.Or(words[e.Op.Do], e.Op.Do)
}

func didStyle(do string) style {
	switch do {
	case op.DoCreate, op.DoImport, op.DoRestore:
		return green
	case op.DoClaim:
		return yellow
	case op.DoDelete:
		return red
	case op.DoClose:
		return blue
	}
	return plain
}

// changeText is what an operation changed, without what its verb and the title
// beside it say already, and in brackets what came of it if that was nothing.
func changeText(e projection.HistoryEntry) string {
	said := map[string][]string{
		op.DoCreate: {"title"}, op.DoClaim: {"status", "assignee"}, op.DoUnclaim: {"status", "assignee"},
		op.DoClose: {"status"}, op.DoReopen: {"status"},
	}
	o := e.Op
	o.Set = maps.Clone(o.Set)
	for _, name := range said[o.Do] {
		delete(o.Set, name)
	}
	text := describe(&o)
	if e.Effect != projection.EffectApplied {
		text = strings.TrimSpace("[" + e.Effect + "] " + text)
	}
	return text
}
