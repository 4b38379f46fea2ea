package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/control"
	"beads/internal/fleet"
	"beads/internal/metrics"
)

func newDaemonMetrics(a *app) *cobra.Command {
	var prometheus bool
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Show what the daemon has counted and measured",
		Long: `Show what the daemon has counted since it started, how long its steps took, and what its
process uses. --json has every figure; --prometheus prints the same as OpenMetrics text,
which Prometheus and others read.`,
		Example: "  bd daemon metrics\n  bd daemon metrics --json\n  bd daemon metrics --prometheus > /var/lib/node_exporter/bd.prom",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if prometheus && a.json {
				return usagef("--json and --prometheus do not go together")
			}
			place, err := a.existing()
			if err != nil {
				return err
			}
			var shot metrics.Snapshot
			err = fleet.Ask(cmd.Context(), place, a.socketsOf(place), func(ctx context.Context, c *control.Client) (err error) {
				shot, err = c.Metrics(ctx)
				return err
			})
			switch {
			case err != nil:
				return daemonFailure(err)
			case a.json:
				return a.printJSON(shot)
			case prometheus:
				a.printf("%s", shot.OpenMetrics())
			default:
				a.printMetrics(shot)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&prometheus, "prometheus", false, "print OpenMetrics text")
	return cmd
}

// printMetrics prints the figures in groups.
func (a *app) printMetrics(s metrics.Snapshot) {
	row := func(name, format string, args ...any) {
		a.printf("  %-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	a.printf("Since %s\n", a.secondsTime(&s.StartTime))
	a.heading("Sync cycles")
	row("Count", "%d, %d failed", s.SyncCount, s.ErrorCount)
	if s.SyncCount > 0 {
		row("Time", "%s last, %s on average", took(s.LastSyncTime), took(s.AverageSyncTime))
	}
	row("Waiting", "%s", plural(s.QueueDepth, "step or request", "steps and requests"))
	a.heading("Operations")
	row("Applied", "%d", s.Applied)
	row("Published", "%d", s.Published)
	row("Fetched", "%d", s.Fetched)
	if s.SampledAt != nil {
		row("Quarantine", "%s", plural(s.QuarantineSize, "line", "lines"))
	}
	a.heading("Steps")
	for _, h := range []struct {
		name string
		metrics.Histogram
	}{{"Refresh", s.RefreshSeconds}, {"Exchange", s.ExchangeSeconds}} {
		if h.Count == 0 {
			row(h.name, "0")
			continue
		}
		average := time.Duration(h.Sum / float64(h.Count) * float64(time.Second))
		row(h.name, "%d, %s on average, 95 %% in %s", h.Count, took(average), took(h.Quantile(0.95)))
	}
	if s.SampledAt == nil {
		return
	}
	a.heading("Process")
	row("Memory", "%s, at most %s", megabytes(s.MemoryUsage), megabytes(s.MemoryPeak))
	row("CPU", "%s, %s used", percent(s.CPUUsage), took(time.Duration(s.CPUSeconds*float64(time.Second))))
	row("Measured", "%s", a.secondsTime(s.SampledAt))
}

// took is a duration with three digits or so.
func took(d time.Duration) string {
	for unit := time.Duration(1); ; unit *= 10 {
		if d < 1000*unit || unit >= time.Second {
			return d.Round(unit).String()
		}
	}
}

// megabytes is a size as people read it.
func megabytes(bytes int64) string { return fmt.Sprintf("%dMB", (bytes+500_000)/1_000_000) }
