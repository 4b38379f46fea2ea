package projection

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// What Open found instead of our database. ErrNewer stops; ErrStale is rebuilt
// in place; ErrForeign and ErrCorrupt are set aside.
var (
	ErrMissing = errors.New("no database")
	ErrForeign = errors.New("database of another workspace or program")
	ErrNewer   = errors.New("database written by a newer bd")
	ErrStale   = errors.New("database of another schema or fold version")
	ErrCorrupt = errors.New("database is corrupt")
)

// ErrReadOnly: the file cannot be written here, so it can only be queried.
var ErrReadOnly = errors.New("database cannot be written")

// busyTimeout is how long a statement waits for another process. Our lock
// serialises writers and WAL readers wait for nobody, except while another
// process recovers the WAL or empties it.
const busyTimeout = 2 * time.Second

// Open opens an existing database and asks whether it is ours, in the order
// of the architecture: a regular file, our program, this inode and workspace,
// version, schema byte for byte. Errors wrap the sentinels above; with
// ErrStale the DB is returned too, so that Rebuild can work in place and read
// the old operations.
//
// An empty workspaceID accepts whatever id the database records, as long as the
// file is in the place where it was made: the caller has lost its own record of
// the id, and this may be the only copy that is left.
//
// The device is recorded but not compared: device numbers change over a
// reboot on some file systems, and each would cost a rebuild.
//
// Where the file or its directory cannot be written the database is opened
// for reading only (DB.ReadOnly).
func Open(ctx context.Context, path, workspaceID string) (*DB, error) {
	id, err := identify(path)
	if err != nil {
		return nil, err
	}
	return openSeen(ctx, path, workspaceID, id)
}

// openSeen opens the file that a look found at path. It may be exchanged after that
// look, or while it is opened, which then fails in any way: what is set aside has no
// successor at first.
func openSeen(ctx context.Context, path, workspaceID string, id identity) (*DB, error) {
	db, err := openVerified(ctx, path, workspaceID, id)
	again, lookErr := identify(path)
	if lookErr == nil && again != id {
		lookErr = fmt.Errorf("%w: %s was exchanged while it was opened", ErrForeign, path)
	}
	if lookErr == nil {
		return db, err
	}
	if db != nil {
		db.Close()
	}
	return nil, lookErr
}

// openVerified returns the DB only if it is ours, also with ErrStale.
func openVerified(ctx context.Context, path, workspaceID string, id identity) (*DB, error) {
	db, err := connect(path, id)
	if err != nil {
		return nil, classify(err)
	}
	err = db.interruptible(ctx, func() error { return db.verify(workspaceID) })
	if db.readOnly && err != nil && unreadableWAL(err) && emptyOrMissing(path+"-wal") {
		// The shared-memory file cannot be made here. Nothing is in the WAL,
		// and nobody who could write there can be told from a bystander, so
		// the file is taken as it is.
		db.Close()
		if db, err = connectImmutable(path, id); err != nil {
			return nil, classify(err)
		}
		err = db.interruptible(ctx, func() error { return db.verify(workspaceID) })
	}
	if err != nil && !errors.Is(err, ErrStale) {
		db.Close()
		return nil, classify(err)
	}
	return db, err
}

func connect(path string, id identity) (*DB, error) {
	writable := writable(path) && writable(filepath.Dir(path))
	flags := sqlite.OpenReadWrite
	if !writable {
		flags = sqlite.OpenReadOnly
	}
	conn, err := sqlite.OpenConn(path, flags)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return prepare(conn, path, id, !writable)
}

func connectImmutable(path string, id identity) (*DB, error) {
	uri := (&url.URL{Scheme: "file", Path: path, RawQuery: "immutable=1"}).String()
	conn, err := sqlite.OpenConn(uri, sqlite.OpenReadOnly, sqlite.OpenURI)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return prepare(conn, path, id, true)
}

