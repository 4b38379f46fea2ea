package projection

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"

	"beads/internal/interrupt"
)

const (
	// largeWAL is the size in bytes, 128 pages, from which a WAL is emptied after
	// the transaction that made it so large. It bounds what the next command
	// reads again: a connection that finds no other one open recovers the WAL,
	// about 0.7 ms a megabyte. Emptying it costs three fsyncs, so it is not done
	// oftener.
	//
	// SQLite's own checkpoints are off: they leave the WAL in place, and that it
	// may be begun anew is known only to the connections that are open. Where
	// each command is alone, none would ever begin it anew, and from the first
	// checkpoint on every commit would be followed by one of the whole WAL.
	largeWAL = 128 * (4096 + 24)

	// Page caches in bytes: of a connection, and of a rebuild, which with the
	// former would write each page of an index many times.
	defaultCache = 2000 << 10
	rebuildCache = 8 << 20

	// sorterMemory is what the making of an index may use, in bytes.
	sorterMemory = 1 << 20
)

// DB is one connection. Not safe for concurrent use.
type DB struct {
	conn      *sqlite.Conn
	path      string
	id        identity
	workspace string
	readOnly  bool
	writes    bool            // see prepareWrites
	cache     int64           // bytes; 0: nobody said
	done      <-chan struct{} // whose end interrupts statements; nil: nothing does

	fillTexts  bool        // see FillTextIndex
	textLimits *textLimits // nil: the usual ones
	candidates *candidates // what bd_candidate answers from; nil: not yet defined
}

