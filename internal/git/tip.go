package git

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Tips returns the objects that refs name; one that does not exist is left out.
// A ref with a file of its own is read from there, where git itself looks first,
// and that saves a process. Of every other (packed, in a reftable, symbolic,
// broken) git is asked.
func (r *Runner) Tips(ctx context.Context, names ...string) (map[string]string, error) {
	tips := map[string]string{}
	for _, name := range names {
		id, found := r.looseRef(name)
		if !found {
			return r.Refs(ctx, names...)
		}
		tips[name] = id
	}
	return tips, nil
}

// looseRef reads the file of a ref.
func (r *Runner) looseRef(name string) (id string, found bool) {
	path := filepath.Join(r.GitDir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", false // a symbolic link is an old form of a symbolic ref
	}
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	const most = 64 + 1 // a SHA-256 name and the end of the line
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	id, whole := strings.CutSuffix(string(text), "\n")
	return id, err == nil && whole && validID(id)
}

// RemoveBrokenRef removes the file of a ref below refs/beads/ that names no
// object, as a power loss leaves it, and says whether there was one. Git reports
// such a ref at every turn, gc and fsck included, and refuses to change it. An
// older value in packed-refs counts again.
func (r *Runner) RemoveBrokenRef(name string) (bool, error) {
	if !strings.HasPrefix(name, "refs/beads/") || CheckRef(name) != nil {
		return false, nil
	}
	path := filepath.Join(r.GitDir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, nil
	}
	if _, found := r.looseRef(name); found {
		return false, nil
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.HasPrefix(string(text), "ref:") {
		return false, err
	}
	return true, os.Remove(path)
}
