package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/control"
	"beads/internal/fleet"
	"beads/internal/workspace"
)

// daemonStatusJSON is what bd daemon status --json prints.
type daemonStatusJSON struct {
	control.Status
	Neighbours []fleet.Neighbour `json:"neighbours"`
}

// inspectDaemon asks the daemon, and looks for others of the same project.
func (a *app) inspectDaemon(ctx context.Context, place workspace.Place) (s daemonStatusJSON, err error) {
	if s.Status, err = fleet.Inspect(ctx, place, a.socketsOf(place)); err == nil {
		s.Neighbours = a.neighbours(ctx, place)
	}
	return s, err
}

func newDaemonStatus(a *app) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the daemon is",
		Long: `Show how the daemon is, or what the last one left behind. The exit code is 0 if it runs,
3 if it is stopped, and 4 if something is wrong.

With --watch it is shown again every second until you interrupt it; then the exit code
is 0. With --json that is one object a line.`,
		Example: "  bd daemon status\n  bd daemon status --json\n  bd daemon status --watch",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, err := a.existing()
			if err != nil {
				return err
			}
			if watch {
				return a.watchDaemon(cmd.Context(), place)
			}
			s, err := a.inspectDaemon(cmd.Context(), place)
			if err != nil {
				return err
			}
			if a.json {
				err = a.printJSON(s)
			} else {
				a.printDaemonStatus(s)
			}
			if err != nil {
				return err
			}
			switch s.Status.Status {
			case control.Running:
				return nil
			case control.Stopped:
				return exitWith(exitStopped)
			}
			return exitWith(exitFailing)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again every second")
	return cmd
}

// printDaemonStatus prints a box with the most important rows first.
func (a *app) printDaemonStatus(s daemonStatusJSON) {
	title := map[string]string{control.Running: "Running", control.Stopped: "Stopped"}[s.Status.Status]
	if title == "" {
		title = "Error"
	}
	rows := [][2]string{
		{"PID", "-"}, {"Started", a.secondsTime(s.StartTime)}, {"Last Sync", a.secondsTime(s.LastSync)},
		{"Sync Count", fmt.Sprint(s.SyncCount)}, {"Memory", "-"}, {"CPU", "-"},
		{"Workspace", s.Workspace},
	}
	if s.PID != 0 {
		rows[0][1] = fmt.Sprint(s.PID)
	}
	if s.MemoryUsage > 0 {
		rows[4][1] = megabytes(s.MemoryUsage)
		rows[5][1] = percent(s.CPUPercent)
	}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	add("Version", daemonVersion(s.Status))
	if s.UptimeSeconds > 0 {
		add("Uptime", (time.Duration(s.UptimeSeconds) * time.Second).String())
	}
	add("Watcher", s.Watcher)
	add("", s.WatcherReason)
	if s.ConfigError != "" {
		s.Config = s.ConfigError
	}
	add("Config", s.Config)
	if s.ErrorCount > 0 {
		add("Failed Syncs", fmt.Sprint(s.ErrorCount))
	}
	add("Last Error", s.LastError)
	rows = append(rows, replicationRows(a, s.Status)...)
	switch {
	case s.Quarantine == nil:
	case *s.Quarantine == 0:
		add("Quarantine", "0 lines")
	default:
		add("Quarantine", plural(*s.Quarantine, "line", "lines")+" (bd recover --quarantine)")
	}
	add("Health", cmp.Or(s.HealthReason, s.Health))
	for i, n := range s.Neighbours {
		add([]string{"Neighbours", ""}[min(i, 1)], neighbourText(n))
	}
	a.printf("Daemon Status: %s\n", title)
	a.printBox(rows)
}

// replicationRows say what is not shared yet, with whom, and what is in the way.
func replicationRows(a *app, s control.Status) (rows [][2]string) {
	add := func(name, value string) { rows = append(rows, [2]string{name, value}) }
	switch {
	case s.Unpublished != nil:
		add("Unpublished", plural(*s.Unpublished, "operation", "operations"))
	case s.Socket != "":
		add("Unpublished", "-") // not known yet, or there is no Git
	}
	r := s.Remote
	switch {
	case r == nil && s.Socket != "":
		add("Remote", "-")
	case r == nil:
	case r.Name == "":
		add("Remote", "none (bd sync --publish)")
	default:
		add("Remote", r.Name+" ("+r.URL+")")
		add("Exchanged", a.secondsTime(r.LastSync))
	}
	if r != nil && r.Error != "" {
		add("Remote Error", r.Error)
		add("", "Local work goes on. To try now: bd sync")
	}
	if r != nil && r.ClaimsLost > 0 {
		add("Claims Lost", fmt.Sprint(r.ClaimsLost)+" (bd sync --status)")
	}
	if s.ExchangingSince != nil {
		add("Exchanging", "since "+a.secondsTime(s.ExchangingSince))
	}
	return rows
}

// secondsTime is a local time with seconds, as a status wants it.
func (a *app) secondsTime(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.In(a.Location).Format(time.DateTime)
}

func percent(p float64) string {
	if p > 0 && p < 1 {
		return fmt.Sprintf("%.1f%%", p)
	}
	return fmt.Sprintf("%.0f%%", p)
}

// printBox prints names and values in a frame that fits the terminal.
func (a *app) printBox(rows [][2]string) {
	const frame = 7 // of a row: three lines and four blanks
	names, values := 0, 0
	for i := range rows {
		rows[i][1] = visible(rows[i][1])
		names = max(names, displayWidth(rows[i][0]))
		values = max(values, displayWidth(rows[i][1]))
	}
	if a.StdoutTerminal && a.Width > 0 {
		values = max(1, min(values, a.Width-frame-names))
	}
	signs := a.symbols()
	rule := func(left, middle, right string) {
		a.printf("%s%s%s%s%s\n", left, strings.Repeat(signs.horizontal, names+2), middle, strings.Repeat(signs.horizontal, values+2), right)
	}
	padded := func(s string, width int) string { return s + strings.Repeat(" ", width-displayWidth(s)) }
	rule(signs.topLeft, signs.top, signs.topRight)
	for _, row := range rows {
		value := padded(cutWith(row[1], values, signs.ellipsis), values)
		a.printf("%[1]s %[2]s %[1]s %[3]s %[1]s\n", signs.vertical, padded(row[0], names), value)
	}
	rule(signs.left, signs.bottom, signs.right)
}
