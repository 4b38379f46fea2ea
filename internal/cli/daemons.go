package cli

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/control"
	"beads/internal/fleet"
	"beads/internal/registry"
)

// memberJSON is one daemon in what bd daemons prints with --json.
type memberJSON struct {
	PID       int        `json:"pid"` // 0 if unknown
	Workspace string     `json:"workspace"`
	Version   string     `json:"version"`
	StartTime *time.Time `json:"start_time"`
	Status    string     `json:"status"` // running, not answering or unknown
	Reason    string     `json:"reason,omitempty"`
	Differs   bool       `json:"version_differs"` // from this bd's
}

func memberOf(m fleet.Member) memberJSON {
	j := memberJSON{PID: m.PID, Workspace: m.Entry.Workspace, Version: m.Entry.Version, StartTime: &m.Entry.StartTime, Status: m.State, Reason: m.Reason}
	if m.State == fleet.Answering {
		j.Version = m.Status.Version
		if m.Status.StartTime != nil {
			j.StartTime = m.Status.StartTime
		}
	}
	j.Differs = j.Version != version
	return j
}

func newDaemons(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "daemons",
		Short: "See or stop every daemon of yours on this machine",
		Long: `Every workspace can have a daemon of its own. These commands know all that run for you
on this machine, wherever you are.`,
		Example: "  bd daemons list\n  bd daemons killall",
		Args:    cobra.ArbitraryArgs,
	}
	cmd.AddCommand(newDaemonsList(a), newDaemonsHealth(a), newDaemonsKillall(a))
	return needSubcommand(cmd)
}

func newDaemonsList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the daemons on this machine",
		Long: `List the daemons that run for you on this machine. What a daemon left behind that was
killed is cleaned up on the way.`,
		Example: "  bd daemons list\n  bd daemons list --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			members, skipped, err := a.fleet().List(cmd.Context())
			if err != nil {
				return err
			}
			a.noticeAll(skipped)
			found := []memberJSON{}
			for _, m := range members {
				found = append(found, memberOf(m))
			}
			if a.json {
				return a.printJSON(found)
			}
			if len(found) == 0 {
				a.say("No daemon runs.")
			}
			a.printMembers(found)
			return nil
		},
	}
}

func (a *app) printMembers(members []memberJSON) {
	t := table{columns: []column{{"PID", firm}, {"WORKSPACE", cuttable}, {"VERSION", optional}, {"STARTED", optional}, {"STATUS", cuttable}}}
	for _, m := range members {
		status := m.Status
		if m.Reason != "" {
			status += ": " + m.Reason
		}
		t.rows = append(t.rows, []cell{
			{pidText(m.PID), plain}, {visible(m.Workspace), plain}, {visible(m.versionText()), plain},
			{a.secondsTime(m.StartTime), plain}, {visible(status), plain},
		})
	}
	a.printTable(t)
}

// versionText is the daemon's version, and whether this bd is of another.
func (m memberJSON) versionText() string {
	if m.Differs {
		return m.Version + " (not " + version + ")"
	}
	return m.Version
}

// healthJSON is one daemon in what bd daemons health prints with --json.
type healthJSON struct {
	memberJSON
	Check string `json:"check"` // ok, warning or error
	Why   string `json:"message"`
}

func newDaemonsHealth(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Ask every daemon on this machine how it is",
		Long: `Ask every daemon how it is, and print a line for each. The exit code is 4 if one does not
answer or says that something is wrong.`,
		Example: "  bd daemons health\n  bd daemons health --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			members, skipped, err := a.fleet().List(cmd.Context())
			if err != nil {
				return err
			}
			a.noticeAll(skipped)
			return a.printFleetHealth(members)
		},
	}
}

func (a *app) printFleetHealth(members []fleet.Member) error {
	ok, checked := true, []healthJSON{}
	for _, m := range members {
		h := a.healthOf(m)
		checked = append(checked, h)
		ok = ok && h.Check != checkError
	}
	if a.json {
		err := a.printJSON(struct {
			Daemons []healthJSON `json:"daemons"`
			OK      bool         `json:"ok"`
		}{checked, ok})
		if err != nil {
			return err
		}
	} else {
		if len(checked) == 0 {
			a.say("No daemon runs.")
		}
		for _, h := range checked {
			a.printf("%-8s PID %-8s %s: %s\n", h.Check, pidText(h.PID), visible(h.Workspace), visible(h.Why))
		}
	}
	if !ok {
		return exitWith(exitFailing)
	}
	return nil
}

