package cli

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"beads/internal/projection"
	"beads/internal/replica"
)

func newRecover(a *app) *cobra.Command {
	var quarantine bool
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Check every copy whole and put back what one lost",
		Long: `Compare log, guard copy, database and Git ref line by line, put back what one of them lost, and
list the lines that could not be read. Those stay in their file, untouched: correct
one and append it, and it counts.`,
		Example: `  bd recover
  bd recover --quarantine --json`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			result := recovery{}
			if !quarantine {
				w, err := a.open(cmd.Context())
				if err != nil {
					return err
				}
				report, err := w.Refresh(cmd.Context(), true)
				if err != nil {
					return err
				}
				done := reportJSON(report)
				result.Refresh = &done
				a.say("%s", reportText(report))
				if w.Place().CommonDir != "" {
					fromGit, err := a.replica(w).Recover(cmd.Context())
					if err != nil {
						return err
					}
					result.Replication = &fromGit
					if moved := movedText(fromGit); moved != "" {
						a.say("%s", moved)
					}
				}
			}
			return a.view(cmd, func(q *projection.Query) error {
				lines, err := q.Quarantined()
				if err != nil {
					return err
				}
				if a.json {
					result.Quarantine = quarantineJSON(lines)
					return a.printJSON(result)
				}
				a.printQuarantine(lines)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&quarantine, "quarantine", false, "only list the lines that could not be read")
	return cmd
}

// recovery is the JSON of bd recover.
type recovery struct {
	Refresh     *refreshJSON     `json:"refresh,omitempty"`
	Replication *replica.Report  `json:"replication,omitempty"`
	Quarantine  []quarantineLine `json:"quarantine"`
}

// quarantineLine is a line that could not be read. Bytes that are not UTF-8
// come as base64, since JSON cannot hold them.
type quarantineLine struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Offset int64  `json:"offset"`
	Reason string `json:"reason"`
	Raw    string `json:"raw,omitempty"`
	Base64 string `json:"raw_base64,omitempty"`
}

func quarantineJSON(entries []projection.QuarantineEntry) []quarantineLine {
	lines := make([]quarantineLine, 0, len(entries))
	for _, e := range entries {
		line := quarantineLine{File: e.File, Line: e.Line, Offset: e.Offset, Reason: e.Reason}
		if utf8.Valid(e.Raw) {
			line.Raw = string(e.Raw)
		} else {
			line.Base64 = base64.StdEncoding.EncodeToString(e.Raw)
		}
		lines = append(lines, line)
	}
	return lines
}

func (a *app) printQuarantine(entries []projection.QuarantineEntry) {
	if len(entries) == 0 {
		a.say("No line is in quarantine.")
		return
	}
	t := table{columns: []column{{"FILE", firm}, {"LINE", firm}, {"WHY", cuttable}, {"TEXT", cuttable}}}
	for _, e := range entries {
		text := visible(string(e.Raw[:min(len(e.Raw), quarantineShown)]))
		if len(e.Raw) > quarantineShown {
			text += a.symbols().ellipsis
		}
		t.rows = append(t.rows, []cell{
			{visible(e.File), plain}, {strconv.FormatInt(e.Line, 10), plain}, {visible(e.Reason), red}, {text, plain},
		})
	}
	a.printTable(t)
}

// quarantineShown bounds the bytes of a bad line that people are shown.
const quarantineShown = 120
