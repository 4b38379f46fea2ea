package git

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Tracked lists the paths below folder (slash-separated, without a final slash)
// that the index of the main worktree tracks. A missing index tracks nothing.
// Entries are sorted, so reading stops behind the folder: the cost does not
// depend on the size of the repository (gitformat-index(5), versions 2 to 4; a
// split index is read too).
func (r Repository) Tracked(folder string) ([]string, error) {
	index := filepath.Join(r.CommonDir, "index")
	if _, err := os.Lstat(index); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // and then a shared index counts for nothing
	}
	paths, err := trackedIn(index, folder, r.hashSize)
	if err != nil {
		return nil, err
	}
	shared, err := filepath.Glob(filepath.Join(r.CommonDir, "sharedindex.*"))
	if err != nil {
		return nil, err
	}
	for _, file := range shared {
		more, err := trackedIn(file, folder, r.hashSize)
		if err != nil {
			return nil, err
		}
		paths = append(paths, more...)
	}
	return paths, nil
}

func trackedIn(file, folder string, hash int) ([]string, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	paths, err := readIndex(bufio.NewReaderSize(f, 4096), folder, hash)
	if err != nil {
		return nil, fmt.Errorf("git index %s: %w", file, err)
	}
	return paths, nil
}

// readIndex reads entries until their paths are past folder.
func readIndex(r *bufio.Reader, folder string, hash int) ([]string, error) {
	header := make([]byte, 12)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	version, count := binary.BigEndian.Uint32(header[4:]), binary.BigEndian.Uint32(header[8:])
	if string(header[:4]) != "DIRC" || version < 2 || version > 4 {
		return nil, fmt.Errorf("unknown format %q version %d", header[:4], version)
	}
	var found []string
	below, path := folder+"/", ""
	for range count {
		fixed := make([]byte, 40+hash+2)
		if _, err := io.ReadFull(r, fixed); err != nil {
			return nil, err
		}
		size := len(fixed)
		if extended := fixed[40+hash]&0x40 != 0; extended {
			if _, err := r.Discard(2); err != nil {
				return nil, err
			}
			size += 2
		}
		kept := 0
		if version == 4 {
			strip, err := offsetVarint(r)
			if err != nil {
				return nil, err
			}
			if strip > uint64(len(path)) {
				return nil, errors.New("path prefix out of range")
			}
			kept = len(path) - int(strip)
		}
		rest, err := r.ReadString(0)
		if err != nil {
			return nil, err
		}
		path = path[:kept] + strings.TrimSuffix(rest, "\x00")
		if version < 4 { // padded with NULs to a multiple of eight, at least one
			if _, err := r.Discard(7 - (size+len(path))%8); err != nil {
				return nil, err
			}
		}
		switch {
		case strings.HasPrefix(path, below):
			found = append(found, path)
		case path > below:
			return found, nil
		}
	}
	return found, nil
}

// offsetVarint is the variable-width encoding of pack offsets.
func offsetVarint(r io.ByteReader) (uint64, error) {
	b, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	value := uint64(b & 0x7f)
	for b&0x80 != 0 {
		if value > 1<<32 {
			return 0, errors.New("number too large")
		}
		if b, err = r.ReadByte(); err != nil {
			return 0, err
		}
		value = (value+1)<<7 | uint64(b&0x7f)
	}
	return value, nil
}
