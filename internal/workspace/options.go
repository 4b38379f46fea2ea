package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"beads/internal/oplog"
)

// How long a reader waits for the write lock before it answers from the
// database as it is, and how long a writer waits unless told otherwise.
const (
	readerPatience     = 50 * time.Millisecond
	defaultLockTimeout = 30 * time.Second
)

// Options are what a process passes in; nothing here is taken from globals.
type Options struct {
	FS          oplog.FS // nil: the real one
	Now         func() time.Time
	Rand        io.Reader
	Actor       func() string // asked only when something is written
	Session     string
	Command     string        // shown to those who wait for our lock
	LockTimeout time.Duration // 0: 30 s
	ReadOnly    bool          // refuse every write and answer from the database as it is
	CacheSize   int64         // bytes that SQLite may keep of the database's pages while it works; 0: its default
	StayGone    bool          // do not make the directory again if it vanishes while the workspace is open
	Notice      func(string)  // one-line notices: restored, set aside, degraded. nil: dropped
	Progress    func(stage string, done, total int64)

	// Archive calls yield with every operation line of a further copy, in any
	// order; a line is valid until yield returns. It is asked when the database
	// is built anew, under the write lock. nil: there is none.
	Archive func(yield func(line []byte) error) error
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = oplog.OS{}
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	return o
}

// ErrReadOnly is what a write fails with under Options.ReadOnly.
var ErrReadOnly = errors.New("this command would write, and --readonly was given")

// ErrVoid is what Commit fails with when the condition of an operation does not
// hold. Nothing was written.
var ErrVoid = errors.New("condition does not hold")

// errBusy is the end of a reader's patience.
var errBusy = errors.New("write lock not granted in time")

// LockedError says who holds the write lock that was not granted in time. PID 0
// means that the holder did not say. It is text for people: nobody is ever
// signalled because of it.
type LockedError struct {
	PID     int
	Command string
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return "database locked by another process"
	}
	return fmt.Sprintf("database locked by another process (PID %d, %s)", e.PID, e.Command)
}

// interrupted keeps a cancelled context's cause apart from our own deadlines.
func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
