package cli

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"beads/internal/beadsjson"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// keptSnapshot is the snapshot that a daemon keeps current. It belongs to the
// daemon's loop.
type keptSnapshot struct {
	app *app
	w   *workspace.Workspace // the daemon's

	path string      // what was written last, to be known again
	seq  int64       // of the last operation that it holds
	file fs.FileInfo // as it was then; nil: nothing yet
}

// update makes the file at path, relative to the workspace's root, hold every
// issue as bd export writes them. While neither the issues nor the file changed
// it costs one query.
func (k *keptSnapshot) update(ctx context.Context, path string) (written bool, err error) {
	place := k.w.Place()
	if place.Root == "" {
		return false, failf("refused", "export: this repository has no worktree for %s", path)
	}
	target := filepath.Join(place.Root, path)
	for _, own := range []string{place.Dir, place.Guard, place.CommonDir, place.GitDir} {
		if own != "" && strings.HasPrefix(target+string(filepath.Separator), own+string(filepath.Separator)) {
			return false, failf("refused", "export: %s is in %s", path, own)
		}
	}
	err = k.w.View(ctx, func(q *projection.Query) error {
		seq, err := q.MaxSeq()
		if err != nil || k.current(path, target, seq) {
			return err
		}
		e := exporter{a: k.app}
		if written, err = beadsjson.Keep(place.Root, path, func(to io.Writer) error { return e.snapshot(q, to, nil) }); err != nil {
			return err
		}
		k.path, k.seq = path, seq
		k.file, err = os.Lstat(target)
		return err
	})
	return written, err
}

// current reports whether the file is as it was left and nothing came since.
func (k *keptSnapshot) current(path, target string, seq int64) bool {
	if k.file == nil || path != k.path || seq != k.seq {
		return false
	}
	info, err := os.Lstat(target)
	return err == nil && os.SameFile(info, k.file) && info.Size() == k.file.Size() && info.ModTime().Equal(k.file.ModTime())
}
