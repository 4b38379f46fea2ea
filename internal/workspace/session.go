package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"beads/internal/interrupt"
	"beads/internal/oplog"
)

// session is the time between taking and releasing the write lock: the flocks of
// the lock file and of every open copy, and nothing that sleeps or talks to a
// network.
type session struct {
	w    *Workspace
	lock *oplog.FileLock
	copies
	limit int // lines that one union takes in; 0: all

	all          bool    // the interactions are brought up to date too
	interactions *copies // nil until they are opened
	patience     time.Duration

	doubt    bool  // the database is read whole before it is believed
	degraded error // a copy could not be written during the union
}

// holder is what the lock file says for those who wait.
type holder struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
}

// freeTurns is how often begin looks again, without waiting, whatever time it was.
const freeTurns = 3

// begin takes the write lock, waiting in the kernel for at most patience. It
// locks again when a file was replaced meanwhile, and follows the workspace when
// Git has begun or ceased to track .beads.
//
// The database is opened before, since others wait for what is done under the
// lock; what is wrong with it is for the session to see.
func (w *Workspace) begin(ctx context.Context, patience time.Duration) (*session, error) {
	_ = w.openDB(ctx)
	waiting, cancel := interrupt.WithTimeoutCause(ctx, patience, errBusy)
	defer cancel()
	for turn := 1; ; turn++ {
		s := &session{w: w, patience: patience}
		again, err := s.take(waiting)
		if err == nil && !again {
			return s, nil
		}
		if errors.Is(err, errBusy) {
			err = s.busy()
		}
		err = errors.Join(err, s.end())
		switch {
		case err != nil:
		case turn < freeTurns:
			err = interrupted(ctx)
		default:
			err = interrupted(waiting)
		}
		if err != nil {
			return nil, err
		}
	}
}

// take does the steps of begin once; again asks for another turn.
func (s *session) take(ctx context.Context) (again bool, err error) {
	w := s.w
	if s.lock, err = oplog.OpenLock(w.place.LockPath()); err != nil {
		return w.wiped(err)
	}
	if err = s.lock.Lock(ctx); err != nil {
		return false, err
	}
	// At once, for those who wait, should this process hang from here on.
	content, err := json.Marshal(holder{PID: os.Getpid(), Command: w.opts.Command})
	if err != nil {
		return false, err
	}
	if err = s.lock.WriteContent(content); err != nil {
		return false, err
	}
	if err = s.copies.open(ctx, w); err != nil {
		return false, err
	}
	for _, file := range []interface{ Current() (bool, error) }{s.lock, &s.copies} {
		current, err := file.Current()
		if err != nil || !current {
			return !current, err
		}
	}
	info, err := s.log.Stat()
	if err != nil {
		return false, err
	}
	if w.log != (oplog.Info{}) && !w.log.Same(info) {
		if moved, err := w.relocate(); err != nil || moved {
			return moved, err
		}
	}
	w.log = info
	return false, nil
}

// wiped makes the directory again that vanished under a running process, if the
// guard copy says that the workspace is still one.
func (w *Workspace) wiped(err error) (again bool, _ error) {
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if w.opts.StayGone || w.place.Guard == "" || !exists(w.place.GuardPath()) {
		return false, fmt.Errorf("%w: %s is gone", ErrNoWorkspace, w.place.Dir)
	}
	return true, w.makeDirs()
}

// relocate looks again where the workspace is, after its log was replaced: a
// pull may have begun to track .beads, and then the path is the user's file.
func (w *Workspace) relocate() (moved bool, err error) {
	if moved, err = w.moved(); err != nil || !moved {
		return moved, err
	}
	p, err := placeInRepository(w.place.repo)
	if err != nil {
		return false, err
	}
	if err := w.closeDB(); err != nil {
		return false, err
	}
	p.Exists, p.Explicit = true, w.place.Explicit
	w.opts.Notice(fmt.Sprintf("the workspace is now in %s", p.Dir))
	w.place, w.log = p, oplog.Info{}
	return true, w.makeDirs()
}

// moved reports whether our files belong elsewhere by now.
func (w *Workspace) moved() (bool, error) {
	if w.place.CommonDir == "" {
		return false, nil
	}
	p, err := placeInRepository(w.place.repo)
	return err == nil && p.Dir != w.place.Dir, err
}

// busy is the error that names who holds the lock.
func (s *session) busy() error {
	var h holder
	if content, err := s.lock.ReadContent(); err == nil {
		_ = json.Unmarshal(content, &h) // a holder that cannot be read is not named
	}
	return &LockedError{PID: h.PID, Command: h.Command}
}

// end releases everything. The flocks go with the descriptors.
func (s *session) end() error {
	errs := []error{s.interactions.close(), s.copies.close()}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
