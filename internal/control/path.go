package control

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// maxPath is what every system takes for a socket's path: sun_path has 104
// bytes on the BSDs and 108 on Linux, with a final NUL.
const maxPath = 103

// Place is where sockets may be on this system.
type Place struct {
	Runtime string // $XDG_RUNTIME_DIR; "" if unset
	Temp    string // os.TempDir()
	UID     int    // negative on a system without user ids
}

// Paths are the socket paths for the workspace in dir, best first. There are
// several because a daemon and a client may have been started with different
// environments (a login, cron, sudo): the server takes the first that works and
// the client tries them all. A path that is too long for a socket is left out.
func (p Place) Paths(dir string) []string {
	sum := sha256.Sum256([]byte(dir))
	name := hex.EncodeToString(sum[:8]) + ".sock"
	if p.UID < 0 {
		return fitting([]string{filepath.Join(p.Temp, "beads")}, name)
	}
	uid := strconv.Itoa(p.UID)
	var dirs []string
	if filepath.IsAbs(p.Runtime) {
		dirs = append(dirs, filepath.Join(p.Runtime, "beads"))
	}
	if run := filepath.Join("/run/user", uid); isDir(run) {
		dirs = append(dirs, filepath.Join(run, "beads"))
	}
	dirs = append(dirs, filepath.Join(p.Temp, "beads-"+uid), filepath.Join("/tmp", "beads-"+uid))
	return fitting(dirs, name)
}

func fitting(dirs []string, name string) (paths []string) {
	for _, d := range dirs {
		if path := filepath.Join(d, name); len(path) <= maxPath && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// makeDir makes the directory of a socket if it is missing, and checks it.
func makeDir(dir string, uid int) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("socket directory: %w", err)
	}
	return checkDir(dir, uid)
}

// checkDir refuses a directory that another user could have prepared or can
// write to. In a world-writable parent such as /tmp the name may be anyone's.
func checkDir(dir string, uid int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("socket directory: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("socket directory %s is not a directory", dir)
	}
	return checkOwner(dir, info, uid)
}
