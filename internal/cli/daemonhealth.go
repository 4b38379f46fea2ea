package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"beads/internal/control"
	"beads/internal/fleet"
)

// exitWarning is the exit code of bd daemon health for a warning; the others
// are those of bd daemon status.
const exitWarning = 1

func newDaemonHealth(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Show what the daemon's checks found",
		Long: `Show what the daemon found when it last looked at what it depends on. It answers within
a second, also if the daemon does not. The exit code is 0 if all is well, 1 if something
deserves a look, 3 if no daemon runs, and 4 if something is broken.`,
		Example: "  bd daemon health\n  bd daemon health --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, err := a.existing()
			if err != nil {
				return err
			}
			health, running, err := fleet.AskHealth(cmd.Context(), place, a.socketsOf(place))
			if err != nil {
				return err
			}
			if a.json {
				if err := a.printJSON(health); err != nil {
					return err
				}
			} else {
				a.printHealth(health)
			}
			switch {
			case !running:
				return exitWith(exitStopped)
			case health.Status == control.Unhealthy:
				return exitWith(exitFailing)
			case health.Status == control.Warning:
				return exitWith(exitWarning)
			}
			return nil
		},
	}
}

// printHealth prints a line for each check and a sum.
func (a *app) printHealth(h control.Health) {
	styles := map[string]style{control.Healthy: green, control.Warning: yellow, control.Unhealthy: red}
	t := table{columns: []column{{"CHECK", firm}, {"STATUS", firm}, {"MESSAGE", cuttable}}}
	found := map[string]int{}
	for _, c := range h.Checks {
		found[c.Status]++
		t.rows = append(t.rows, []cell{{visible(c.Name), plain}, {visible(c.Status), styles[c.Status]}, {visible(c.Message), plain}})
	}
	a.printTable(t)
	sum := fmt.Sprint(plural(len(h.Checks), "check", "checks"))
	for _, status := range []string{control.Warning, control.Unhealthy} {
		if found[status] > 0 {
			sum += fmt.Sprintf(", %d %s", found[status], status)
		}
	}
	a.printf("\nDaemon Health: %s (%s)\n", a.paint(styles[h.Status], visible(h.Status)), sum)
}
