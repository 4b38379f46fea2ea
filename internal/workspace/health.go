package workspace

import (
	"context"
	"errors"
	"time"

	"beads/internal/op"
	"beads/internal/projection"
)

// maintenancePatience is how long Maintain waits for the write lock: who works
// goes first.
const maintenancePatience = time.Second

// Condition is what Check found.
type Condition struct {
	Mark        projection.Mark // of the database's files, for the next Check
	Whole       bool            // the database was read whole
	Quarantined int             // lines that cannot be read
	Ahead       time.Duration   // how far the newest operation is ahead of the clock; 0 within the clock's tolerance
}

// Check asks whether the database answers, without any lock and without
// writing. If its files do not look as they did at last (the zero Mark never
// does), it is also read whole. What Repair would mend is among the errors. The
// connection is one of its own: another holds pages that the file may no longer
// have.
func (w *Workspace) Check(ctx context.Context, last projection.Mark) (c Condition, err error) {
	if c.Mark, err = projection.LookAt(w.place.DB); err != nil {
		return c, err
	}
	db, err := projection.Open(ctx, w.place.DB, w.id)
	if db != nil {
		defer func() { err = errors.Join(err, db.Close()) }()
	}
	if err != nil {
		return c, err
	}
	err = db.View(ctx, func(q *projection.Query) error {
		if c.Quarantined, err = q.QuarantineCount(); err != nil {
			return err
		}
		newest, err := q.MaxID(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
		if ahead := newest.Time().Sub(w.opts.Now()); !newest.IsZero() && ahead > clockTolerance {
			c.Ahead = ahead
		}
		return err
	})
	if err != nil || c.Mark == last {
		return c, err
	}
	c.Whole = true
	return c, db.QuickCheck(ctx)
}

// Repair is a Refresh that first reads the whole database and, if it is
// corrupt, sets it aside and builds it again.
func (w *Workspace) Repair(ctx context.Context) (report Report, err error) {
	if w.opts.ReadOnly {
		return Report{}, ErrReadOnly
	}
	// A connection that is open may know better than the file; what is corrupt
	// need not close well.
	_ = w.closeDB()
	return w.repair(ctx, true)
}

// repair is Repair for who may have met damage in the database that is open. Not
// all damage shows when the whole is read, as that of a line does not: so unless
// somebody has replaced the database meanwhile, it is not asked again.
func (w *Workspace) repair(ctx context.Context, all bool) (report Report, err error) {
	met := w.db
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	s.doubt, s.all = true, all
	if met != nil && w.openDB(ctx) == nil && w.db == met { // another may have replaced it while we waited
		report, err = s.mend(ctx)
		s.tell(report)
	} else {
		report, err = s.refresh(ctx, false)
	}
	if err == nil {
		err = s.degraded
	}
	return report, err
}

// Maintain does one piece of the database's maintenance under the write lock,
// for which it waits a second at most; more says that there is another piece.
func (w *Workspace) Maintain(ctx context.Context) (more bool, err error) {
	if w.opts.ReadOnly {
		return false, ErrReadOnly
	}
	s, err := w.begin(ctx, maintenancePatience)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if err := w.openDB(ctx); err != nil {
		return false, err
	}
	return w.db.Maintain(ctx)
}

// Problems is what the fold ignored or wants known, as the database has it.
func (w *Workspace) Problems(ctx context.Context) (problems []op.Problem, err error) {
	if err := w.openDB(ctx); err != nil {
		return nil, err
	}
	err = w.db.View(ctx, func(q *projection.Query) error {
		problems, err = q.Problems()
		return err
	})
	return problems, err
}
