package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// syncFlags are what bd sync was asked for.
type syncFlags struct {
	publish, status, noPush, noFetch, here bool
	acknowledge                            []string
}

func newSync(a *app) *cobra.Command {
	var f syncFlags
	cmd := &cobra.Command{
		Use:   "sync [--publish [REMOTE]]",
		Short: "Exchange operations with the Git remote now",
		Long: `Bring log, database and guard copy together, then fetch what others did and push what
was done here, on the ref refs/beads/ops: no branch, no commit of yours, nothing in git
status.

Nothing leaves this machine before someone says so once: bd sync --publish chooses the
remote, shows where it points, and keeps to it. A clone of a repository whose remote has
the operations starts from them with bd init.`,
		Example: `  bd sync
  bd sync --publish origin
  bd sync --status --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !f.publish {
				return usagef("a remote is named only with --publish").withHint("bd sync --help")
			}
			return arguments(0, 1, "at most one REMOTE, with --publish")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.here = f.here || given(cmd, "flush-only", "import-only", "import", "dry-run", "check", "squash")
			f.noFetch = f.noFetch || given(cmd, "no-pull")
			switch {
			case f.status:
				return a.syncStatus(cmd)
			case len(f.acknowledge) > 0:
				return a.acknowledge(cmd, f.acknowledge)
			}
			return a.sync(cmd, f, args)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.publish, "publish", false, "share the operations with REMOTE from now on")
	flags.BoolVar(&f.status, "status", false, "only say how things stand; asks nobody")
	flags.BoolVar(&f.noPush, "no-push", false, "fetch only")
	flags.BoolVar(&f.noFetch, "no-fetch", false, "push only")
	listFlag(cmd, &f.acknowledge, "acknowledge", "", "drop the report of a lost claim on `ID`")
	accepted(cmd, "flush-only", "import-only", "import", "no-pull", "full", "dry-run", "check", "squash", "no-git-history",
		"accept-rebase", "force", "from-main", "manual", "merge", "ours", "rename-on-import", "resolve", "theirs")
	flags.StringP("message", "m", "", "accepted without effect")
	hide(cmd, "message")
	return cmd
}

// syncJSON is what bd sync --json prints: what came together here, and what was
// exchanged.
type syncJSON struct {
	refreshJSON
	Replication *replica.Report `json:"replication,omitempty"`
}

func (a *app) sync(cmd *cobra.Command, f syncFlags, args []string) error {
	w, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	refreshed, err := w.Refresh(cmd.Context(), false)
	if err != nil {
		return err
	}
	result := syncJSON{refreshJSON: reportJSON(refreshed)}
	var failure error
	if !f.here {
		want := replica.SyncOptions{Publish: f.publish, NoFetch: f.noFetch, NoPush: f.noPush, Remote: strings.Join(args, "")}
		report, err := a.exchange(cmd, w, want)
		result.Replication, failure = &report, err
	}
	if a.json {
		if err := a.printJSON(result); err != nil {
			return err
		}
		return failure
	}
	return a.tellSync(w, refreshed, result.Replication, failure)
}

// exchange does one whole step of replication. Sharing is announced before it
// happens.
func (a *app) exchange(cmd *cobra.Command, w *workspace.Workspace, want replica.SyncOptions) (replica.Report, error) {
	r := a.replica(w)
	if want.Publish {
		target, err := r.Target(want.Remote)
		if err != nil {
			return replica.Report{}, err
		}
		what := "the operations"
		if a.configBool(w.Place(), "interactions.replicate") {
			what += " and the interactions"
		}
		a.say("Sharing %s with %s (%s).", what, visible(target.Name), visible(target.URL))
	}
	return r.Sync(cmd.Context(), want)
}

// tellSync prints the summary of a sync, also of one that failed half-way.
func (a *app) tellSync(w *workspace.Workspace, refreshed workspace.Report, r *replica.Report, failure error) error {
	if r == nil {
		a.say("%s", reportText(refreshed))
		return nil
	}
	if !refreshed.Quiet() {
		a.say("%s", reportText(refreshed))
	}
	switch moved := movedText(*r); {
	case moved != "":
		a.say("%s", moved)
	case failure == nil && refreshed.Quiet():
		a.say("Everything was in step.")
	}
	for _, lost := range r.ClaimsLost {
		a.notice(lostText(lost))
	}
	if failure != nil {
		return failure
	}
	local, err := w.Local()
	if err != nil {
		return err
	}
	if w.Place().CommonDir != "" && (local.Remote != nil || r.Unshared > 0) {
		a.say("%s", sharingText(local.Remote, r.Unshared))
	}
	if n := r.UnsharedInteractions; n != nil && *n > 0 && local.Remote != nil {
		a.say("%s not there yet.", plural(*n, "interaction is", "interactions are"))
	}
	return nil
}

// syncStatus says how things stand without asking anyone.
func (a *app) syncStatus(cmd *cobra.Command) error {
	w, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	status, err := a.replica(w).Status(cmd.Context())
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(status)
	}
	a.printf("%s\n", sharingText(status.Remote, status.Unshared))
	if n := status.Interactions; n != nil && *n > 0 && status.Remote != nil {
		a.printf("%s not there yet.\n", plural(*n, "interaction is", "interactions are"))
	}
	if !status.Last.Success.IsZero() {
		a.printf("Last sync  %s\n", a.localTime(status.Last.Success))
	}
	if status.Last.Error != "" {
		a.printf("Failed     %s: %s\n", a.localTime(status.Last.Failure), visible(status.Last.Error))
	}
	for _, lost := range status.ClaimsLost {
		a.printf("%s\n", lostText(lost))
	}
	return nil
}

// acknowledge drops the reports of lost claims on these issues.
func (a *app) acknowledge(cmd *cobra.Command, ids []string) error {
	w, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	var issues []string
	err = a.view(cmd, func(q *projection.Query) error {
		for _, id := range ids {
			issue, err := q.Resolve(id, true) // it may have been deleted elsewhere
			if err != nil {
				return err
			}
			issues = append(issues, issue)
		}
		return nil
	})
	if err != nil {
		return err
	}
	before, err := w.Local()
	if err != nil {
		return err
	}
	if err := w.AcknowledgeClaims(cmd.Context(), issues...); err != nil {
		return err
	}
	after, err := w.Local()
	if err != nil {
		return err
	}
	dropped := len(before.Lost) - len(after.Lost)
	if a.json {
		return a.printJSON(map[string]int{"acknowledged": dropped})
	}
	a.say("Acknowledged %s.", plural(dropped, "lost claim", "lost claims"))
	return nil
}

// refreshJSON is what bringing the copies together did.
type refreshJSON struct {
	Applied     int   `json:"applied"`
	Imported    int   `json:"imported"`
	Restored    int   `json:"restored"`
	Quarantined int   `json:"quarantined"`
	Rebuilt     bool  `json:"rebuilt"`
	FullScan    bool  `json:"full_scan"`
	Millis      int64 `json:"duration_ms"`

	Interactions *workspace.Moved `json:"interactions,omitempty"` // where any of them moved
}

func reportJSON(r workspace.Report) refreshJSON {
	result := refreshJSON{
		Applied: r.Applied, Imported: r.Imported, Restored: r.Restored, Quarantined: r.Quarantined,
		Rebuilt: r.Rebuilt, FullScan: r.FullScan, Millis: r.Duration.Milliseconds(),
	}
	if r.Interactions != (workspace.Moved{}) {
		result.Interactions = &r.Interactions
	}
	return result
}

// reportText says what bringing the copies together did, in one line.
func reportText(r workspace.Report) string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{r.Applied, "operation applied", "operations applied"},
		{r.Imported, "snapshot record imported", "snapshot records imported"},
		{r.Restored, "line put back", "lines put back"},
		{r.Interactions.Applied, "interaction applied", "interactions applied"},
		{r.Interactions.Restored, "interaction put back", "interactions put back"},
		{r.Quarantined, "line in quarantine", "lines in quarantine"},
	} {
		if part.n > 0 {
			parts = append(parts, plural(part.n, part.one, part.many))
		}
	}
	if r.Rebuilt {
		parts = append(parts, "database rebuilt")
	}
	if len(parts) == 0 {
		return "Everything was in step."
	}
	text := strings.Join(parts, ", ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
