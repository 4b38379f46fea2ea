package cli

import (
	"beads/internal/daemonlog"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// defaultTail is what --tail without a number means.
const defaultTail = "50"

func newDaemonLogs(a *app) *cobra.Command {
	var tail, since, level string
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show the daemon's log",
		Long: `Show the daemon's log, oldest entry first, across rotations and whichever format it was
written in. No daemon needs to run. With --json each line is one JSON object.`,
		Example: `  bd daemon logs --tail
  bd daemon logs --tail 200 --level warn
  bd daemon logs --since 10m -f`,
		Args: arguments(0, 1, "no arguments but the number of --tail"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				// A flag whose value may be left out takes none after a blank.
				if !cmd.Flags().Changed("tail") || tail != defaultTail {
					return usagef("%s takes no arguments", cmd.CommandPath()).withHint("%s --help", cmd.CommandPath())
				}
				tail = args[0]
			}
			q, err := a.logQuery(tail, since, level)
			if err != nil {
				return err
			}
			q.Follow = follow
			place, err := a.existing()
			if err != nil {
				return err
			}
			if follow {
				q.Flushed = a.out.Flush
			}
			err = daemonlog.Read(cmd.Context(), place, q, a.printLogEntry)
			if errors.Is(err, daemonlog.ErrNone) {
				return failf("no_log", "%w", err).withHint("bd daemon start")
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&tail, "tail", "", "only the last `N` entries; "+defaultTail+" if no number is given")
	flags.Lookup("tail").NoOptDefVal = defaultTail
	flags.StringVar(&since, "since", "", "only entries since `TIME`, such as 10m, 2d, or a date as in RFC 3339")
	flags.BoolVarP(&follow, "follow", "f", false, "go on until interrupted")
	flags.StringVar(&level, "level", "", "only entries of `LEVEL` and above: debug, info, warn or error")
	return cmd
}

// logQuery reads the flags that choose entries.
func (a *app) logQuery(tail, since, level string) (q daemonlog.Query, err error) {
	q.Level = slog.LevelDebug
	if tail != "" {
		if q.Last, err = strconv.Atoi(tail); err != nil || q.Last < 1 {
			return q, usagef("--tail takes a number from 1, not %q", tail)
		}
	}
	if level != "" {
		if q.Level, err = logLevel(level); err != nil {
			return q, err
		}
	}
	if since == "" {
		return q, nil
	}
	q.Since, err = a.parseSince(since)
	return q, err
}

func logLevel(text string) (slog.Level, error) {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[strings.ToLower(text)]
	if !ok {
		return 0, usagef("--level takes debug, info, warn or error, not %q", text)
	}
	return level, nil
}

// printLogEntry prints one entry, for a person in one line and its output below.
func (a *app) printLogEntry(e daemonlog.Entry) error {
	if a.json {
		encoder := json.NewEncoder(a.dataOutput())
		encoder.SetEscapeHTML(false)
		e.Timestamp = e.Timestamp.UTC() // the log has the zone that the daemon ran in
		return encoder.Encode(e)
	}
	stamp := strings.Repeat("-", len(logStamp))
	if !e.Timestamp.IsZero() {
		stamp = e.Timestamp.In(a.Location).Format(logStamp)
	}
	styles := map[string]style{"warn": yellow, "error": red, "debug": dim}
	a.printf("%s %s %s", stamp, a.paint(styles[e.Level], fmt.Sprintf("%-5s", visible(e.Level))), visible(e.Message))
	if e.Operation != "" {
		a.printf(" operation=%s", visible(e.Operation))
	}
	if e.Duration != 0 {
		a.printf(" duration=%s", e.Duration.Round(10*time.Microsecond))
	}
	keys := make([]string, 0, len(e.Metadata))
	for key := range e.Metadata {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		a.printf(" %s=%s", visible(key), logValue(e.Metadata[key]))
	}
	if e.Error != "" && !strings.Contains(e.Message, e.Error) {
		a.printf(" error=%s", visible(strconv.Quote(e.Error)))
	}
	a.printf("\n")
	for _, line := range e.Output {
		a.printf("  %s\n", VisibleText(line))
	}
	return nil
}

const logStamp = "2006-01-02 15:04:05.000"

// logValue is a value of the metadata, in quotes where it would not be one word.
func logValue(value any) string {
	text, ok := value.(string)
	if !ok {
		data, err := json.Marshal(value)
		if err != nil {
			return "?"
		}
		return visible(string(data))
	}
	if text == "" || strings.ContainsAny(text, " \"=") {
		text = strconv.Quote(text)
	}
	return visible(text)
}
