package git

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// removeResidue removes what a failed call of ours left: its crash report and
// its temporary packs and objects. A temporary file is ours if it is not older
// than the call and nobody has it open: git of the user's may run beside us. It
// is tidying: what cannot be removed stays for git's own prune.
func (r *Runner) removeResidue(p *process) {
	_ = os.Remove(filepath.Join(r.GitDir, crashPrefix+strconv.Itoa(p.pid)))
	since := p.started.Add(-time.Second) // coarse timestamps of the file system
	for _, pattern := range []string{"pack/tmp_pack_*", "pack/tmp_idx_*", "pack/tmp_rev_*", "??/tmp_obj_*"} {
		found, err := filepath.Glob(filepath.Join(r.GitDir, "objects", pattern))
		if err != nil {
			continue
		}
		for _, path := range found {
			info, err := os.Lstat(path)
			if err == nil && info.Mode().IsRegular() && info.ModTime().After(since) && unused(path) {
				_ = os.Remove(path)
			}
		}
	}
}

const crashPrefix = "fast_import_crash_"

// Tidy removes what a call left whose parent was killed with it: crash reports
// that speak of refs below prefix, and locks of refs below prefix that are older
// than age. The caller makes sure that no other call of ours runs.
func (r *Runner) Tidy(prefix string, age time.Duration, now time.Time) {
	reports, err := filepath.Glob(filepath.Join(r.GitDir, crashPrefix+"*"))
	if err == nil {
		for _, path := range reports {
			if mentions(path, prefix) {
				_ = os.Remove(path)
			}
		}
	}
	top := filepath.Join(r.GitDir, filepath.FromSlash(prefix))
	_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasSuffix(path, ".lock") {
			return nil // a directory that cannot be read has nothing for us
		}
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > age {
			_ = os.Remove(path)
		}
		return nil
	})
}

// mentions reports whether the beginning of a file contains text.
func mentions(path, text string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return err == nil && bytes.Contains(start, []byte(text))
}

// RemoveEmptyObjects removes loose objects of no bytes, which a power loss
// leaves where objects are not synced. An object is never empty, and git does
// not write one anew whose file is there. It returns how many there were.
func (r *Runner) RemoveEmptyObjects() int {
	found, err := filepath.Glob(filepath.Join(r.GitDir, "objects", "??", "*"))
	if err != nil {
		return 0
	}
	removed := 0
	for _, path := range found {
		info, err := os.Lstat(path)
		if err == nil && info.Mode().IsRegular() && info.Size() == 0 && os.Remove(path) == nil {
			removed++
		}
	}
	return removed
}
