package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// outcome is what a command did to one issue, in a word or two: "Closed",
// "Already closed".
type outcome struct {
	id    string
	did   string
	title string // "": it has to be read
}

// tell prints the issues, with --json as an array, else one line each. It reads them
// back where they are shown whole, or their ids are abbreviated.
func (a *app) tell(cmd *cobra.Command, outcomes []outcome) error {
	if a.quiet && !a.json {
		return nil
	}
	unread := func(o outcome) bool { return o.title == "" }
	if !a.json && !a.StdoutTerminal && !slices.ContainsFunc(outcomes, unread) {
		for _, o := range outcomes {
			a.say("%s %s: %s", o.did, o.id, visible(o.title))
		}
		return nil
	}
	return a.view(cmd, func(q *projection.Query) error {
		ids := make([]string, len(outcomes))
		for i, o := range outcomes {
			ids[i] = o.id
		}
		found, err := issues(q, ids)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(list(found))
		}
		for i, o := range outcomes {
			a.say("%s %s: %s", o.did, a.shortID(q, o.id), visible(found[i].Title))
		}
		return nil
	})
}

// draft wraps an operation for Commit, which gives it id, time and actor.
func draft(o *op.Operation) workspace.Draft { return workspace.Draft{Op: o} }

// trial is o as Commit would make it now, for asking the fold beforehand.
func (a *app) trial(tx *workspace.Tx, s *op.State, o *op.Operation) (*op.Operation, error) {
	id, err := op.Clock{Now: func() time.Time { return tx.Now }, Rand: a.Rand}.Next(s.Last)
	if err != nil {
		return nil, err
	}
	trial := *o
	trial.ID, trial.V, trial.At = id, op.Version, tx.Now
	trial.By, trial.Session = a.actorName(a.ws.Place()), a.Getenv("BD_SESSION")
	return &trial, nil
}

// changes reports whether o would change what people see of the issue. The fold
// itself is asked, so that this cannot differ from what the log will say.
func (a *app) changes(tx *workspace.Tx, s *op.State, o *op.Operation) (bool, error) {
	trial, err := a.trial(tx, s, o)
	if err != nil {
		return false, err
	}
	after := s.Clone()
	after.Apply(trial)
	after.Issue.UpdatedAt = s.Issue.UpdatedAt
	before, err := json.Marshal(s.Issue)
	if err != nil {
		return false, err
	}
	then, err := json.Marshal(after.Issue)
	if err != nil {
		return false, err
	}
	return s.Exists != after.Exists || s.Deleted != after.Deleted || !bytes.Equal(before, then), nil
}
