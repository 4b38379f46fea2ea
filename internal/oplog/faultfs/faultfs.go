// Package faultfs is for tests: a file system over a real one whose n-th call
// fails, and which can lose what was not fsynced.
//
// Calls are counted from 1 in the order in which they are made, so a test that
// makes them from one goroutine fails at the same place each time. All methods
// may be called from several goroutines; order is the caller's business then.
// Locks are never counted: a lock does not touch the disk.
package faultfs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"beads/internal/oplog"
)

// Call names a kind of call.
type Call string

// The kinds of calls. Any stands for all of them.
const (
	Any     Call = ""
	Open    Call = "open"
	Lstat   Call = "lstat"
	SyncDir Call = "syncdir"
	Read    Call = "read"
	Write   Call = "write"
	Sync    Call = "sync"
	Fstat   Call = "fstat"
)

// Fault says which call fails and how.
type Fault struct {
	Call Call   // Any: every kind
	Path string // base name of the file (for SyncDir of the directory); "": every file
	N    int    // the n-th call from Fail on that Call and Path match, from 1; 0 counts as 1
	Keep bool   // that call and all that match after it, until Clear
	Err  error  // what it returns, for example syscall.EIO

	// Short makes a failing Write put out its first Short bytes, a torn line.
	// A failing write puts out nothing otherwise.
	Short int
	// Do, if set, runs before the call. With a nil Err the call then goes on:
	// what another process does at just that moment.
	Do func()
}

// FS implements oplog.FS.
type FS struct {
	under oplog.FS

	mu     sync.Mutex // guards what follows
	faults []*armed
	calls  []Record
	files  map[string]*kept // by path
}

type armed struct {
	Fault
	seen int // matching calls since it was armed
}

// Record is one call made.
type Record struct {
	Call   Call
	Path   string // base name
	Failed bool
}

var _ oplog.FS = (*FS)(nil)

// New returns a file system over under that counts, and fails nothing yet.
func New(under oplog.FS) *FS {
	return &FS{under: under, files: map[string]*kept{}}
}

// Fail arms a fault beside those that are armed already.
func (f *FS) Fail(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &armed{Fault: fault})
}

// Clear disarms all faults.
func (f *FS) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// Calls returns the calls made so far.
func (f *FS) Calls() []Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Count says how many calls of that kind were made for a file (base name; "":
// for all), so that a test can fail each of them in turn.
func (f *FS) Count(call Call, path string) int {
	n := 0
	for _, c := range f.Calls() {
		if (call == Any || call == c.Call) && (path == "" || path == c.Path) {
			n++
		}
	}
	return n
}

// Failed says how many calls failed by a fault.
func (f *FS) Failed() int {
	n := 0
	for _, c := range f.Calls() {
		if c.Failed {
			n++
		}
	}
	return n
}

// enter counts a call and returns the fault that hits it, if one does.
func (f *FS) enter(call Call, path string) *Fault {
	base := filepath.Base(path)
	hit := f.hit(call, base)
	if hit != nil && hit.Do != nil {
		hit.Do() // not under the mutex: it may make calls of its own
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if hit != nil && hit.Err == nil {
		hit = nil
	}
	f.calls = append(f.calls, Record{call, base, hit != nil})
	return hit
}

func (f *FS) hit(call Call, base string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var hit *Fault
	for _, a := range f.faults {
		if a.Call != Any && a.Call != call || a.Path != "" && a.Path != base {
			continue
		}
		a.seen++
		if first := max(a.N, 1); a.seen == first || a.Keep && a.seen > first {
			hit = &a.Fault
		}
	}
	return hit
}

// check is enter for calls that fail in one way only.
func (f *FS) check(call Call, path string) error {
	if fault := f.enter(call, path); fault != nil {
		return fmt.Errorf("%s %s: %w", call, path, fault.Err)
	}
	return nil
}

// Open implements oplog.FS.
func (f *FS) Open(path string, create bool) (oplog.File, error) {
	if err := f.check(Open, path); err != nil {
		return nil, err
	}
	_, statErr := f.under.Stat(path)
	under, err := f.under.Open(path, create)
	if err != nil {
		return nil, err
	}
	if err := f.opened(path, under, statErr != nil); err != nil {
		return nil, errors.Join(err, under.Close())
	}
	return &file{fs: f, path: path, under: under}, nil
}

// Stat implements oplog.FS.
func (f *FS) Stat(path string) (oplog.Info, error) {
	if err := f.check(Lstat, path); err != nil {
		return oplog.Info{}, err
	}
	return f.under.Stat(path)
}

// SyncDir implements oplog.FS.
func (f *FS) SyncDir(path string) error {
	if err := f.check(SyncDir, path); err != nil {
		return err
	}
	if err := f.under.SyncDir(path); err != nil {
		return err
	}
	f.dirSynced(path)
	return nil
}

// file implements oplog.File.
type file struct {
	fs    *FS
	path  string
	under oplog.File
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.check(Read, f.path); err != nil {
		return 0, err
	}
	return f.under.ReadAt(p, off)
}

func (f *file) Write(p []byte) (int, error) {
	fault := f.fs.enter(Write, f.path)
	if fault == nil {
		return f.under.Write(p)
	}
	n := 0
	if fault.Short > 0 {
		var err error
		if n, err = f.under.Write(p[:min(fault.Short, len(p))]); err != nil {
			return n, err
		}
	}
	return n, fmt.Errorf("write %s: %w", f.path, fault.Err)
}

func (f *file) Sync() error {
	if err := f.fs.check(Sync, f.path); err != nil {
		return err
	}
	if err := f.under.Sync(); err != nil {
		return err
	}
	return f.fs.synced(f.path, f.under)
}

func (f *file) Stat() (oplog.Info, error) {
	if err := f.fs.check(Fstat, f.path); err != nil {
		return oplog.Info{}, err
	}
	return f.under.Stat()
}

func (f *file) Lock(ctx context.Context) error { return f.under.Lock(ctx) }
func (f *file) Unlock() error                  { return f.under.Unlock() }
func (f *file) Close() error                   { return f.under.Close() }
