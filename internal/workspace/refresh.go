package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"beads/internal/op"
	"beads/internal/projection"
)

// Report says what a refresh moved.
type Report struct {
	Applied     int           `json:"applied"`     // operations new to the database
	Restored    int           `json:"restored"`    // lines put back into the log or the guard copy
	Imported    int           `json:"imported"`    // snapshot records that became operations
	Quarantined int           `json:"quarantined"` // lines that cannot be read, not seen before, of either stream
	Rebuilt     bool          `json:"rebuilt"`     // the database was made anew
	FullScan    bool          `json:"full_scan"`   // the copies were read from the start
	More        bool          `json:"more"`        // a batch that ended at its limit: call again
	Duration    time.Duration `json:"duration_ns"`

	Interactions Moved `json:"interactions"` // what moved of the interactions; all else but Quarantined is about operations
}

// Moved counts the lines of one stream.
type Moved struct {
	Applied  int `json:"applied"`  // new to the database
	Restored int `json:"restored"` // put back into the file or the guard copy
}

// Quiet reports whether nothing moved.
func (r Report) Quiet() bool {
	return r.Applied == 0 && r.Restored == 0 && r.Imported == 0 && r.Quarantined == 0 && !r.Rebuilt &&
		r.Interactions == (Moved{})
}

// Refresh makes log, guard copy and database equal under the write lock, for both
// streams: set union, so it is idempotent and may be called at any time. verify reads both
// files from the start even if they look untouched. It fails only if the union
// could not be made durable; a line that cannot be read is no failure.
func (w *Workspace) Refresh(ctx context.Context, verify bool) (Report, error) {
	if w.opts.ReadOnly {
		return Report{}, ErrReadOnly
	}
	return w.refresh(ctx, w.opts.LockTimeout, refreshing{verify: verify, all: true})
}

// RefreshBatch is one step of a refresh that lets others have the write lock in
// between: it takes in at most limit lines that are new to the database, in one
// transaction with the cursor that covers them, and Report.More asks for another
// call. A crash between two steps is harmless; any other refresh may come in
// between, and does the whole rest.
//
// What cannot be divided is done whole: a rebuild, a tracked snapshot that
// changed, the interactions, a copy that departed from its cursor, and two copies
// that grew both. A check of everything (verify) is put off until no suffix is left
// to be read.
func (w *Workspace) RefreshBatch(ctx context.Context, verify bool, limit int) (Report, error) {
	if w.opts.ReadOnly {
		return Report{}, ErrReadOnly
	}
	return w.refresh(ctx, w.opts.LockTimeout, refreshing{verify: verify, all: true, limit: limit})
}

// refreshing is what a refresh is to do.
type refreshing struct {
	verify bool // read the files whole
	all    bool // also the interactions
	limit  int  // as of RefreshBatch; 0: none
}

func (w *Workspace) refresh(ctx context.Context, patience time.Duration, want refreshing) (report Report, err error) {
	s, err := w.begin(ctx, patience)
	if err != nil {
		return Report{}, err
	}
	s.limit, s.all = want.limit, want.all
	defer func() { err = errors.Join(err, s.end()) }()
	report, err = s.refresh(ctx, want.verify)
	if err == nil {
		err = s.degraded
	}
	return report, err
}

// refresh is the step of Refresh and Commit under the lock. A copy that could
// not be written is left in s.degraded: readers can still be served.
func (s *session) refresh(ctx context.Context, verify bool) (Report, error) {
	started := s.w.opts.Now()
	s.degraded = nil
	report, err := s.database(ctx)
	if err != nil {
		return report, err
	}
	if !report.Rebuilt {
		report, err = s.catchUp(ctx, verify)
	}
	// A database that was made anew gets both: a reader that is not granted the
	// lock would find none where there are some. In batches it is for the last.
	if err == nil && !report.More {
		if s.all || report.Rebuilt {
			err = s.refreshInteractions(ctx, &report, verify)
		} else {
			err = s.rescueInteractions(ctx, &report)
		}
		if errors.Is(err, projection.ErrCorrupt) {
			report, err = s.mend(ctx)
		}
	}
	report.Duration = s.w.opts.Now().Sub(started)
	if err == nil {
		err = s.w.keepSettings()
	}
	s.tell(report)
	return report, err
}

