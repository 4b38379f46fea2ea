package faultfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"beads/internal/oplog"
)

// kept is what a power loss leaves of one file.
type kept struct {
	size  int64 // durable bytes
	named bool  // the directory entry is durable
}

// opened notes a file. One that was there before counts as durable.
func (f *FS) opened(path string, file oplog.File, made bool) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.files[path] == nil || made {
		f.files[path] = &kept{size: info.Size, named: !made}
	}
	return nil
}

func (f *FS) synced(path string, file oplog.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[path].size = info.Size
	return nil
}

func (f *FS) dirSynced(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, k := range f.files {
		if filepath.Dir(path) == filepath.Clean(dir) {
			k.named = true
		}
	}
}

// PowerLoss takes from every file opened through f what no Sync made durable:
// bytes after the last Sync are cut off, or with nuls become NULs (what a file
// system leaves that had the new size but not the data), and files whose
// directory was not synced go altogether. Nothing may be open any more. A file
// that was removed by others stays removed.
func (f *FS) PowerLoss(nuls bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all error
	for path, k := range f.files {
		if err := k.lose(path, nuls); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, fmt.Errorf("power loss: %w", err))
		}
	}
	f.files = map[string]*kept{}
	return all
}

func (k *kept) lose(path string, nuls bool) error {
	if !k.named {
		return os.Remove(path)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Size() <= k.size {
		return err
	}
	if !nuls {
		return os.Truncate(path, k.size)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(bytes.Repeat([]byte{0}, int(info.Size()-k.size)), k.size)
	return errors.Join(err, file.Close())
}
