package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"beads/internal/oplog"
)

// How long a start waits for the lock when nobody answers on the socket: long
// enough for who only looked whether the lock is free.
const lockPatience = 250 * time.Millisecond

// RunningError is what a start fails with when another daemon has the lock.
type RunningError struct{ PID int } // 0: it has not said yet

func (e *RunningError) Error() string {
	if e.PID == 0 {
		return "daemon already running (PID not known yet)"
	}
	return fmt.Sprintf("daemon already running (PID %d)", e.PID)
}

// Holder is what the lock file says of who holds it, for people and other
// tools. Nothing is decided by it.
type Holder struct {
	PID        int       `json:"pid"` // 0: stopped
	StartTime  time.Time `json:"start_time"`
	Hostname   string    `json:"hostname"`
	Version    string    `json:"version"`
	LastUpdate time.Time `json:"last_update"`
	State      string    `json:"state"` // running or stopped
}

// Lock is the daemon's lock, held. Its methods are for one goroutine.
type Lock struct {
	file    *oplog.FileLock
	content Holder
}

// Acquire takes the lock at path, or fails with a RunningError. who fills in
// the content, which is written at once.
func Acquire(ctx context.Context, path string, who Holder) (*Lock, error) {
	for {
		l, again, err := acquireOnce(ctx, path)
		if err != nil {
			return nil, err
		}
		if again {
			continue
		}
		l.content = who
		l.content.State = "running"
		return l, l.Beat(who.StartTime)
	}
}

// acquireOnce asks for another turn when the file was replaced meanwhile.
func acquireOnce(ctx context.Context, path string) (l *Lock, again bool, err error) {
	file, err := oplog.OpenLock(path)
	if err != nil {
		return nil, false, fmt.Errorf("daemon lock: %w", err)
	}
	waiting, cancel := context.WithTimeoutCause(ctx, lockPatience, errHeld)
	defer cancel()
	err = file.Lock(waiting)
	if errors.Is(err, errHeld) {
		err = &RunningError{PID: readContent(file).PID}
	}
	if err == nil {
		var current bool
		if current, err = file.Current(); err == nil && current {
			return &Lock{file: file}, false, nil
		}
		again = err == nil
	}
	if err == nil {
		err = ctx.Err()
	}
	return nil, again, errors.Join(err, file.Close())
}

var errHeld = errors.New("lock held")

// readContent is what the file says, the zero value if that is nothing.
func readContent(file *oplog.FileLock) Holder {
	var c Holder
	if data, err := file.ReadContent(); err != nil || json.Unmarshal(data, &c) != nil {
		return Holder{}
	}
	c.PID = max(c.PID, 0)
	return c
}

// Beat writes the content with now as its last update.
func (l *Lock) Beat(now time.Time) error {
	l.content.LastUpdate = now.UTC()
	data, err := json.Marshal(l.content)
	if err != nil {
		return err
	}
	return l.file.WriteContent(append(data, '\n'))
}

// StartTime is what the content says since when the lock is held.
func (l *Lock) StartTime() time.Time { return l.content.StartTime }

// Check fails if the file does not say who holds it any more: somebody wrote to
// it.
func (l *Lock) Check() error {
	data, err := l.file.ReadContent()
	var c Holder
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err == nil && c.PID != l.content.PID {
		err = fmt.Errorf("it names process %d", c.PID)
	}
	return err
}

// Current reports whether the path still names the file that is held. When it
// does not, another daemon may have the lock, or the workspace is gone.
func (l *Lock) Current() (bool, error) { return l.file.Current() }

// Release marks the content as stopped and frees the lock. The file stays.
func (l *Lock) Release(now time.Time) error {
	l.content.PID, l.content.State = 0, "stopped"
	return errors.Join(l.Beat(now), l.file.Close())
}

// held reports whether some process holds the lock at path, and which PID its
// content names. A missing file is not held, and is not made.
func held(path string) (pid int, isHeld bool, err error) {
	who, isHeld, err := holder(path)
	return who.PID, isHeld, err
}

// holder is held with all that the content says.
func holder(path string) (who Holder, isHeld bool, err error) {
	if !regular(path) {
		return Holder{}, false, nil
	}
	file, err := oplog.OpenLock(path)
	if err != nil {
		return Holder{}, false, fmt.Errorf("daemon lock: %w", err)
	}
	free, err := file.TryLock()
	if err == nil && !free {
		who = readContent(file)
	}
	return who, err == nil && !free, errors.Join(err, file.Close())
}

// waitFree waits, in the kernel, until nobody holds the lock at path.
func waitFree(ctx context.Context, path string) error {
	if !regular(path) {
		return nil
	}
	file, err := oplog.OpenLock(path)
	if err != nil {
		return fmt.Errorf("daemon lock: %w", err)
	}
	return errors.Join(file.Lock(ctx), file.Close())
}
