package replica

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
	"beads/internal/workspace"
)

const (
	lockName = "sync.lock"
	// lockAge is from when on a lock of one of our refs is a dead git's: ours
	// are held for milliseconds, and under sync.lock nobody else of ours runs.
	lockAge = 10 * time.Second
)

// step is one public call: what it knows and what it has to record.
type step struct {
	*Replica
	want   SyncOptions
	report *Report
	moved  [op.Interactions + 1]Moved // by stream
	record record
	pin    *workspace.Remote

	objects *git.Runner // reads trees and lines: that of the repository, or of a tip that came alone
	others  rows        // operations that were read off a tip alone before this step
	unsure  bool        // which those are is not known (any more)

	local    string // tip of LocalRef; "" if there is none
	tracking string // tip of the tracking ref
	remote   string // tip on the remote, if asked
	asked    bool
	ahead    func() (string, error) // waits for the answer that is under way; nil: none is

	bad     []badLine // to be quarantined
	badSize int
	badSeen int
	changed bool // the record has to be stored
}

// LastSync is when the steps with a remote went well or not.
type LastSync struct {
	Success time.Time `json:"success,omitzero"`
	Failure time.Time `json:"failure,omitzero"` // after Success: the remote has not worked since
	Error   string    `json:"error,omitempty"`
}

