package projection

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
)

// Build makes a database that load fills, as in Rebuild, and opens it. There are
// no old answers to keep, so nobody sees the file before it is whole and on disk,
// and nothing is written twice for the sake of a WAL: it is made under another
// name and renamed, and a failure or a crash leaves nothing at path. cache is as
// in SetCacheSize, 0 for the default. The caller holds the write lock, and path
// must be free.
func Build(ctx context.Context, path, workspaceID string, cache int64, load func(*Tx) error) (*DB, error) {
	if err := build(ctx, path, workspaceID, cache, load); err != nil {
		return nil, fmt.Errorf("build database %s: %w", path, err)
	}
	return Open(ctx, path, workspaceID)
}

func build(ctx context.Context, path, workspaceID string, cache int64, load func(*Tx) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A WAL without its database would be replayed into the new one.
	if err := removeCompanions(path); err != nil {
		return err
	}
	unfinished := path + ".new"
	if err := remove(unfinished); err != nil {
		return err
	}
	if err := removeCompanions(unfinished); err != nil {
		return err
	}
	if err := write(ctx, unfinished, workspaceID, cache, load); err != nil {
		return errors.Join(err, remove(unfinished), removeCompanions(unfinished))
	}
	if err := os.Rename(unfinished, path); err != nil {
		return errors.Join(err, remove(unfinished))
	}
	return nil
}

// write makes a database and closes it, with nothing left in a WAL and everything
// on disk.
func write(ctx context.Context, path, workspaceID string, cache int64, load func(*Tx) error) error {
	// SQLite would make the file readable for everyone, and follow a link.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	id, err := identify(path)
	if err != nil {
		return err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	conn.SetInterrupt(ctx.Done())
	err = func() error {
		// A statement that alters many rows keeps their pages until it ends: on
		// disk, not in memory.
		if err := once(conn, "PRAGMA journal_mode = DELETE"); err != nil {
			return err
		}
		// Nobody sees the file before it is synced as a whole.
		if err := once(conn, "PRAGMA synchronous = OFF"); err != nil {
			return err
		}
		// Only before the first table: so that Maintain can give pages back.
		if err := once(conn, "PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
			return err
		}
		db := &DB{conn: conn, path: path, id: id, workspace: workspaceID, cache: cache}
		if err := db.Rebuild(ctx, false, load); err != nil {
			return err
		}
		return once(conn, "PRAGMA journal_mode = WAL")
	}()
	conn.SetInterrupt(nil)
	if err = errors.Join(err, conn.Close()); err != nil {
		return err
	}
	return syncFile(path)
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// stamp writes the identity into an open transaction.
func stamp(conn *sqlite.Conn, id identity, workspaceID string) error {
	for _, p := range []string{
		"PRAGMA application_id = " + strconv.Itoa(applicationID),
		"PRAGMA user_version = " + strconv.Itoa(schemaVersion),
	} {
		if err := once(conn, p); err != nil {
			return err
		}
	}
	for key, value := range id.meta(workspaceID) {
		if err := execute(conn, upsertMeta, key, value); err != nil {
			return err
		}
	}
	return disownTexts(conn)
}

const upsertMeta = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"

// SetAside moves what is at path (a file, a link or a directory) out of the
// way, to a free name beside it made of label and now, and returns that name.
// The WAL leaves first: an old one beside a new file is replayed into it. It
// goes along under the new name, since it may hold the latest lines; -shm is
// unlinked. The caller holds the write lock and has no DB open on path. What
// was set aside is never deleted.
func SetAside(path, label string, now time.Time) (string, error) {
	aside, err := free(path + "." + label + "-" + now.UTC().Format("20060102T150405Z"))
	if err != nil {
		return "", fmt.Errorf("set database aside: %w", err)
	}
	if err := remove(path + "-shm"); err != nil {
		// Not a file: it goes with the rest.
		if os.Rename(path+"-shm", aside+"-shm") != nil {
			return "", err
		}
	}
	for _, suffix := range []string{"-wal", "-journal", ""} {
		err := os.Rename(path+suffix, aside+suffix)
		if err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return "", fmt.Errorf("set database aside: %w", err)
		}
	}
	return aside, nil
}

// free is a name that neither a database nor its WAL has: stem, or stem with a
// number. The write lock keeps others from taking it in between.
func free(stem string) (string, error) {
	name := stem
	for n := 2; ; n++ {
		used := false
		for _, path := range []string{name, name + "-wal"} {
			_, err := os.Lstat(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err // of the next name it would be said too, without end
			}
			used = used || err == nil
		}
		if !used {
			return name, nil
		}
		name = stem + "-" + strconv.Itoa(n)
	}
}

// removeCompanions unlinks the files that SQLite keeps beside a database.
func removeCompanions(path string) error {
	for _, suffix := range companions() {
		if err := remove(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

// companions are what SQLite appends to a database's path for files of its own.
func companions() []string { return []string{"-wal", "-shm", "-journal"} }

// remove unlinks a file that may be missing.
func remove(path string) error {
	err := os.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("database: %w", err)
}
