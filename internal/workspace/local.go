package workspace

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const localName = "local.json"

// local is what this clone alone knows and must not lose with the database.
type local struct {
	Workspace string `json:"workspace"` // random id of this copy; a database that names another is not believed
}

// loadLocal reads the local facts. A missing or unreadable file gives the zero
// value: the workspace then gets a new id and the database is built again,
// which loses nothing.
func loadLocal(p Place) (local, error) {
	var l local
	data, err := readRegular(p.localPath())
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	if json.Unmarshal(data, &l) != nil {
		return local{}, nil
	}
	return l, nil
}

// newLocal draws a workspace id and stores it. The caller holds the write lock.
func newLocal(p Place, random io.Reader) (local, error) {
	if random == nil {
		random = rand.Reader
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(random, id); err != nil {
		return local{}, fmt.Errorf("workspace id: %w", err)
	}
	l := local{Workspace: hex.EncodeToString(id)}
	return l, l.store(p)
}

// store writes the local facts durably.
func (l local) store(p Place) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.localPath()), 0o700); err != nil {
		return err
	}
	return writeAtomic(p.localPath(), append(data, '\n'))
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

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