// Close releases the connection. The WAL stays: emptying it would cost every
// short command two fsyncs, and the next one the making of two files.
func (db *DB) Close() error {
	if db.conn == nil {
		return nil
	}
	conn := db.conn
	db.conn = nil
	if err := conn.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// ReadOnly reports whether the database can only be queried.
func (db *DB) ReadOnly() bool { return db.readOnly }

// WorkspaceID is the id of the workspace that the database was made for.
func (db *DB) WorkspaceID() string { return db.workspace }

// Current reports whether the path still names the file that is open. A
// missing file is not an error.
func (db *DB) Current() (bool, error) {
	id, err := identify(db.path)
	switch {
	case err == nil:
		return id == db.id, nil
	case errors.Is(err, ErrMissing), errors.Is(err, ErrForeign):
		return false, nil
	}
	return false, err
}

// SetCacheSize bounds what is kept of the file's pages, in bytes: up to size in
// a rebuild, less otherwise. What SQLite allocates for that is about twice as
// much, and is not Go's memory.
func (db *DB) SetCacheSize(size int64) {
	db.cache = size
	setCache(db.conn, min(size, defaultCache))
}

// setCache only makes things faster: its failure is none.
func setCache(conn *sqlite.Conn, size int64) {
	_ = once(conn, fmt.Sprintf("PRAGMA cache_size = -%d", size>>10))
}

// FreeMemory gives back what is kept of the file's pages.
func (db *DB) FreeMemory() error {
	db.listen(nil)
	return classify(once(db.conn, "PRAGMA shrink_memory"))
}

// Checkpoint moves the WAL into the database and empties it, as far as
// readers let it: those of older snapshots are not waited for.
func (db *DB) Checkpoint() error {
	if db.readOnly {
		return nil
	}
	db.listen(nil)
	db.conn.SetBusyTimeout(0)
	defer db.conn.SetBusyTimeout(busyTimeout)
	err := once(db.conn, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err != nil && sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy {
		return classify(fmt.Errorf("checkpoint: %w", err))
	}
	return nil
}

// checkpointLarge empties a WAL that has become large. It is an optimisation:
// its failure does not concern the transaction before it.
func (db *DB) checkpointLarge() {
	if info, err := os.Lstat(db.path + "-wal"); err == nil && info.Size() >= largeWAL {
		_ = db.Checkpoint()
	}
}

// QuickCheck asks SQLite whether the file is sound (PRAGMA quick_check). What
// is not wraps ErrCorrupt. Pages that this connection has read already are not
// read again: ask one that was just opened.
func (db *DB) QuickCheck(ctx context.Context) error { return db.check(ctx, "quick_check") }

// IndexCheck is QuickCheck, and asks too whether the indexes say what the tables
// say (PRAGMA integrity_check).
func (db *DB) IndexCheck(ctx context.Context) error { return db.check(ctx, "integrity_check") }

func (db *DB) check(ctx context.Context, pragma string) error {
	var found []string
	err := db.interruptible(ctx, func() error {
		return stream(db.conn, "PRAGMA "+pragma+"(3)", func(s *sqlite.Stmt) error {
			found = append(found, s.ColumnText(0))
			return nil
		})
	})
	if err != nil {
		return classify(fmt.Errorf("check database: %w", err))
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("%w: %q", ErrCorrupt, found)
	}
	return nil
}

// View runs fn in one read transaction (a consistent snapshot). The Query is
// not to be used after fn returns. View, Update and Rebuild fail with ErrNewer
// if a newer bd has rebuilt the database since it was opened.
func (db *DB) View(ctx context.Context, fn func(*Query) error) error {
	err := db.interruptible(ctx, func() error {
		if err := execute(db.conn, "BEGIN"); err != nil {
			return err
		}
		// The first read fixes the snapshot; until then BEGIN has read nothing.
		err := db.notNewer()
		if err == nil {
			q := newQuery(db.conn)
			texts := db.textIndex()
			q.texts = texts
			if err = fn(&q); err == nil {
				texts.fill(ctx, &q)
			}
			texts.close()
		}
		return with(err, db.rollback())
	})
	return classify(err)
}

// Update runs fn in one write transaction; on error nothing is changed. Settle
// is called before the commit.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	changed := false
	err := db.transact(ctx, func() error {
		tx := db.begin()
		if err := fn(tx); err != nil {
			return err
		}
		err := tx.Settle()
		changed = tx.changed
		return err
	})
	if err == nil {
		db.checkpointLarge()
		if changed {
			db.touch()
		}
	}
	return err
}

// touch gives the database file the time of now. A commit goes to the WAL, and
// what watches the file itself, as front ends do, would see nothing of it. It is
// a courtesy: its failure is none.
func (db *DB) touch() {
	// Chtimes follows links: the path must still name what is open.
	if current, err := db.Current(); err == nil && current {
		_ = os.Chtimes(db.path, time.Time{}, time.Now())
	}
}

func (db *DB) begin() *Tx {
	return &Tx{
		Query: newQuery(db.conn), marked: make(map[string]*mark), affectedLimit: affectedLimit,
		persist: func() { db.listen(nil) },
	}
}

// transact runs fn between BEGIN IMMEDIATE and COMMIT, or undoes it all.
func (db *DB) transact(ctx context.Context, fn func() error) error {
	if db.readOnly {
		return fmt.Errorf("%w: %s", ErrReadOnly, db.path)
	}
	err := db.interruptible(ctx, func() (err error) {
		if err := db.prepareWrites(); err != nil {
			return err
		}
		if err := execute(db.conn, "BEGIN IMMEDIATE"); err != nil {
			return err
		}
		committed := false
		defer func() {
			// Also when fn panics: the connection may be used again.
			if !committed {
				err = with(err, db.rollback())
			}
		}()
		if err := db.notNewer(); err != nil {
			return err
		}
		if err := fn(); err != nil {
			return err
		}
		err = execute(db.conn, "COMMIT")
		committed = err == nil
		return err
	})
	return classify(err)
}

// rollback ends a transaction that SQLite may have ended by itself.
func (db *DB) rollback() error {
	var err error
	if !db.conn.AutocommitEnabled() {
		err = execute(db.conn, "ROLLBACK")
	}
	if !db.conn.AutocommitEnabled() { // it was interrupted
		db.listen(nil)
		err = execute(db.conn, "ROLLBACK")
	}
	return err
}

// interruptible runs fn so that the end of ctx interrupts its statements. What
// follows may be interrupted too, until the connection listens to another.
func (db *DB) interruptible(ctx context.Context, fn func() error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	db.listen(interrupt.Done(ctx))
	err := fn()
	if err != nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// listen makes the end of done interrupt the statements. Each change costs a
// goroutine and several switches between threads, which a command can pay once
// and not for each of its transactions, or not at all.
func (db *DB) listen(done <-chan struct{}) {
	if db.done != done {
		db.done = done
		db.conn.SetInterrupt(done)
	}
}

// keepWAL tells SQLite not to empty and remove the WAL when the last
// connection is closed (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE). The library has no
// call for it and does not hand out its handle, so the handle is read by
// reflection. Should the field ever be gone, closing merely gets slower, and a
// test says so.
func keepWAL(conn *sqlite.Conn) bool {
	field := reflect.ValueOf(conn).Elem().FieldByName("conn")
	if !field.IsValid() || field.Kind() != reflect.Uintptr || field.Uint() == 0 {
		return false
	}
	tls := libc.NewTLS()
	defer tls.Close()
	arguments := libc.NewVaList(int32(1), uintptr(0))
	if arguments == 0 {
		return false
	}
	defer libc.Xfree(tls, arguments)
	result := sqlite3.Xsqlite3_db_config(tls, uintptr(field.Uint()), sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, arguments)
	return result == sqlite3.SQLITE_OK
}
