package control

import (
	"context"
	"time"
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
	CPUPercent    float64    `json:"cpu_percent"`  // of one processor, over the last half minute or so
	LastError     string     `json:"last_error"`   // of the last step; "" if it succeeded
	Workspace     string     `json:"workspace"`    // the directory with the log
	Version       string     `json:"version"`      // of the daemon's program
	UptimeSeconds int64      `json:"uptime_seconds"`
	Watcher       string     `json:"watcher"`        // inotify, fsnotify or polling
	WatcherReason string     `json:"watcher_reason"` // why it is polling
	Applied       int64      `json:"operations_applied"`
	Restored      int64      `json:"lines_restored"`
	Config        string     `json:"config"` // the daemon.yaml that was read; "" if none

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

// Handler is the daemon as the socket sees it. Status must not wait for a
// running step; the contexts end with the connection's deadline or the server.
type Handler interface {
	Status(ctx context.Context) (Status, error)
	Refresh(ctx context.Context) (Report, error)
	Stop(ctx context.Context) error
}
