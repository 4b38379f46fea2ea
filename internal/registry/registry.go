package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Bounds on what is read.
const (
	maxEntry   = 16 << 10 // bytes
	maxEntries = 1000
)

// Registry is the directory of the entries. It need not exist.
type Registry struct {
	Dir string // "": there is no place for one, and nothing is recorded
	UID int    // who must own it
}

// Dir is the user's registry: below stateHome ($XDG_STATE_HOME) if that is an
// absolute path, else below the home directory; "" without either.
func Dir(stateHome, home string) string {
	switch {
	case filepath.IsAbs(stateHome):
	case filepath.IsAbs(home):
		stateHome = filepath.Join(home, ".local", "state")
	default:
		return ""
	}
	return filepath.Join(stateHome, "beads", "daemons")
}

// Put records e in place of what was recorded for its workspace. The caller
// holds the daemon's lock there.
func (r Registry) Put(e Entry) error {
	if r.Dir == "" {
		return nil
	}
	err := e.check()
	if err == nil {
		err = r.put(e)
	}
	if err != nil {
		return fmt.Errorf("registry of daemons: %w", err)
	}
	return nil
}

func (r Registry) put(e Entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return err
	}
	if err := r.checkDir(); err != nil {
		return err
	}
	path := filepath.Join(r.Dir, fileName(e.Workspace))
	// One name a workspace, so that daemons killed here leave at most one file.
	fresh := filepath.Join(r.Dir, "."+filepath.Base(path))
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return nil
}

// Remove takes e away if it is still what is recorded for its workspace. An
// entry that is gone, or a later daemon's, is no error. The caller holds the
// daemon's lock there, or knows that nobody can.
func (r Registry) Remove(e Entry) error {
	if r.Dir == "" {
		return nil
	}
	name := fileName(e.Workspace)
	err := r.checkDir()
	if err == nil {
		var recorded Entry
		if recorded, err = r.read(name); err == nil && recorded.same(e) {
			err = os.Remove(filepath.Join(r.Dir, name))
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("registry of daemons: %w", err)
	}
	return nil
}

// List reads the entries, in the order of their workspaces. skipped says, one
// line each, what is in the directory and is no entry. A missing directory has
// none.
func (r Registry) List() (entries []Entry, skipped []string, err error) {
	if r.Dir == "" {
		return nil, nil, nil
	}
	names, err := r.names()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("registry of daemons: %w", err)
	}
	if len(names) > maxEntries {
		skipped = append(skipped, fmt.Sprintf("%s: only the first %d of its %d files are read", r.Dir, maxEntries, len(names)))
		names = names[:maxEntries]
	}
	for _, name := range names {
		e, err := r.read(name)
		switch {
		case err == nil:
			entries = append(entries, e)
		case !errors.Is(err, fs.ErrNotExist): // else it has just been removed
			skipped = append(skipped, fmt.Sprintf("%s is not an entry of a daemon: %v", filepath.Join(r.Dir, name), err))
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Workspace, b.Workspace) })
	return entries, skipped, nil
}

// names are the files, without those that Put has begun.
func (r Registry) names() ([]string, error) {
	if err := r.checkDir(); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(r.Dir) // sorted
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), ".") {
			names = append(names, file.Name())
		}
	}
	return names, nil
}

// read reads the entry in the file name.
func (r Registry) read(name string) (Entry, error) {
	f, err := os.OpenFile(filepath.Join(r.Dir, name), os.O_RDONLY|noFollow, 0)
	if errors.Is(err, syscall.ELOOP) {
		return Entry{}, errors.New("it is a symbolic link")
	}
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, err
	}
	if !info.Mode().IsRegular() {
		return Entry{}, errors.New("it is not a regular file")
	}
	if err := r.private(info); err != nil {
		return Entry{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxEntry+1))
	if err != nil {
		return Entry{}, err
	}
	if len(data) > maxEntry {
		return Entry{}, fmt.Errorf("it is larger than %d bytes", maxEntry)
	}
	return parse(name, data)
}

// checkDir refuses a directory that is a link, or that another user could write
// to.
func (r Registry) checkDir() error {
	info, err := os.Lstat(r.Dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", r.Dir)
	}
	if err := r.private(info); err != nil {
		return fmt.Errorf("%s: %w", r.Dir, err)
	}
	return nil
}
