package cli

import (
	"fmt"
	"os"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"beads/internal/fleet"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// infoJSON is what bd info --json prints; database_path, issue_count and config
// are where upstream has them.
type infoJSON struct {
	whereJSON
	LogBytes     int64             `json:"log_bytes"`
	Prefix       string            `json:"issue_prefix"`
	Issues       int               `json:"issue_count"`
	Open         int               `json:"open_count"`
	Closed       int               `json:"closed_count"`
	Deleted      int               `json:"deleted_count"`
	Operations   int64             `json:"operation_count"`
	Quarantined  int               `json:"quarantined_count"`
	Interactions int64             `json:"interaction_count,omitempty"`
	Actor        string            `json:"actor"`
	Version      string            `json:"version"`
	Mode         string            `json:"mode"`
	Config       map[string]string `json:"config"`

	Replication *replica.Status   `json:"replication,omitempty"`
	Neighbours  []fleet.Neighbour `json:"neighbours"` // other daemons for this project
}

func newInfo(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "info",
		Short:   "Show where the workspace is and what it holds",
		Long:    "Show where the workspace is, what is in it, who you are here, and how sharing stands.",
		Example: "  bd info --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var info infoJSON
			err := a.view(cmd, func(q *projection.Query) (err error) {
				info, err = a.collectInfo(q, a.ws.Place())
				return err
			})
			if err != nil {
				return err
			}
			if a.ws.Place().CommonDir != "" {
				status, err := a.replica(a.ws).Status(cmd.Context())
				if err != nil {
					return err
				}
				info.Replication = &status
			}
			info.Neighbours = a.neighbours(cmd.Context(), a.ws.Place())
			if a.json {
				return a.printJSON(info)
			}
			a.printInfo(info)
			return nil
		},
	}
}

func (a *app) collectInfo(q *projection.Query, place workspace.Place) (infoJSON, error) {
	info := infoJSON{whereJSON: whereOf(place), Version: version, Mode: "direct", Actor: a.actorName(place), Config: map[string]string{}}
	stats, err := q.Stats(a.Now())
	if err != nil {
		return info, err
	}
	info.Issues, info.Open, info.Closed, info.Deleted = stats.Total, stats.Open, stats.Closed, stats.Deleted
	if info.Operations, err = q.Operations(); err != nil {
		return info, err
	}
	if info.Interactions, err = q.Of(op.Interactions).MaxSeq(); err != nil {
		return info, err
	}
	if info.Quarantined, err = q.QuarantineCount(); err != nil {
		return info, err
	}
	settings, err := q.Settings()
	if err != nil {
		return info, err
	}
	info.Prefix = settings.Prefix()
	for name, value := range settings.Values {
		info.Config[name] = settingText(value)
	}
	if file, err := os.Stat(place.LogPath()); err == nil {
		info.LogBytes = file.Size()
	}
	return info, nil
}

func (a *app) printInfo(info infoJSON) {
	a.printf("Workspace   %s\n", visible(info.Path))
	a.printf("Database    %s\n", visible(info.Database))
	a.printf("Log         %s (%s, %s)\n", visible(info.Log), humanize.IBytes(uint64(info.LogBytes)), plural(info.Operations, "operation", "operations"))
	if info.Guard != "" {
		a.printf("Guard copy  %s\n", visible(info.Guard))
	} else {
		a.printf("Guard copy  none (bd doctor says why)\n")
	}
	if info.Source != "" {
		a.printf("Imports     %s\n", visible(info.Source))
	}
	a.printf("Prefix      %s\n", visible(info.Prefix))
	other := ""
	if n := info.Issues - info.Open - info.Closed; n > 0 {
		other = fmt.Sprintf(", %d of another status", n)
	}
	a.printf("Issues      %d (%d open, %d closed%s), %d deleted\n", info.Issues, info.Open, info.Closed, other, info.Deleted)
	if info.Interactions > 0 {
		a.printf("Records     %s\n", plural(info.Interactions, "interaction", "interactions"))
	}
	if info.Quarantined > 0 {
		a.printf("Quarantine  %s (bd doctor)\n", plural(info.Quarantined, "line", "lines"))
	}
	a.printf("Actor       %s\n", visible(info.Actor))
	if r := info.Replication; r != nil {
		a.printf("Sharing     %s\n", sharingText(r.Remote, r.Unshared))
		if !r.Last.Success.IsZero() {
			a.printf("Last sync   %s\n", a.localTime(r.Last.Success))
		}
		if r.Last.Error != "" {
			a.printf("Remote      %s\n", visible(r.Last.Error))
		}
	}
	for _, n := range info.Neighbours {
		a.printf("Neighbour   %s\n", visible(neighbourText(n)))
	}
}
