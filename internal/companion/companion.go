// Package companion finds another program of this module and hands this
// process over to it. What costs every command start-up time when it is linked
// into bd lies in a program of its own beside it (docs/adr/0012).
package companion

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Program is what the other program gets.
type Program struct {
	Path           string
	Args           []string // without the program's name
	Environ        []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Find returns the path of the program called name: beside executable, also
// where that is a symbolic link to, else in a directory of searchPath (the
// value of PATH). Relative directories there are skipped: what lies in a
// working directory is not ours. The error is fs.ErrNotExist if there is none.
func Find(name, executable, searchPath string) (string, error) {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	dirs := []string{filepath.Dir(executable)}
	if resolved, err := filepath.EvalSymlinks(executable); err == nil {
		dirs = append(dirs, filepath.Dir(resolved))
	}
	for _, dir := range append(dirs, filepath.SplitList(searchPath)...) {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0) {
			return path, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return "", fmt.Errorf("look for %s: %w", name, err)
		}
	}
	return "", fmt.Errorf("look for %s beside %s and in PATH: %w", name, executable, fs.ErrNotExist)
}
