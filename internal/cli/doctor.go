package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// What a check found.
const (
	checkOK      = "ok"
	checkWarning = "warning"
	checkError   = "error"
)

// check is one line of doctor's answer.
type check struct {
	Name    string `json:"name"`
	Status  string `json:"status"` // ok, warning, error
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

func newDoctor(a *app) *cobra.Command {
	var fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the workspace, and prove that the database equals the log",
		Long: `Check the workspace. Doctor builds a second database from the log alone and compares
it with the live one. It changes nothing of its own accord; --fix makes derived state
again (the database, lines that one copy lacks) and never touches what people wrote.
The exit code is 1 if a check found an error.`,
		Example: `  bd doctor
  bd doctor --fix
  bd doctor --json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &doctor{app: a}
			if err := d.run(cmd, fix); err != nil {
				return err
			}
			return d.print()
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "make derived state again where it is wrong")
	accepted(cmd, "yes")
	return cmd
}

// doctor collects checks.
type doctor struct {
	app    *app
	checks []check
}

func (d *doctor) add(name, status, fix, format string, args ...any) {
	d.checks = append(d.checks, check{name, status, fmt.Sprintf(format, args...), fix})
}

func (d *doctor) run(cmd *cobra.Command, fix bool) error {
	place, err := d.app.place()
	if err != nil {
		return err
	}
	if !place.Exists {
		return place.Missing()
	}
	d.place(place)
	d.settings(place)
	d.neighbours(d.app.neighbours(cmd.Context(), place))
	w, err := d.app.open(cmd.Context())
	if err != nil {
		d.add("workspace", checkError, "", "cannot be opened: %v", err)
		return nil
	}
	if fix {
		if err := d.fix(cmd.Context(), w); err != nil {
			return err
		}
	}
	d.verify(cmd.Context(), w) // first: it waits for the lock, so what follows is about the present
	err = w.View(cmd.Context(), func(q *projection.Query) error {
		if err := d.routes(q, place); err != nil {
			return err
		}
		return d.contents(q)
	})
	if err != nil {
		d.add("contents", checkError, "", "cannot be read: %v", err)
	}
	return nil
}

// fix makes the copies equal again.
func (d *doctor) fix(ctx context.Context, w *workspace.Workspace) error {
	report, err := w.Refresh(ctx, true)
	if err != nil {
		return err
	}
	switch equal, verifyErr := w.Verify(ctx); {
	case errors.Is(verifyErr, projection.ErrCorrupt):
		report, err = w.Repair(ctx)
	case verifyErr == nil && !equal:
		report, err = w.Rebuild(ctx)
	}
	if err != nil {
		return err
	}
	did := []string{}
	for _, part := range []struct {
		n    int
		what string
	}{
		{report.Applied, "applied"}, {report.Restored, "restored"}, {report.Imported, "imported"}, {report.Quarantined, "quarantined"},
	} {
		if part.n > 0 {
			did = append(did, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if report.Rebuilt {
		did = append(did, "database rebuilt")
	}
	if len(did) == 0 {
		did = append(did, "nothing to do")
	}
	d.add("fix", checkOK, "", "%s", strings.Join(did, ", "))
	return nil
}

// place checks where the files are.
func (d *doctor) place(place workspace.Place) {
	d.add("workspace", checkOK, "", "%s", place.Dir)
	switch {
	case place.Tracked:
		d.add("git", checkWarning, "git rm -r --cached .beads, and commit that",
			"Git tracks .beads, so bd keeps its files in %s", place.Dir)
	case place.CommonDir != "":
		d.add("git", checkOK, "", "Git does not track .beads")
	}
	switch {
	case place.Guard != "":
		d.add("guard copy", checkOK, "", "%s", place.GuardPath())
	case place.Explicit != "":
		d.add("guard copy", checkWarning, "keep the workspace in your backup",
			"none: the place was chosen by %s, so it belongs to no repository", place.Explicit)
	case place.CommonDir == "":
		d.add("guard copy", checkWarning, "git init, or keep the workspace in your backup", "none: there is no Git repository here")
	default:
		d.add("guard copy", checkOK, "", "not needed: the log is in Git's own directory")
	}
}

// settings checks the configuration files.
func (d *doctor) settings(place workspace.Place) {
	files, err := d.app.layers(place)
	unknown := unknownKeys(files)
	switch {
	case err != nil:
		d.add("settings", checkError, "edit the file", "%v", err)
	case len(unknown) > 0:
		d.add("settings", checkWarning, "edit the file", "%s", strings.Join(unknown, "; "))
	default:
		d.add("settings", checkOK, "", "%s understood", plural(len(files), "config.yaml", "config.yaml files"))
	}
}

// contents checks what the operations say.
func (d *doctor) contents(q *projection.Query) error {
	quarantined, err := q.QuarantineCount()
	if err != nil {
		return err
	}
	if quarantined > 0 {
		d.add("quarantine", checkWarning, "bd recover --quarantine shows them", "%s cannot be read", plural(quarantined, "line", "lines"))
	} else {
		d.add("quarantine", checkOK, "", "every line can be read")
	}
	if err := d.interactions(q); err != nil {
		return err
	}
	if err := d.problems(q); err != nil {
		return err
	}
	cycles, err := q.Cycles()
	if err != nil {
		return err
	}
	if len(cycles) > 0 {
		d.add("cycles", checkWarning, "bd dep cycles, then bd dep remove", "%s: what is in one is never ready",
			plural(len(cycles), "dependency cycle", "dependency cycles"))
	} else {
		d.add("cycles", checkOK, "", "no dependency cycles")
	}
	return d.clock(q)
}

// interactions says where those that there are go.
func (d *doctor) interactions(q *projection.Query) error {
	held, err := q.Of(op.Interactions).Held()
	if err != nil || held == 0 {
		return err
	}
	goes := "they stay in this clone (interactions.replicate is false)"
	if d.app.configBool(d.app.ws.Place(), "interactions.replicate") {
		goes = "they are replicated with the operations"
	}
	d.add("agent log", checkOK, "", "%s; %s", plural(held, "interaction", "interactions"), goes)
	return nil
}

// problems groups what the fold ignored or wants known.
func (d *doctor) problems(q *projection.Query) error {
	problems, err := q.Problems()
	if err != nil {
		return err
	}
	if len(problems) == 0 {
		d.add("operations", checkOK, "", "every operation is understood")
		return nil
	}
	const shown = 3
	kinds := []string{}
	byKind := map[string][]op.Problem{}
	for _, p := range problems {
		if byKind[p.Kind] == nil {
			kinds = append(kinds, p.Kind)
		}
		byKind[p.Kind] = append(byKind[p.Kind], p)
	}
	for _, kind := range kinds {
		found := byKind[kind]
		var details []string
		for _, p := range found[:min(shown, len(found))] {
			details = append(details, strings.TrimSpace(p.Issue+" "+p.Detail))
		}
		if more := len(found) - len(details); more > 0 {
			details = append(details, fmt.Sprintf("and %d more", more))
		}
		d.add("operations", checkWarning, problemFix(kind), "%d of kind %s: %s", len(found), kind, strings.Join(details, "; "))
	}
	return nil
}

// problemFix is what a person can do about a kind of problem.
func problemFix(kind string) string {
	switch kind {
	case op.NewerVersion, op.UnknownCondition, op.UnknownMember:
		return "update bd"
	case op.BadValue:
		return "the value is ignored; bd update sets a good one"
	case op.DuplicateCreate:
		return "two issues were made under one id; bd history shows both"
	case "same_id":
		return "somebody changed a line of the log; bd history shows both"
	}
	return ""
}

// clock finds operations from the future.
func (d *doctor) clock(q *projection.Query) error {
	newest, err := q.MaxID(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return err
	}
	now := d.app.Now()
	if ahead := newest.Time().Sub(now); !newest.IsZero() && ahead > time.Minute {
		d.add("clock", checkWarning, "check the clock of the machine that wrote it, and of this one",
			"the newest operation is %s ahead of this machine's clock", ahead.Round(time.Second))
		return nil
	}
	d.add("clock", checkOK, "", "no operation is from the future")
	return nil
}

// verify compares the database with one built from the log alone, which also
// shows that locks work here.
func (d *doctor) verify(ctx context.Context, w *workspace.Workspace) {
	equal, err := w.Verify(ctx)
	var locked *workspace.LockedError
	switch {
	case errors.Is(err, workspace.ErrReadOnly):
		d.add("database", checkWarning, "run without --readonly", "not compared with the log")
	case errors.As(err, &locked):
		d.add("locks", checkError, "wait for it, or give more time with --lock-timeout", "%v", err)
	case err != nil:
		d.add("database", checkError, "bd doctor --fix", "cannot be compared with the log: %v", err)
	case !equal:
		d.add("database", checkError, "bd doctor --fix", "differs from one built from the log")
	default:
		d.add("locks", checkOK, "", "the write lock works here")
		d.add("database", checkOK, "", "equals one built from the log alone")
	}
}

func (d *doctor) print() error {
	a, ok := d.app, true
	for _, c := range d.checks {
		ok = ok && c.Status != checkError
	}
	if a.json {
		err := a.printJSON(struct {
			Checks []check `json:"checks"`
			OK     bool    `json:"ok"`
		}{list(d.checks), ok})
		if err != nil {
			return err
		}
	} else {
		for _, c := range d.checks {
			a.printf("%-8s %-11s %s\n", c.Status, c.Name, visible(c.Message))
			if c.Fix != "" {
				a.printf("%-20s -> %s\n", "", visible(c.Fix))
			}
		}
	}
	if !ok {
		return exitWith(exitFail)
	}
	return nil
}
