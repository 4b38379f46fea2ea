package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Reset forgets the workspace: under the write lock it removes the log, the
// guard copy, the database, the settings and everything else of ours, here and
// in Git's common directory. It does not touch remotes. The caller has made sure
// that no daemon runs and that a person asked for it.
func Reset(ctx context.Context, p Place, o Options) error {
	if !p.Exists {
		return p.Missing()
	}
	if o.ReadOnly {
		return ErrReadOnly
	}
	w := &Workspace{place: p, opts: o.withDefaults()}
	if err := w.makeDirs(); err != nil {
		return err
	}
	s, err := w.begin(ctx, w.opts.LockTimeout)
	if err != nil {
		return err
	}
	_ = w.closeDB() // what is corrupt need not close well
	// The guard copy goes first: what is left after a crash is then a workspace
	// that can be reset again, not one that restores itself.
	err = errors.Join(removeOurs(p.Guard), removeOurs(p.Dir))
	return errors.Join(err, s.end())
}

// removeOurs removes what we may have written into dir, and dir if nothing else
// is in it. Names are matched, so that a stranger's file survives.
func removeOurs(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	left := 0
	for _, entry := range entries {
		if !ours(entry.Name()) || entry.IsDir() {
			left++
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("reset: %w", err)
		}
	}
	if left > 0 {
		return nil
	}
	return os.Remove(dir)
}

// ours reports whether a file of this name is one that bd writes.
func ours(name string) bool {
	switch name {
	case logName, lockName, daemonLock, localName, ".gitignore", "config.yaml", "daemon.yaml", "routes.jsonl", interactionsName, "sync.lock":
		return true
	}
	return strings.HasPrefix(name, dbName) || strings.HasPrefix(name, "verify.db") ||
		strings.HasPrefix(name, "daemon.") || strings.HasPrefix(name, "daemon-") ||
		strings.HasPrefix(name, ".local.json.") || strings.HasPrefix(name, ".config.yaml.")
}
