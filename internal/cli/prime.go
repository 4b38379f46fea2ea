package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// How many issues prime names of each kind: it goes into every prompt.
const (
	primeReady = 10
	primeMine  = 20
)

// primed is what an agent is told before it begins.
type primed struct {
	Actor      string                `json:"actor"`
	Session    string                `json:"session,omitempty"`
	Mine       []projection.Row      `json:"-"`
	Ready      []projection.Row      `json:"-"`
	MoreReady  int                   `json:"more_ready"`
	ClaimsLost []workspace.LostClaim `json:"claims_lost"`
}

func newPrime(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prime",
		Short: "Print what an agent should know before it begins",
		Long: `Print, in few lines of Markdown, how to work with bd, what you have in hand, and what
can be worked on: for the beginning of an agent's prompt, or a hook at its start.`,
		Example: "  bd prime\n  bd prime --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				p, err := a.primed(q)
				if err != nil {
					return err
				}
				if a.json {
					return a.printPrimedJSON(p)
				}
				a.printPrimed(q, p)
				return nil
			})
		},
	}
	accepted(cmd, "full", "mcp", "stealth", "export")
	return cmd
}

func (a *app) primed(q *projection.Query) (primed, error) {
	place := a.ws.Place()
	p := primed{Actor: a.actorName(place), Session: a.Getenv("BD_SESSION")}
	now := a.Now()
	var err error
	mine := issue.Filter{Assignee: p.Actor, NotStatuses: []string{issue.StatusClosed}, Limit: primeMine}
	if p.Mine, err = q.List(mine); err != nil {
		return p, err
	}
	ready := issue.Filter{Ready: true, Unassigned: true, Now: now}
	if p.MoreReady, err = q.Count(ready); err != nil {
		return p, err
	}
	ready.Limit = primeReady
	if p.Ready, err = q.List(ready); err != nil {
		return p, err
	}
	p.MoreReady -= len(p.Ready)
	local, err := place.Local()
	p.ClaimsLost = list(local.Lost)
	return p, err
}

func (a *app) printPrimedJSON(p primed) error {
	out := struct {
		primed
		Mine  []any `json:"mine"`
		Ready []any `json:"ready"`
	}{primed: p, Mine: []any{}, Ready: []any{}}
	for _, part := range []struct {
		rows []projection.Row
		to   *[]any
	}{{p.Mine, &out.Mine}, {p.Ready, &out.Ready}} {
		for _, row := range part.rows {
			object, err := rowJSON(row)
			if err != nil {
				return err
			}
			*part.to = append(*part.to, object)
		}
	}
	return a.printJSON(out)
}

func (a *app) printPrimed(q *projection.Query, p primed) {
	a.printf("# Issues\n\n%s\n\nYou are %s", agentRules(), visible(p.Actor))
	if p.Session != "" {
		a.printf(", session %s", visible(p.Session))
	}
	a.printf(".\n")
	section := func(title string, rows []projection.Row, none string) {
		a.printf("\n## %s\n\n", title)
		for _, row := range rows {
			a.printf("- %s\n", a.compactLine(q, row.Issue, row.Blocked))
		}
		if len(rows) == 0 {
			a.printf("%s\n", none)
		}
	}
	section("In your hands", p.Mine, "Nothing.")
	section("Ready to be taken", p.Ready, "Nothing.")
	if p.MoreReady > 0 {
		a.printf("- and %d more: bd ready -n 0\n", p.MoreReady)
	}
	if len(p.ClaimsLost) > 0 {
		a.printf("\n## Claims you lost\n\nAnother clone was first. Stop work on these, then say that you know: bd sync --acknowledge ID\n\n")
		for _, lost := range p.ClaimsLost {
			a.printf("- %s\n", lostText(lost))
		}
	}
}

// agentRules is how an agent works with bd: the same words in prime and in what
// onboard writes.
func agentRules() string {
	return strings.TrimSpace(fmt.Sprintf(`
This project tracks its work with %[1]sbd%[1]s. Use it instead of lists in Markdown or in your head.

- Take work: %[1]sbd ready --claim --json%[1]s gives you one issue that nobody else has; %[1]sbd update ID --claim%[1]s takes a certain one.
- Read it: %[1]sbd show ID%[1]s. Note progress: %[1]sbd update ID --append-notes "…"%[1]s.
- Found something else to do? %[1]sbd q "Title"%[1]s, then %[1]sbd dep add NEW ID -t discovered-from%[1]s.
- Waits for something? %[1]sbd dep add ID BLOCKER%[1]s. Cannot go on? %[1]sbd unclaim ID%[1]s.
- Done: %[1]sbd close ID -r "what was done"%[1]s. At the end of a session: %[1]sbd sync%[1]s.
- Every command takes %[1]s--json%[1]s; exit codes are 0 done, 1 failed, 2 wrong usage. Set %[1]sBD_ACTOR%[1]s, and %[1]sBD_SESSION%[1]s if several agents share a name.
`, "`"))
}
