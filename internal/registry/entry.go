package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"time"
)

// Entry is what a daemon says of itself.
type Entry struct {
	Workspace string    `json:"workspace"` // the directory with the log; absolute
	Lock      string    `json:"lock"`      // the file it holds, in Workspace
	Socket    string    `json:"socket"`    // where it listens; "" if unknown
	PID       int       `json:"pid"`       // for people
	StartTime time.Time `json:"start_time"`
	Hostname  string    `json:"hostname"` // a home directory may be shared by machines
	Version   string    `json:"version"`
}

const suffix = ".json"

// fileName is the name of the entry for the workspace in dir.
func fileName(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:16]) + suffix
}

// parse reads an entry that was found under name and checks that it is one.
func parse(name string, data []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Entry{}, err
	}
	if err := e.check(); err != nil {
		return Entry{}, err
	}
	if fileName(e.Workspace) != name {
		return Entry{}, errors.New("its name is not that of its workspace")
	}
	return e, nil
}

func (e Entry) check() error {
	switch {
	case !plain(e.Workspace):
		return errors.New("its workspace is not a plain absolute path")
	case !plain(e.Lock) || filepath.Dir(e.Lock) != e.Workspace:
		return errors.New("its lock is not in its workspace")
	case e.Socket != "" && !plain(e.Socket):
		return errors.New("its socket is not a plain absolute path")
	case e.PID <= 0:
		return errors.New("its PID is not one")
	}
	return nil
}

// plain reports whether path can be used as it is.
func plain(path string) bool {
	return filepath.IsAbs(path) && filepath.Clean(path) == path && len(path) < 4096 && !strings.ContainsRune(path, 0)
}

// same reports whether both are of one run of a daemon.
func (e Entry) same(other Entry) bool {
	return e.Workspace == other.Workspace && e.PID == other.PID && e.StartTime.Equal(other.StartTime) && e.Hostname == other.Hostname
}
