package projection

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"beads/internal/op"
	"beads/internal/oplog"
)

// identity says which file a database is in.
type identity struct {
	inode, device uint64
}

// identify looks at path without following a link. Errors wrap ErrMissing or,
// for anything but a regular file, ErrForeign.
func identify(path string) (identity, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return identity{}, fmt.Errorf("%s: %w", path, ErrMissing)
	case err != nil:
		return identity{}, fmt.Errorf("database: %w", err)
	case !info.Mode().IsRegular():
		return identity{}, irregular(path, info.Mode())
	}
	// SQLite would follow a link there, wait for ever for a pipe, and say of
	// neither which file it was.
	for _, suffix := range companions() {
		if info, err := os.Lstat(path + suffix); err == nil && !info.Mode().IsRegular() {
			return identity{}, irregular(path+suffix, info.Mode())
		}
	}
	file, err := oplog.OS{}.Stat(path)
	if err != nil {
		return identity{}, fmt.Errorf("database: %w", err)
	}
	return identity{inode: file.Inode, device: file.Dev}, nil
}

func irregular(path string, mode fs.FileMode) error {
	return fmt.Errorf("%w: %s is not a regular file but %s", ErrForeign, path, describeMode(mode))
}

func describeMode(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return mode.Type().String()
}

// Keys of the table meta.
const (
	metaWorkspace = "workspace"
	metaInode     = "inode"
	metaDevice    = "device"
	metaFold      = "fold_version"
)

// meta is what a new database writes of itself.
func (id identity) meta(workspaceID string) map[string]string {
	return map[string]string{
		metaWorkspace: workspaceID,
		metaInode:     strconv.FormatUint(id.inode, 10),
		metaDevice:    strconv.FormatUint(id.device, 10),
		metaFold:      strconv.Itoa(op.FoldVersion),
	}
}

// Recognise reports whether the file at path begins as a database that this
// program made: the SQLite header with our application id (fileformat2.html,
// section 1.3). It says nothing about which workspace it belongs to.
func Recognise(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|oplog.NoFollow, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	header := make([]byte, 72)
	if _, err := io.ReadFull(f, header); err != nil {
		return false
	}
	return string(header[:16]) == "SQLite format 3\x00" && binary.BigEndian.Uint32(header[68:]) == applicationID
}
