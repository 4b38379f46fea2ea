package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"beads/internal/oplog"
	"beads/internal/projection"
)

// Workspace is an open workspace. It is for one goroutine at a time; other
// processes, and other Workspace values on the same place, may do what they
// like.
type Workspace struct {
	place Place
	opts  Options
	id    string         // from local.json; "" until it is needed
	db    *projection.DB // nil until it is needed
	log   oplog.Info     // the log that was locked last, to notice its replacement

	adopted bool // id came from the database, since local.json was gone
}

// Open opens the workspace at p. A workspace whose directory is gone while its
// guard copy is there is made again, and Options.Notice is told. It fails with
// ErrNoWorkspace where there is none. Files are opened when they are needed.
func Open(ctx context.Context, p Place, o Options) (*Workspace, error) {
	if !p.Exists {
		return nil, p.Missing()
	}
	w := &Workspace{place: p, opts: o.withDefaults()}
	if p.Guard == "" || exists(p.LogPath()) || o.ReadOnly {
		return w, nil
	}
	if err := w.recreate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("restore %s from the guard copy: %w", p.Dir, err), w.closeDB())
	}
	return w, nil
}

// Place says where the workspace is.
func (w *Workspace) Place() Place { return w.place }

// ReadOnly reports whether every write is refused.
func (w *Workspace) ReadOnly() bool { return w.opts.ReadOnly }

// Close releases what is open. It writes nothing that matters: an acknowledged
// operation is durable already.
func (w *Workspace) Close() error { return w.closeDB() }

func (w *Workspace) closeDB() error {
	if w.db == nil {
		return nil
	}
	db := w.db
	w.db = nil
	return db.Close()
}

// FreeMemory gives back what the database keeps in memory only to be faster. A
// process that stays calls it before it waits.
func (w *Workspace) FreeMemory() error {
	if w.db == nil {
		return nil
	}
	return w.db.FreeMemory()
}

// Checkpoint moves what SQLite's write-ahead log holds into the database file,
// as a daemon does when it stops.
func (w *Workspace) Checkpoint() error {
	if w.db == nil {
		return nil
	}
	// Another process may have put another database there.
	if err := w.openDB(context.Background()); err != nil {
		if repairable(err) {
			return nil
		}
		return err
	}
	return w.db.Checkpoint()
}

// Init makes a workspace at p, or opens the one that is there (existed). prefix
// begins the ids of new issues; see ChoosePrefix. With "" the choice is left to the
// caller, who may first see whether another clone made it.
func Init(ctx context.Context, p Place, prefix string, o Options) (w *Workspace, existed bool, err error) {
	existed = p.Exists
	if o.ReadOnly {
		return nil, existed, ErrReadOnly
	}
	if existed {
		w, err = Open(ctx, p, o)
	} else {
		w = &Workspace{place: p, opts: o.withDefaults()}
		err = w.makeDirs()
	}
	if err != nil {
		return nil, existed, err
	}
	if prefix != "" {
		if err := w.ChoosePrefix(ctx, prefix); err != nil {
			return nil, existed, errors.Join(err, w.Close())
		}
	}
	w.place.Exists = true
	return w, existed, nil
}

// makeDirs makes our directories and keeps Git from seeing the one that lies in
// the worktree.
func (w *Workspace) makeDirs() error {
	for _, dir := range []string{w.place.Dir, w.place.Guard} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
	}
	if w.place.CommonDir != "" && w.place.Tracked || w.place.Root == "" {
		return nil // our files are inside Git's own directory
	}
	ignore := filepath.Join(w.place.Dir, ".gitignore")
	if have, err := readRegular(ignore); err == nil && string(have) == "*\n" {
		return nil
	}
	return writeAtomic(ignore, []byte("*\n"))
}

// recreate makes the workspace's directory again after git clean, rm -rf or a
// bad script: the log and the database come back from the guard copy, and with
// them the settings that are kept beside it.
func (w *Workspace) recreate(ctx context.Context) error {
	wiped := !exists(w.place.Dir)
	if err := w.makeDirs(); err != nil {
		return err
	}
	if wiped {
		if err := w.restoreKept(); err != nil {
			return err
		}
	}
	notice := w.opts.Notice
	w.opts.Notice = func(string) {} // one line instead of two
	report, err := w.Refresh(ctx, false)
	w.opts.Notice = notice
	if err != nil {
		return err
	}
	restored := count(report.Restored, "operation")
	if n := report.Interactions.Restored; n > 0 {
		restored += " and " + count(n, "interaction")
	}
	w.opts.Notice(fmt.Sprintf("%s was missing: restored %s from the guard copy in %s", w.place.LogPath(), restored, w.place.Guard))
	return nil
}
