package cli

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// epicJSON is an epic as upstream prints it.
type epicJSON struct {
	Epic     issue.Issue `json:"epic"`
	Total    int         `json:"total_children"`
	Closed   int         `json:"closed_children"`
	Eligible bool        `json:"eligible_for_close"`
}

func newEpic(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "epic",
		Short:   "How far epics are",
		Long:    "An epic is an issue of type epic; its parts are its children (create --parent, update --parent).",
		Example: "  bd epic status\n  bd epic close-eligible --dry-run",
	}
	cmd.AddCommand(newEpicStatus(a), newEpicClose(a))
	return needSubcommand(cmd)
}

func newEpicStatus(a *app) *cobra.Command {
	var eligible bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show open epics with how many of their children are closed",
		Long: `Show the epics that are not closed, each with how many of its children are. One whose
children are all closed can be closed.`,
		Example: "  bd epic status\n  bd epic status --eligible-only --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				epics, err := openEpics(q, eligible)
				if err != nil {
					return err
				}
				if a.json {
					return a.printEpicsJSON(epics)
				}
				a.printEpics(q, epics)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&eligible, "eligible-only", false, "only epics whose children are all closed")
	return cmd
}

func newEpicClose(a *app) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "close-eligible",
		Short: "Close the epics whose children are all closed",
		Long: `Close every epic that has children, all of which are closed or are closed by this. An
epic without children is left alone.`,
		Example: "  bd epic close-eligible --dry-run\n  bd epic close-eligible",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dryRun {
				return a.view(cmd, func(q *projection.Query) error {
					epics, err := closableEpics(q)
					switch {
					case err != nil:
						return err
					case a.json:
						return a.printEpicsJSON(epics)
					}
					if len(epics) == 0 {
						a.say("No epic has only closed children.")
					}
					for _, e := range epics {
						a.printf("Would close %s: %s\n", a.shortID(q, e.ID), visible(e.Title))
					}
					return nil
				})
			}
			return a.closeEligible(cmd)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be closed and write nothing")
	return cmd
}

// openEpics are the epics that are not closed.
func openEpics(q *projection.Query, eligible bool) ([]projection.Epic, error) {
	epics, err := q.Epics(issue.Filter{Types: []string{issue.TypeEpic}, NotStatuses: []string{issue.StatusClosed}})
	if eligible {
		epics = slices.DeleteFunc(epics, func(e projection.Epic) bool { return !e.Eligible() })
	}
	return epics, err
}

// closableEpics are the epics that only have closed children, and then those that only
// have such children and these, with their numbers as they are when these are closed.
func closableEpics(q *projection.Query) ([]projection.Epic, error) {
	epics, err := openEpics(q, false)
	if err != nil {
		return nil, err
	}
	open := map[string]*projection.Epic{}
	var closable []projection.Epic
	for n := range epics {
		open[epics[n].ID] = &epics[n]
		if epics[n].Eligible() {
			closable = append(closable, epics[n])
		}
	}
	for n := 0; n < len(closable); n++ { // it grows meanwhile
		links, err := q.BriefDependencies(closable[n].ID)
		if err != nil {
			return nil, err
		}
		for _, link := range links {
			outer := open[link.Issue.ID]
			if link.Type != issue.DepParentChild || outer == nil {
				continue
			}
			if outer.Closed++; outer.Eligible() {
				closable = append(closable, *outer)
			}
		}
	}
	return closable, nil
}

// closeEligible decides under the write lock: a child that was opened meanwhile
// keeps its epic open.
func (a *app) closeEligible(cmd *cobra.Command) error {
	var closed []projection.Epic
	_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		var err error
		if closed, err = closableEpics(tx.Query); err != nil {
			return nil, err
		}
		drafts := make([]workspace.Draft, len(closed))
		for n, e := range closed {
			drafts[n] = draft(&op.Operation{Do: op.DoClose, Issue: e.ID, Set: map[string]json.RawMessage{
				"status": op.Str(issue.StatusClosed), "close_reason": op.Str("all children are closed"),
			}})
		}
		return drafts, nil
	})
	if err != nil {
		return err
	}
	if a.json {
		ids := []string{}
		for _, e := range closed {
			ids = append(ids, e.ID)
		}
		return a.printJSON(struct {
			Closed []string `json:"closed"`
			Count  int      `json:"count"`
		}{ids, len(ids)})
	}
	if len(closed) == 0 {
		a.say("No epic has only closed children.")
		return nil
	}
	outcomes := make([]outcome, len(closed))
	for n, e := range closed {
		outcomes[n] = outcome{id: e.ID, did: "Closed"}
	}
	return a.tell(cmd, outcomes)
}

func (a *app) printEpicsJSON(epics []projection.Epic) error {
	objects := []epicJSON{}
	for _, e := range epics {
		objects = append(objects, epicJSON{e.Issue, e.Children, e.Closed, e.Eligible()})
	}
	return a.printJSON(objects)
}

func (a *app) printEpics(q *projection.Query, epics []projection.Epic) {
	if len(epics) == 0 {
		a.say("No open epics found.")
		return
	}
	t := table{columns: []column{{"ID", firm}, {"P", firm}, {"CLOSED", firm}, {"STATUS", optional}, {"TITLE", cuttable}}}
	for _, e := range epics {
		progress := "no children"
		style := plain
		if e.Children > 0 {
			progress = fmt.Sprintf("%d of %d", e.Closed, e.Children)
		}
		if e.Eligible() {
			progress, style = progress+", can be closed", green
		}
		t.rows = append(t.rows, []cell{
			{visible(a.shortID(q, e.ID)), bold}, {fmt.Sprintf("P%d", e.Priority), priorityStyle(e.Priority)},
			{progress, style}, {statusText(e.Row), statusStyle(e.Status, e.Blocked)}, {titleText(e.Issue), plain},
		})
	}
	a.printTable(t)
}