// run does one step under sync.lock and records what it did, also when it
// failed half-way.
func (r *Replica) run(ctx context.Context, o SyncOptions, do func(context.Context, *step) error) (report Report, err error) {
	started := r.opts.Now()
	defer func() { report.Duration = r.opts.Now().Sub(started) }()
	report.ClaimsLost = []workspace.LostClaim{}
	s := &step{Replica: r, want: o, report: &report, objects: r.git}
	defer s.tell()
	if r.w.ReadOnly() {
		return report, workspace.ErrReadOnly
	}
	if r.git == nil {
		if o.Publish || o.Join {
			return report, fmt.Errorf("share the operations: %w", git.ErrNotRepository)
		}
		err = s.account(ctx)
		return report, err
	}
	unlock, err := r.lock(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	r.git.Tidy(refPrefix, lockAge, started)
	if err := s.begin(ctx); err != nil {
		return report, err
	}
	if o.Look {
		if _, err := s.mend(ctx, errLooked); err != nil {
			return report, err
		}
	}
	if err = do(ctx, s); err != nil && ctx.Err() == nil {
		repaired, repairErr := s.repair(ctx, err)
		if err = errors.Join(err, repairErr); repaired {
			err = do(ctx, s)
		}
	}
	if ctx.Err() != nil {
		return report, err // the next step finds out what this one did
	}
	err = errors.Join(err, s.save(ctx, err))
	err = errors.Join(err, s.account(ctx))
	return report, err
}

// tell enters what moved in the report.
func (s *step) tell() {
	all := s.moved[op.Operations]
	s.report.Published, s.report.Fetched, s.report.Restored, s.report.Pushed = all.Published, all.Fetched, all.Restored, all.Pushed
	if s.opts.Interactions {
		s.report.Interactions = &s.moved[op.Interactions]
	}
}

// stage tells of work whose end cannot be foreseen, until what it returns is called.
func (s *step) stage(what string) (end func()) {
	s.opts.Progress(what, 0, 0)
	return func() { s.opts.Progress(what, 1, 1) }
}

// took adds the time until what it returns is called.
func (s *step) took(part *time.Duration) func() {
	began := s.opts.Now()
	return func() { *part += s.opts.Now().Sub(began) }
}

// lock takes sync.lock.
func (r *Replica) lock(ctx context.Context) (unlock func() error, err error) {
	path := filepath.Join(r.w.Place().Dir, lockName)
	lock, err := oplog.OpenLock(path)
	if errors.Is(err, fs.ErrNotExist) {
		// The directory vanished under the open workspace, which makes it
		// again from the guard copy or says that it is gone.
		if err = r.w.View(ctx, func(*projection.Query) error { return nil }); err == nil {
			lock, err = oplog.OpenLock(path)
		}
	}
	if err != nil {
		return nil, err
	}
	errBusy := errors.New("sync lock not granted in time")
	waiting, cancel := context.WithTimeoutCause(ctx, r.opts.LockTimeout, errBusy)
	defer cancel()
	if err := lock.Lock(waiting); err != nil {
		if errors.Is(err, errBusy) {
			err = busy(lock)
		}
		return nil, errors.Join(err, lock.Close())
	}
	content, err := json.Marshal(holder{os.Getpid(), r.opts.Command})
	if err == nil {
		err = lock.WriteContent(content)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock.Close, nil
}

// holder is what sync.lock says for those who wait.
type holder struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
}

func busy(lock *oplog.FileLock) error {
	var h holder
	if content, err := lock.ReadContent(); err == nil {
		_ = json.Unmarshal(content, &h) // a holder that cannot be read is not named
	}
	return fmt.Errorf("another sync is under way: %w", &workspace.LockedError{PID: h.PID, Command: h.Command})
}

// begin learns how things stand.
func (s *step) begin(ctx context.Context) error {
	read := func(q *projection.Query) (err error) {
		s.record, err = load(q)
		return err
	}
	if err := s.view(ctx, read); err != nil {
		return err
	}
	if s.record.generation == "" {
		if err := s.newGeneration(ctx); err != nil {
			return err
		}
	}
	local, err := s.w.Local()
	if err != nil {
		return err
	}
	s.pin = local.Remote
	if s.joining() {
		s.others = s.record.remote.rows
	}
	s.record.local.fit(s.opts.Interactions)
	s.record.remote.fit(s.opts.Interactions)
	if err := s.readRefs(ctx); err != nil {
		return err
	}
	s.unsure = s.joining() && s.record.remote.Commit == ""
	return nil
}

// newGeneration marks a database that no step has seen.
func (s *step) newGeneration(ctx context.Context) error {
	random := make([]byte, 8)
	if _, err := io.ReadFull(s.opts.Rand, random); err != nil {
		return err
	}
	return s.w.Note(ctx, func(tx *projection.Tx) (err error) {
		if s.record, err = load(&tx.Query); err != nil || s.record.generation != "" {
			return err
		}
		s.record.generation = hex.EncodeToString(random)
		return tx.SetMeta(metaGeneration, s.record.generation)
	})
}

// readRefs looks where the refs are. What is recorded of another tracking ref
// is forgotten.
func (s *step) readRefs(ctx context.Context) error {
	tips, err := s.git.Tips(ctx, s.refs()...)
	if err != nil {
		return err
	}
	s.local, s.tracking = tips[LocalRef], ""
	if s.pin != nil {
		s.tracking = tips[s.trackingRef()]
	}
	if s.pin != nil && s.record.remoteRef != s.trackingRef() {
		s.record.remote, s.record.remoteRef = s.nothing(), s.trackingRef()
		s.changed = true
	}
	return nil
}

// nothing is the coverage of no commit.
func (s *step) nothing() (c coverage) {
	c.fit(s.opts.Interactions)
	return c
}

// refs are the refs that are ours in this repository.
func (s *step) refs() []string {
	if s.pin == nil {
		return []string{LocalRef}
	}
	return []string{LocalRef, s.trackingRef()}
}

// trackingRef is where the pinned remote's ref is kept.
func (s *step) trackingRef() string { return refPrefix + "remotes/" + s.pin.Name + "/ops" }

// save records what the step covered and met, and how it went with the remote.
func (s *step) save(ctx context.Context, failure error) error {
	if !s.changed && len(s.bad) == 0 && !s.asked {
		return nil
	}
	return s.w.Note(ctx, func(tx *projection.Tx) error {
		if err := s.quarantine(tx); err != nil {
			return err
		}
		if s.asked || s.pin != nil && failure != nil {
			if err := s.noteLast(tx, failure); err != nil {
				return err
			}
		}
		if !s.changed {
			return nil
		}
		return s.record.store(tx)
	})
}

func (s *step) noteLast(tx *projection.Tx, failure error) error {
	last, err := readLast(&tx.Query)
	if err != nil {
		return err
	}
	now := s.opts.Now().UTC().Truncate(time.Millisecond)
	if failure != nil {
		last.Failure, last.Error = now, failure.Error()
	} else {
		last = LastSync{Success: now}
	}
	data, err := json.Marshal(last)
	if err != nil {
		return err
	}
	return tx.SetMeta(metaLast, string(data))
}

func readLast(q *projection.Query) (LastSync, error) {
	text, err := q.Meta(metaLast)
	var last LastSync
	if err == nil && json.Unmarshal([]byte(text), &last) != nil {
		last = LastSync{}
	}
	return last, err
}

// account fills in how things stand after the step.
func (s *step) account(ctx context.Context) error {
	status, err := s.Replica.Status(ctx)
	if err != nil {
		return err
	}
	s.report.UnsharedInteractions = status.Interactions
	s.report.Unshared, s.report.ClaimsLost = status.Unshared, status.ClaimsLost
	if status.Remote != nil {
		s.report.Remote, s.report.URL, s.report.Ref = status.Remote.Name, status.Remote.URL, status.Remote.Ref
	}
	return nil
}
