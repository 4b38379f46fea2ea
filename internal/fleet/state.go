package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"beads/internal/control"
	"beads/internal/workspace"
)

// StateName is the file in the workspace's directory with what a daemon that
// does not run left behind.
const StateName = "daemon.json"

// State is the content of the state file. Counts are since StartTime.
type State struct {
	PID        int        `json:"pid"` // 0: stopped cleanly
	StartTime  *time.Time `json:"start_time"`
	LastSync   *time.Time `json:"last_sync"`
	SyncCount  int64      `json:"sync_count"`
	ErrorCount int64      `json:"error_count"`
	Status     string     `json:"status"` // as in control
	LastError  string     `json:"last_error"`
	Version    string     `json:"version"`
	Applied    int64      `json:"operations_applied"`
	Restored   int64      `json:"lines_restored"`
}

// LoadState reads the state file; a missing or unreadable one is the zero State.
func LoadState(p workspace.Place) State {
	var s State
	data, err := p.ReadFile(StateName)
	if err != nil || json.Unmarshal(data, &s) != nil {
		return State{}
	}
	return s
}

// Save replaces the state file, so that a reader sees the old or the new one.
// It does not create the directory: that may be gone on purpose.
func (s State) Save(p workspace.Place) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(p.Dir, "."+StateName+".*") // 0600
	if err != nil {
		return fmt.Errorf("daemon state: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(p.Dir, StateName))
	}
	if err != nil {
		return fmt.Errorf("daemon state: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// Report is the part of a Status that a state knows.
func (s State) Report() control.Status {
	return control.Status{
		PID: s.PID, Status: s.Status, StartTime: s.StartTime, LastSync: s.LastSync,
		SyncCount: s.SyncCount, ErrorCount: s.ErrorCount, LastError: s.LastError,
		Version: s.Version, Applied: s.Applied, Restored: s.Restored,
	}
}

// regular reports whether path is there and a regular file, not a link.
func regular(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}
