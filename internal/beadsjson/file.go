package beadsjson

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrProtected is what WriteFile fails with for a file that it must not touch.
var ErrProtected = errors.New("refused: it belongs to the workspace")

// WriteFile replaces the file at path by what write writes, atomically: it
// appears whole, synced, or not at all. A symbolic link is followed and stays.
// It refuses what is not a regular file, and every file that one of protected
// names, also by another path or a hard link (ErrProtected), whether or not the
// protected one exists at the moment.
func WriteFile(path string, protected []string, write func(io.Writer) error) error {
	target, err := resolve(path)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o666) // the umask applies
	var old fs.FileInfo
	switch old, err = os.Stat(target); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	}
	for _, p := range protected {
		if same(target, old, p) {
			return fmt.Errorf("%s: %w", path, ErrProtected)
		}
	}
	temporary := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+"."+rand.Text()[:8])
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if old != nil {
		err = file.Chmod(old.Mode().Perm())
	}
	if err == nil {
		err = write(file)
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, target)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncDir(filepath.Dir(target))
}

// resolve follows the links of path; its last element need not exist.
func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return target, err
	}
	if _, lstatErr := os.Lstat(path); lstatErr == nil {
		return "", fmt.Errorf("%s is a link to nowhere", path)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// same reports whether target (old, if it exists) is the file that protected
// names.
func same(target string, old fs.FileInfo, protected string) bool {
	if old != nil {
		if info, err := os.Stat(protected); err == nil && os.SameFile(old, info) {
			return true
		}
	}
	other, err := resolve(protected)
	return err == nil && other == target
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be flushed there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
