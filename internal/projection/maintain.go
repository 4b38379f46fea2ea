package projection

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"zombiezen.com/go/sqlite"

	"beads/internal/oplog"
)

const (
	// vacuumPages bounds one transaction of Maintain.
	vacuumPages = 1000

	// wastedShare is the share of free pages, in per cent, from which they are
	// given back. Fewer are soon used again.
	wastedShare = 10
)

// Maintain does one piece of what keeps the database fast and small: statistics
// for the planner where they are missing or have become wrong, free pages given
// back to the file system (at most vacuumPages of them; more says that there
// are further ones), and the WAL emptied. Readers are not kept waiting; the
// caller holds the write lock, and calls again while more is true.
func (db *DB) Maintain(ctx context.Context) (more bool, err error) {
	if db.readOnly {
		return false, fmt.Errorf("%w: %s", ErrReadOnly, db.path)
	}
	err = db.interruptible(ctx, func() error {
		if err := db.prepareWrites(); err != nil {
			return err
		}
		if err := db.notNewer(); err != nil {
			return err
		}
		// 0x10002: every table, not only those that this connection has asked;
		// the number of rows looked at is bounded by SQLite itself.
		if err := once(db.conn, "PRAGMA optimize(0x10002)"); err != nil {
			return fmt.Errorf("optimize database: %w", err)
		}
		more, err = db.vacuum()
		return err
	})
	if err != nil {
		return false, classify(err)
	}
	if mark, err := LookAt(db.path); err != nil || mark.WALSize() == 0 {
		return more, err // emptying an empty one would write
	}
	return more, db.Checkpoint()
}

// vacuum gives free pages back. A database that was made before it could, has
// auto_vacuum off and keeps them.
func (db *DB) vacuum() (more bool, err error) {
	const incremental = 2
	mode, err := number(db.conn, "PRAGMA auto_vacuum")
	if err != nil || mode != incremental {
		return false, err
	}
	free, err := number(db.conn, "PRAGMA freelist_count")
	if err != nil {
		return false, err
	}
	pages, err := number(db.conn, "PRAGMA page_count")
	if err != nil || free*100 < pages*wastedShare {
		return false, err
	}
	// It gives back one page a row.
	err = stream(db.conn, "PRAGMA incremental_vacuum("+strconv.Itoa(vacuumPages)+")", func(*sqlite.Stmt) error { return nil })
	if err != nil {
		return false, fmt.Errorf("vacuum database: %w", err)
	}
	return free > vacuumPages, nil
}

// Mark says how the files of a database looked. Two equal ones mean that nobody
// has written in between, whoever it was.
type Mark struct {
	db, wal oplog.Info
}

// LookAt is the mark of the database at path now. The zero Mark is that of a
// database that is not there.
func LookAt(path string) (m Mark, err error) {
	if m.db, err = lookAtFile(path); err != nil {
		return Mark{}, err
	}
	m.wal, err = lookAtFile(path + "-wal")
	return m, err
}

// WALSize is the size of the WAL in bytes.
func (m Mark) WALSize() int64 { return m.wal.Size }

// lookAtFile gives the zero Info for a file that is not there. The time of change
// is left out: it also moves when a connection opens or closes the file.
func lookAtFile(path string) (oplog.Info, error) {
	info, err := oplog.OS{}.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return oplog.Info{}, nil
	}
	if err != nil {
		return oplog.Info{}, fmt.Errorf("database: %w", err)
	}
	info.ChangeTime = 0
	return info, nil
}
