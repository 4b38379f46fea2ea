package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/workspace"
)

// claim makes a claim of o: who acts becomes the assignee, if nobody else is.
// The fold decides, here under the lock and again, alike, on every other clone.
func (a *app) claim(tx *workspace.Tx, s *op.State, o *op.Operation) error {
	settings, err := tx.Settings()
	if err != nil {
		return err
	}
	if o.Set == nil {
		o.Set = map[string]json.RawMessage{}
	}
	o.Do = op.DoClaim
	o.Set["assignee"] = op.Str(a.actorName(a.ws.Place()))
	o.Set["status"] = op.Str(issue.StatusInProgress)
	o.If = &op.Condition{Unassigned: true, Lease: int64(settings.Lease() / time.Second)}
	trial, err := a.trial(tx, s, o)
	if err != nil {
		return err
	}
	if s.Holds(trial) {
		return nil
	}
	name := a.shortID(tx.Query, s.Issue.ID)
	if s.Refuses(trial) == op.RefusedClosed {
		return failf("closed", "issue %s is closed", name).withHint("bd reopen %s", name)
	}
	f := failf("claimed", "issue %s is claimed by %s", name, a.holder(s))
	if s.Issue.Assignee == a.actorName(a.ws.Place()) && s.HolderSession == "" {
		return f.withHint("that is your own name: go on, if it was you; BD_SESSION tells those of one name apart")
	}
	return f.withHint("bd ready shows what is free")
}

// holder says who has an issue, and since when.
func (a *app) holder(s *op.State) string {
	name, session, since := s.Holder()
	when := since.Format(time.RFC3339)
	if a.StdoutTerminal {
		when = a.localTime(since)
	}
	if session != "" {
		return fmt.Sprintf("%s (session %s, since %s)", name, session, when)
	}
	return fmt.Sprintf("%s (since %s)", name, when)
}

func newUnclaim(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "unclaim ID…",
		Short: "Give issues back: no assignee, and open again if in progress",
		Long: `Give issues back that you have: they lose their assignee, and those in progress are open
again. What somebody else has, or you in another session, needs --force.`,
		Example: `  bd unclaim bd-x7k2
  bd unclaim bd-x7k2 --force`,
		Args:              arguments(1, -1, "at least one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE: a.manyIDs(func(cmd *cobra.Command, args []string) error {
			return a.eachIssue(cmd, args, func(tx *workspace.Tx, s *op.State) (*op.Operation, string, error) {
				return a.unclaim(tx, s, force)
			})
		}),
	}
	cmd.Flags().BoolVar(&force, "force", false, "also what somebody else has")
	return cmd
}

// unclaim gives up what we hold. What a namesake in another session holds is
// not ours: that is what sessions are for.
func (a *app) unclaim(tx *workspace.Tx, s *op.State, force bool) (*op.Operation, string, error) {
	if s.Issue.Assignee == "" {
		return nil, "Not claimed", nil
	}
	session := a.Getenv("BD_SESSION")
	ours := s.Issue.Assignee == a.actorName(a.ws.Place()) &&
		(s.HolderSession == "" || session == "" || s.HolderSession == session)
	if !ours && !force {
		name := a.shortID(tx.Query, s.Issue.ID)
		return nil, "", failf("claimed", "issue %s is claimed by %s", name, a.holder(s)).
			withHint("bd unclaim %s --force", name)
	}
	o := &op.Operation{Do: op.DoUnclaim, Issue: s.Issue.ID, Set: map[string]json.RawMessage{"assignee": op.Null()}}
	if s.Issue.Status == issue.StatusInProgress {
		o.Set["status"] = op.Str(issue.StatusOpen)
	}
	return o, "Released", nil
}

// eachIssue makes at most one operation on each of the issues named, all of
// them or none, and tells what became of each. A decide that returns no operation leaves
// its issue as it is.
func (a *app) eachIssue(cmd *cobra.Command, args []string, decide func(*workspace.Tx, *op.State) (*op.Operation, string, error)) error {
	var outcomes []outcome
	_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		ids, err := a.resolveAll(tx.Query, args, false)
		if err != nil {
			return nil, err
		}
		outcomes = slices.Grow(outcomes[:0], len(ids))
		var drafts []workspace.Draft
		for _, id := range ids {
			state, err := tx.State(id)
			if err != nil {
				return nil, err
			}
			o, did, err := decide(tx, &state)
			if err != nil {
				return nil, err
			}
			if o != nil {
				drafts = append(drafts, draft(o))
			}
			outcomes = append(outcomes, outcome{id, did, state.Issue.Title})
		}
		return drafts, nil
	})
	if err != nil {
		return err
	}
	return a.tell(cmd, outcomes)
}
