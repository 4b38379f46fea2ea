package control

import (
	"context"
	"errors"
	"time"

	"beads/internal/metrics"
)

// The values of Status.Status.
const (
	Running = "running"
	Stopped = "stopped"
	Failing = "error"
)

// Status describes a daemon, also one that does not run: then PID is 0 and the
// rest is what it left behind. Sizes are bytes.
type Status struct {
	PID           int        `json:"pid"`
	Status        string     `json:"status"` // Running, Stopped or Failing
	StartTime     *time.Time `json:"start_time"`
	LastSync      *time.Time `json:"last_sync"`
	SyncCount     int64      `json:"sync_count"`   // cycles since StartTime, failed ones too
	ErrorCount    int64      `json:"error_count"`  // of them
	MemoryUsage   int64      `json:"memory_usage"` // resident
	MemoryPeak    int64      `json:"memory_peak"`  // the most that was ever resident
	CPUPercent    float64    `json:"cpu_percent"`  // of one processor, over the last minute
	CPUSeconds    float64    `json:"cpu_seconds"`  // used since the process began
	LastError     string     `json:"last_error"`   // of the last step; "" if it succeeded
	Workspace     string     `json:"workspace"`    // the directory with the log
	Version       string     `json:"version"`      // of the daemon's program
	UptimeSeconds int64      `json:"uptime_seconds"`
	Watcher       string     `json:"watcher"`            // inotify, fsnotify or polling
	WatcherReason string     `json:"watcher_reason"`     // why it is polling
	Applied       int64      `json:"operations_applied"` // to the database, whoever did it
	Restored      int64      `json:"lines_restored"`
	Config        string     `json:"config"`       // the daemon.yaml that was read; "" if none
	ConfigError   string     `json:"config_error"` // why a change of the settings does not count; "" if they do
	Socket        string     `json:"socket"`       // where it answers; "" if it does not run

	Unpublished  *int64 `json:"unpublished_operations"` // not known to be on the remote; nil: not known yet, or no Git
	Quarantine   *int64 `json:"quarantine"`             // lines that cannot be read; nil: not known
	Health       string `json:"health"`                 // as Health.Status; "" before the first look
	HealthReason string `json:"health_reason"`          // the first thing that is not healthy

	Remote          *Remote    `json:"remote"`           // nil: not known yet, or there is no Git
	ExchangingSince *time.Time `json:"exchanging_since"` // nil: no exchange with the remote is under way
}

// Remote is how replication stands.
type Remote struct {
	Name       string     `json:"name"` // "": the operations are not shared
	URL        string     `json:"url"`  // without credentials
	LastSync   *time.Time `json:"last_sync"`
	Unshared   int64      `json:"unshared"` // operations that the remote is not known to have
	ClaimsLost int        `json:"claims_lost"`
	Error      string     `json:"error"` // of the last exchange; "" if it succeeded
}

// Report says what one step moved.
type Report struct {
	Applied     int     `json:"applied"`
	Restored    int     `json:"restored"`
	Imported    int     `json:"imported"`
	Quarantined int     `json:"quarantined"`
	Rebuilt     bool    `json:"rebuilt"`
	FullScan    bool    `json:"full_scan"`
	Seconds     float64 `json:"seconds"`
}

// SyncResult says what one whole cycle moved.
type SyncResult struct {
	Report
	Exchange *Exchange `json:"exchange"` // nil: there is no Git
}

// Exchange says what one exchange with Git and, once a remote is pinned, with
// the remote moved. Counts are operations, but for Quarantined, which is lines.
type Exchange struct {
	Published   int     `json:"published"` // to the repository's own ref
	Fetched     int     `json:"fetched"`
	Restored    int     `json:"restored"`
	Pushed      int64   `json:"pushed"`
	Quarantined int     `json:"quarantined"`
	Unpublished int64   `json:"unpublished_operations"` // not known to be on the remote
	Error       string  `json:"error"`                  // "" if it succeeded; local work is not lost by it
	Seconds     float64 `json:"seconds"`
}

// What a Handler may fail with, beside errors of its own.
var (
	// ErrMetricsOff: the settings say that nothing is measured.
	ErrMetricsOff = errors.New("metrics are off (enable_metrics: false)")
	// ErrStopping: a clean stop has begun.
	ErrStopping = errors.New("the daemon is stopping")
)

// Handler is the daemon as the socket sees it. Status, Health, Metrics
// and Subscribe must not wait for a running step; the contexts end with the server.
type Handler interface {
	Status(ctx context.Context) (Status, error)
	Health(ctx context.Context) (Health, error)
	Metrics(ctx context.Context) (metrics.Snapshot, error)
	Sync(ctx context.Context) (SyncResult, error)
	Reload(ctx context.Context) error
	Stop(ctx context.Context) error
	// Subscribe returns the events from now on, until cancel is called. The
	// channel is closed when the reader was too slow or no more will come.
	Subscribe() (events <-chan Event, cancel func())
}
