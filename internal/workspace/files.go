package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"beads/internal/oplog"
)

// maxSettings bounds a settings file, in bytes.
const maxSettings = 1 << 20

// keptFiles are the settings that are also kept beside the guard copy. They come
// back only when the whole directory is gone: a person may remove one.
var keptFiles = [...]string{"config.yaml", "daemon.yaml", "routes.jsonl"}

// ReadFile reads one of the workspace's settings files; a missing one wraps
// fs.ErrNotExist.
func (w *Workspace) ReadFile(name string) ([]byte, error) { return w.place.ReadFile(name) }

// ReadFile reads one of the place's settings files; a missing one wraps
// fs.ErrNotExist. A symbolic link is refused.
func (p Place) ReadFile(name string) ([]byte, error) {
	return readRegular(filepath.Join(p.Dir, name))
}

// WriteFile replaces one of the workspace's settings files, and its copy beside
// the guard copy, atomically and durably.
func (w *Workspace) WriteFile(name string, data []byte) error {
	if w.opts.ReadOnly {
		return ErrReadOnly
	}
	if !slices.Contains(keptFiles[:], name) {
		return fmt.Errorf("%s is not a settings file", name)
	}
	if w.place.Guard != "" {
		if err := writeAtomic(filepath.Join(w.place.Guard, name), data); err != nil {
			return err
		}
	}
	return writeAtomic(filepath.Join(w.place.Dir, name), data)
}

// restoreKept copies the kept settings back into a directory that was wiped.
func (w *Workspace) restoreKept() error {
	for _, name := range keptFiles {
		data, err := readRegular(filepath.Join(w.place.Guard, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = writeAtomic(filepath.Join(w.place.Dir, name), data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepSettings copies settings that a person edited by hand to the guard's
// directory. A file that cannot be read is left to who reports it.
func (w *Workspace) keepSettings() error {
	if w.place.Guard == "" {
		return nil
	}
	for _, name := range keptFiles {
		data, err := readRegular(filepath.Join(w.place.Dir, name))
		if err != nil {
			continue
		}
		kept, err := readRegular(filepath.Join(w.place.Guard, name))
		if err == nil && string(kept) == string(data) {
			continue
		}
		if err := writeAtomic(filepath.Join(w.place.Guard, name), data); err != nil {
			return err
		}
	}
	return nil
}

// readRegular reads a small file that must not be a symbolic link or a device:
// .beads may come from a hostile repository.
func readRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|oplog.NoFollow, 0)
	if err != nil {
		if errors.Is(err, syscall.ELOOP) {
			return nil, fmt.Errorf("%s is a symbolic link", path)
		}
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > maxSettings {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxSettings)
	}
	data := make([]byte, info.Size())
	n, err := f.ReadAt(data, 0)
	if err != nil && n < len(data) {
		return nil, err
	}
	return data[:n], nil
}

// writeAtomic replaces path by data so that a crash leaves the old or the new
// content: temporary file, fsync, rename, fsync of the directory.
func writeAtomic(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error { return oplog.OS{}.SyncDir(dir) }