// prepare sets what holds for one connection only. The journal mode is
// recorded in the file.
func prepare(conn *sqlite.Conn, path string, id identity, readOnly bool) (*DB, error) {
	conn.SetBusyTimeout(busyTimeout)
	keepWAL(conn)
	db := &DB{conn: conn, path: path, id: id, readOnly: readOnly}
	// Someone else's file must not get our functions called or crash us.
	err := set(conn, "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON")
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// prepareWrites sets what holds for a connection that writes.
func (db *DB) prepareWrites() error {
	if db.writes {
		return nil
	}
	err := set(db.conn, "PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 0") // see largeWAL
	db.writes = err == nil
	return err
}

func set(conn *sqlite.Conn, pragmas ...string) error {
	for _, p := range pragmas {
		if err := once(conn, p); err != nil {
			return err
		}
	}
	return nil
}

// verify asks whether an open file is our database, in one transaction: each
// begins with locks of its own.
func (db *DB) verify(workspaceID string) error {
	if err := execute(db.conn, "BEGIN"); err != nil {
		return err
	}
	return with(db.recognise(workspaceID), db.rollback())
}

func (db *DB) recognise(workspaceID string) error {
	application, err := number(db.conn, "PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := number(db.conn, "PRAGMA user_version")
	if err != nil {
		return err
	}
	found, err := readObjects(db.conn)
	if err != nil {
		return err
	}
	// meta is only read when it is the table we know: it could be a view that
	// never ends.
	if application != applicationID || !hasOurs(found, "meta") {
		return fmt.Errorf("%w: %s is not a bd database", ErrForeign, db.path)
	}
	meta, err := readMeta(db.conn)
	if err != nil {
		return err
	}
	if workspaceID == "" {
		workspaceID = meta[metaWorkspace]
	}
	if meta[metaInode] != strconv.FormatUint(db.id.inode, 10) || meta[metaWorkspace] != workspaceID {
		return fmt.Errorf("%w: %s was made for inode %s of workspace %q", ErrForeign, db.path, meta[metaInode], meta[metaWorkspace])
	}
	db.workspace = workspaceID
	fold, err := strconv.Atoi(meta[metaFold])
	if err != nil {
		return fmt.Errorf("%w: %s has fold version %q", ErrForeign, db.path, meta[metaFold])
	}
	switch {
	case version > schemaVersion || fold > op.FoldVersion:
		return db.newer(version, int64(fold))
	case version < schemaVersion:
		return fmt.Errorf("%w: %s has schema %d", ErrStale, db.path, version)
	case !sameSchema(found):
		return fmt.Errorf("%w: the schema of %s was altered", ErrForeign, db.path)
	case fold < op.FoldVersion:
		return fmt.Errorf("%w: %s has fold %d", ErrStale, db.path, fold)
	}
	return nil
}

// newer is the error for a database that this program must not alter.
func (db *DB) newer(schema, fold int64) error {
	return fmt.Errorf("%w: %s has schema %d and fold %d, this bd knows %d and %d",
		ErrNewer, db.path, schema, fold, schemaVersion, op.FoldVersion)
}

// notNewer asks at the start of a transaction whether a newer bd has rebuilt the
// database since it was opened: that happens in its place, under a connection
// that stays good.
func (db *DB) notNewer() error {
	schema, err := number(db.conn, "PRAGMA user_version")
	if err != nil || schema == 0 { // it has no tables yet
		return err
	}
	meta, err := readMeta(db.conn)
	if err != nil {
		return err
	}
	// What is no number is for whoever opens the database next.
	if fold, _ := strconv.ParseInt(meta[metaFold], 10, 64); schema > schemaVersion || fold > op.FoldVersion {
		return db.newer(schema, fold)
	}
	return nil
}

func readMeta(conn *sqlite.Conn) (map[string]string, error) {
	meta := make(map[string]string)
	err := query(conn, "SELECT key, value FROM meta", func(s *sqlite.Stmt) error {
		meta[s.ColumnText(0)] = s.ColumnText(1)
		return nil
	})
	return meta, err
}

// unreadableWAL reports whether err is what SQLite says when it can neither
// find nor make the shared-memory file of the WAL.
func unreadableWAL(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCantOpen, sqlite.ResultReadOnly:
		return true
	}
	return false
}

func emptyOrMissing(path string) bool {
	info, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0
}