// refreshInteractions is the step of a refresh for the other stream.
func (s *session) refreshInteractions(ctx context.Context, report *Report, verify bool) error {
	var fresh, never bool
	err := s.w.db.View(ctx, func(q *projection.Query) (err error) {
		fresh, never, err = s.w.untouched(q, op.Interactions)
		return err
	})
	if err != nil || never || fresh && !verify {
		return err
	}
	c, err := s.of(ctx, op.Interactions)
	if err != nil {
		return err
	}
	return s.w.db.Update(ctx, func(tx *projection.Tx) error {
		return s.unite(ctx, tx, c, report, verify)
	})
}

// rescueInteractions brings them up to date for who does not ask for them, if a copy
// was cut: before they are asked for, the others may be too. Whatever hinders that
// does not hinder the work on issues.
func (s *session) rescueInteractions(ctx context.Context, report *Report) error {
	cut := false
	err := s.w.db.View(ctx, func(q *projection.Query) (err error) {
		cut, err = s.w.cut(q, op.Interactions)
		return err
	})
	if err != nil || !cut {
		return err
	}
	degraded := s.degraded
	err = s.refreshInteractions(ctx, report, false)
	s.degraded = degraded
	if err == nil || errors.Is(err, projection.ErrCorrupt) || interrupted(ctx) != nil {
		return err
	}
	s.w.opts.Notice(fmt.Sprintf("a copy of the interactions was cut, and is not put back: %v", err))
	return nil
}

// tell says in one line each what a person would want to know. Of a batch that
// is for the caller, who knows the sum.
func (s *session) tell(r Report) {
	if s.limit > 0 && !r.Rebuilt && !r.FullScan {
		return
	}
	notice := s.w.opts.Notice
	if r.Imported > 0 {
		notice("imported " + count(r.Imported, "snapshot record") + " that another program wrote")
	}
	if r.Restored > 0 {
		notice("restored " + count(r.Restored, "operation") + " that a copy of the log had lost")
	}
	if n := r.Interactions.Restored; n > 0 {
		notice("restored " + count(n, "interaction") + " that a copy of their log had lost")
	}
	if r.Quarantined > 0 {
		notice("quarantined " + count(r.Quarantined, "line") + " that cannot be read; see: bd doctor")
	}
}

// count is a number with its noun, whose plural is regular.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// database opens the database, or makes it again from the other copies when it
// is missing, stale, corrupt, or not ours.
func (s *session) database(ctx context.Context) (Report, error) {
	w := s.w
	err := w.openDB(ctx)
	if err == nil && s.doubt {
		err = w.db.QuickCheck(ctx)
	}
	switch {
	case err == nil:
		return Report{}, s.keepID()
	case errors.Is(err, projection.ErrMissing):
		return s.replace(ctx, "", false)
	case errors.Is(err, projection.ErrStale):
		stale, err := projection.Open(ctx, w.place.DB, w.id)
		if !errors.Is(err, projection.ErrStale) {
			return Report{}, fmt.Errorf("database changed under the lock: %w", err)
		}
		w.use(stale)
		return s.rebuild(ctx)
	case errors.Is(err, projection.ErrForeign):
		return s.replace(ctx, "foreign", false)
	case errors.Is(err, projection.ErrCorrupt):
		return s.replace(ctx, "corrupt", true)
	}
	return Report{}, err
}

// identify makes sure that the workspace has an id.
func (s *session) identify() error {
	if s.w.id != "" {
		return nil
	}
	l, err := loadLocal(s.w.place)
	if err == nil && l.Workspace == "" {
		l, err = newLocal(s.w.place, s.w.opts.Rand)
	}
	s.w.id = l.Workspace
	return err
}

// archive adds what Options.Archive still holds to a database that is built
// anew, before the files are read: what they lack is then put back into them. A
// copy that cannot be read must not keep the others from being used.
func (s *session) archive(tx *projection.Tx) {
	if s.w.opts.Archive == nil {
		return
	}
	err := s.w.opts.Archive(func(line []byte) error {
		record, err := op.Read(line)
		if err != nil || record.Op == nil {
			return nil // whoever fetched it has quarantined it
		}
		_, _, err = tx.Add(record.Op, record.Line, record.Sum)
		return err
	})
	if err != nil {
		s.w.opts.Notice(fmt.Sprintf("the operations in Git could not all be read: %v", err))
	}
}

