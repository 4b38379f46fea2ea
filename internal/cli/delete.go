package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// deletion is what a delete does or would do.
type deletion struct {
	Deleted     []string          `json:"deleted"`
	Count       int               `json:"deleted_count"`
	WouldDelete []deletedIssue    `json:"would_delete"`
	Dependents  []deletedDepender `json:"dependents"` // visible issues left behind that depend on one of these
	already     []string
}

type deletedIssue struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status string `json:"status"`
}

type deletedDepender struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	On    string `json:"depends_on_id"`
	Type  string `json:"dependency_type"`

	waits bool
}

func newDelete(a *app) *cobra.Command {
	var force, cascade, dryRun bool
	cmd := &cobra.Command{
		Use:   "delete ID…",
		Short: "Delete issues (shows what would happen, unless --force)",
		Long: `Without --force delete shows what it would do and writes nothing. A deleted issue
stays in the log: bd restore brings it back, and issues that depended on it are no
longer blocked by it.`,
		Example: `  bd delete bd-x7k2
  bd delete bd-x7k2 --force
  bd delete bd-x7k2 --cascade --force`,
		Args:              arguments(1, -1, "at least one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			if !force || dryRun {
				return a.view(cmd, func(q *projection.Query) error {
					d, err := a.planDeletion(q, args, cascade)
					if err != nil {
						return err
					}
					step := "add --force"
					switch {
					case force:
						step = "leave out --dry-run"
					case dryRun:
						step = "give --force in the place of --dry-run"
					}
					return a.showDeletion(q, d, step)
				})
			}
			return a.delete(cmd, args, cascade)
		}),
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "delete")
	cmd.Flags().BoolVar(&cascade, "cascade", false, "also everything that depends on them, children included")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would happen, also with --force")
	return cmd
}

// planDeletion finds what goes and what is left behind depending on it.
func (a *app) planDeletion(q *projection.Query, args []string, cascade bool) (deletion, error) {
	var d deletion
	var ids []string
	for _, arg := range args {
		id, err := a.resolveGone(q, arg)
		if err != nil {
			return d, err
		}
		state, err := q.State(id)
		if err != nil {
			return d, err
		}
		if !state.Visible() {
			d.already = append(d.already, id)
		} else if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	going := map[string]bool{}
	for _, id := range ids {
		going[id] = true
	}
	for i := 0; i < len(ids); i++ { // ids grows as dependents are found
		found, err := q.Issue(ids[i])
		if err != nil {
			return d, err
		}
		d.WouldDelete = append(d.WouldDelete, deletedIssue{found.ID, found.Title, found.Status})
		links, err := q.BriefDependents(ids[i])
		if err != nil {
			return d, err
		}
		for _, link := range links {
			if cascade && orders(link.Type) && !going[link.Issue.ID] {
				going[link.Issue.ID] = true
				ids = append(ids, link.Issue.ID)
			}
			d.Dependents = append(d.Dependents, deletedDepender{
				ID: link.Issue.ID, Title: link.Issue.Title, On: ids[i], Type: link.Type,
				waits: link.Type == issue.DepBlocks && link.Issue.Status != issue.StatusClosed && found.Status != issue.StatusClosed,
			})
		}
	}
	d.Dependents = slices.DeleteFunc(d.Dependents, func(x deletedDepender) bool { return going[x.ID] })
	return d, nil
}

// showDeletion prints what a delete would do: the result, with --quiet too, or it would
// look as if it was done. To do it takes step.
func (a *app) showDeletion(q *projection.Query, d deletion, step string) error {
	if a.json {
		d.Deleted, d.WouldDelete, d.Dependents = list(d.Deleted), list(d.WouldDelete), list(d.Dependents)
		return a.printJSON(d)
	}
	for _, id := range d.already {
		a.printf("Already deleted %s\n", a.shortID(q, id))
	}
	for _, i := range d.WouldDelete {
		a.printf("Would delete %s: %s (%s)\n", a.shortID(q, i.ID), visible(i.Title), visible(i.Status))
	}
	for _, i := range d.Dependents {
		a.printf("  %s depends on %s (%s): %s\n", a.shortID(q, i.ID), a.shortID(q, i.On), visible(i.Type), visible(i.Title))
	}
	if len(d.WouldDelete) > 0 {
		a.printf("Nothing was deleted. To delete, %s.\n", step)
	}
	return nil
}

// released counts the issues that waited for what goes: few links mean that.
func (d deletion) released() int {
	waited := map[string]bool{}
	for _, i := range d.Dependents {
		if i.waits {
			waited[i.ID] = true
		}
	}
	return len(waited)
}

// delete deletes, in one commit.
func (a *app) delete(cmd *cobra.Command, args []string, cascade bool) error {
	var d deletion
	_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		var err error
		if d, err = a.planDeletion(tx.Query, args, cascade); err != nil {
			return nil, err
		}
		var drafts []workspace.Draft
		for _, i := range d.WouldDelete {
			d.Deleted = append(d.Deleted, i.ID)
			drafts = append(drafts, draft(&op.Operation{Do: op.DoDelete, Issue: i.ID}))
		}
		return drafts, nil
	})
	if err != nil {
		return err
	}
	gone := d.WouldDelete
	d.Count, d.WouldDelete = len(d.Deleted), nil
	if a.json {
		d.Deleted, d.WouldDelete, d.Dependents = list(d.Deleted), list(d.WouldDelete), list(d.Dependents)
		return a.printJSON(d)
	}
	for _, id := range d.already {
		a.say("Already deleted %s", id)
	}
	for _, i := range gone {
		a.say("Deleted %s: %s", i.ID, visible(i.Title))
	}
	if n := d.released(); n > 0 {
		a.say("%s on what is gone.", plural(n, "issue no longer waits", "issues no longer wait"))
	}
	return nil
}

func newRestore(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "restore ID…",
		Short: "Bring deleted issues back",
		Long:  "Bring deleted issues back as they were, with their dependencies and comments.",
		Example: `  bd restore bd-x7k2
  bd restore bd-x7k2 bd-a9c1`,
		Args: arguments(1, -1, "at least one ID"),
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			var outcomes []outcome
			_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
				outcomes = outcomes[:0]
				return a.restoreDrafts(tx, args, &outcomes)
			})
			if err != nil {
				return err
			}
			return a.tell(cmd, outcomes)
		}),
	}
}

func (a *app) restoreDrafts(tx *workspace.Tx, args []string, outcomes *[]outcome) ([]workspace.Draft, error) {
	ids := make([]string, 0, len(args))
	for _, arg := range args {
		id, err := a.resolveGone(tx.Query, arg)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var drafts []workspace.Draft
	for _, id := range ids {
		state, err := tx.State(id)
		if err != nil {
			return nil, err
		}
		if !state.Deleted {
			*outcomes = append(*outcomes, outcome{id, "Not deleted", state.Issue.Title})
			continue
		}
		*outcomes = append(*outcomes, outcome{id, "Restored", state.Issue.Title})
		drafts = append(drafts, draft(&op.Operation{Do: op.DoRestore, Issue: id}))
	}
	return drafts, nil
}