// healthOf judges one daemon.
func (a *app) healthOf(m fleet.Member) healthJSON {
	h := healthJSON{memberOf(m), checkOK, "running"}
	if m.Status.LastSync != nil {
		h.Why = "last sync " + a.secondsTime(m.Status.LastSync)
	}
	switch {
	case m.State == fleet.Silent:
		h.Check, h.Why = checkError, m.State+": "+m.Reason
	case m.State == fleet.Unknown:
		h.Check, h.Why = checkWarning, m.State+": "+m.Reason
	case m.Status.LastError != "":
		h.Check, h.Why = checkError, m.Status.LastError
	case m.Status.Status != control.Running:
		h.Check, h.Why = checkError, "it says that its status is "+m.Status.Status
	case m.Status.Health == control.Unhealthy:
		h.Check, h.Why = checkError, m.Status.HealthReason
	case m.Status.Health == control.Warning:
		h.Check, h.Why = checkWarning, m.Status.HealthReason
	case m.Status.Remote != nil && m.Status.Remote.Error != "":
		h.Check, h.Why = checkWarning, m.Status.Remote.Error
	case h.Differs:
		h.Check, h.Why = checkWarning, "version "+h.versionText()+": bd daemon restart"
	}
	return h
}

// killallJSON is what bd daemons killall prints with --json.
type killallJSON struct {
	Stopped []memberJSON `json:"stopped"`
	Failed  []failedJSON `json:"failed"`
	Skipped []memberJSON `json:"skipped"` // cannot be seen from here
}

type failedJSON struct {
	memberJSON
	Error string `json:"error"`
}

func newDaemonsKillall(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "killall",
		Short: "Stop every daemon on this machine",
		Long: `Stop every daemon that runs for you on this machine, each as bd daemon stop does. It is
no failure if none runs. Their workspaces stay as they are; commands work on without
them.`,
		Example: "  bd daemons killall\n  bd daemons killall --force",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			outcomes, skipped, err := a.fleet().StopAll(cmd.Context(), force)
			if err != nil {
				return err
			}
			a.noticeAll(skipped)
			return a.printKillall(outcomes, force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "kill those that do not stop in time")
	return cmd
}

func (a *app) printKillall(outcomes []fleet.Outcome, force bool) error {
	result := killallJSON{[]memberJSON{}, []failedJSON{}, []memberJSON{}}
	var reasons []string
	for _, o := range outcomes {
		m := memberOf(o.Member)
		switch {
		case o.Err == nil:
			m.Status, m.Reason = control.Stopped, ""
			result.Stopped = append(result.Stopped, m)
			a.say("Stopped daemon with PID %d (%s)", m.PID, visible(m.Workspace))
		case o.State == fleet.Unknown:
			result.Skipped = append(result.Skipped, m)
			a.notice("left alone: " + m.Workspace + ": " + m.Reason)
		default:
			result.Failed = append(result.Failed, failedJSON{m, o.Err.Error()})
			reasons = append(reasons, m.Workspace+": "+strings.TrimPrefix(o.Err.Error(), "failed to stop daemon: "))
		}
	}
	if a.json {
		if err := a.printJSON(result); err != nil {
			return err
		}
	}
	if len(reasons) > 0 {
		f := failf("daemon_stop", "failed to stop daemon: %s", strings.Join(reasons, "; "))
		if !force {
			return f.withHint("bd daemons killall --force kills it")
		}
		return f
	}
	if len(result.Stopped) == 0 {
		a.say("No daemon runs.")
	}
	return nil
}

// fleet is every daemon of this user on this machine.
func (a *app) fleet() fleet.Fleet {
	return fleet.Fleet{Registry: a.registry(), Sockets: a.sockets(), Hostname: hostname(), ReadOnly: a.readonly}
}

func (a *app) registry() registry.Registry {
	return registry.Registry{Dir: registry.Dir(a.Getenv("XDG_STATE_HOME"), a.Home), UID: os.Getuid()}
}

// hostname is this machine's name, "" if the system cannot tell.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// noticeAll tells what was passed over.
func (a *app) noticeAll(lines []string) {
	for _, line := range lines {
		a.notice(line)
	}
}