// keepID writes down an id that only the database knew any more.
func (s *session) keepID() error {
	if !s.w.adopted {
		return nil
	}
	s.w.adopted = false
	return s.w.changeLocal(func(*Local) error { return nil })
}

// refill makes w.db anew from its own lines and what fill adds.
func (s *session) refill(ctx context.Context, fill func(*projection.Tx) error) error {
	fill, end := s.told(fill)
	defer end()
	if err := s.w.db.Rebuild(ctx, true, fill); err != nil {
		return fmt.Errorf("rebuild the database: %w", err)
	}
	return nil
}

// told has a person told, once a database is filled, that it is built of that,
// until end is called.
func (s *session) told(fill func(*projection.Tx) error) (told func(*projection.Tx) error, end func()) {
	const stage = "building the database"
	progress := s.w.opts.Progress
	return func(tx *projection.Tx) error {
		err := fill(tx)
		progress(stage, 0, 0)
		return err
	}, func() { progress(stage, 1, 1) }
}

// fill brings every copy into a database that is empty or holds its own old
// lines. aside is a corrupt database to be salvaged, "" if there is none.
func (s *session) fill(ctx context.Context, aside string, report *Report) func(*projection.Tx) error {
	s.degraded = nil
	return func(tx *projection.Tx) error {
		if aside != "" {
			if err := salvage(tx, aside); err != nil {
				return err
			}
		}
		s.archive(tx)
		return s.unite(ctx, tx, &s.copies, report, true)
	}
}

// openDB opens the database without any lock. An empty id means that local.json
// is gone; then the id that the database itself records is taken up again if it
// is in its place, since it may be the only copy that is left.
func (w *Workspace) openDB(ctx context.Context) error {
	if w.db != nil {
		current, err := w.db.Current()
		if err == nil && current {
			return nil
		}
		if err := errors.Join(err, w.closeDB()); err != nil {
			return err
		}
	}
	// Also where an id is known: while this process had the database open, another
	// may have lost it, with local.json, and have drawn a new id.
	l, err := loadLocal(w.place)
	if err != nil {
		return err
	}
	if l.Workspace != "" {
		w.id = l.Workspace
	}
	db, err := projection.Open(ctx, w.place.DB, w.id)
	if err != nil {
		if db != nil { // stale: to be rebuilt, not to be queried
			err = errors.Join(err, db.Close())
		}
		return err
	}
	w.use(db)
	if w.id == "" {
		w.id, w.adopted = db.WorkspaceID(), true
	}
	return nil
}

func (w *Workspace) use(db *projection.DB) {
	w.db = db
	if !w.opts.ReadOnly {
		db.FillTextIndex()
	}
	if w.opts.CacheSize > 0 {
		db.SetCacheSize(w.opts.CacheSize)
	}
}

// fresh reports whether no copy of the operations, with all of the interactions
// too, has changed since the database saw it, and none of theirs was cut: one lstat
// each.
func (w *Workspace) fresh(q *projection.Query, all bool) (bool, error) {
	if fresh, _, err := w.untouched(q, op.Operations); err != nil || !fresh {
		return false, err
	}
	if all {
		if fresh, _, err := w.untouched(q, op.Interactions); err != nil || !fresh {
			return false, err
		}
	} else if cut, err := w.cut(q, op.Interactions); err != nil || cut {
		return false, err
	}
	if w.place.Source == "" {
		return true, nil
	}
	info, err := w.opts.FS.Stat(w.place.Source)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // tracked, but not checked out
	}
	if err != nil {
		return false, err
	}
	cursor, err := q.Cursor(projection.SourceCopy)
	return err == nil && cursor.Info == info, err
}

// Rebuild makes every derived row anew from all copies, in place: what is left
// to do when Verify says that the database differs.
func (w *Workspace) Rebuild(ctx context.Context) (report Report, err error) {
	if w.opts.ReadOnly {
		return Report{}, ErrReadOnly
	}
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if report, err = s.database(ctx); err != nil || report.Rebuilt {
		return report, err
	}
	report, err = s.rebuild(ctx)
	return report, errors.Join(err, s.degraded)
}
