package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
	"beads/internal/workspace"
)

// A site is one replica: a repository with a workspace on a machine of its own,
// whose clock is wrong and whose disk may fail.
type site struct {
	*world
	name    string
	by      string // who works there
	dir     string
	skew    time.Duration // what its clock is off by
	random  io.Reader
	disk    *faultfs.FS
	faulty  bool // a fault is armed: any call may fail
	session string

	archive func() func(yield func([]byte) error) error // of its Git ref; nil: none

	claims    []workspace.Claim      // acknowledged here
	opened    *workspace.Workspace   // nil: to be opened
	abandoned []*workspace.Workspace // as a crash leaves them
}

// unsynced is the real file system without the time that fsync takes. What an
// fsync made durable is for faultfs to know.
type unsynced struct{ oplog.OS }

type unsyncedFile struct{ oplog.File }

func (f unsynced) Open(path string, create bool) (oplog.File, error) {
	file, err := f.OS.Open(path, create)
	return unsyncedFile{file}, err
}

func (unsynced) SyncDir(string) error { return nil }

func (unsyncedFile) Sync() error { return nil }

// skews are the errors of clocks, some beyond what others follow.
var skews = []time.Duration{
	0, 0, time.Millisecond, -time.Second, 3 * time.Minute, -7 * time.Minute, time.Hour, -4 * time.Hour, 4 * time.Hour,
	23 * time.Hour, 30 * time.Hour, -50 * time.Hour, 9 * 24 * time.Hour,
}

// newSite makes a repository with a workspace.
func newSite(w *world, n int) *site {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], w.seed)
	key[31] = byte(n + 1)
	s := &site{
		world: w, name: string(rune('a' + n)), skew: pick(w, skews),
		random: rand.NewChaCha8(key), disk: faultfs.New(unsynced{}),
	}
	s.by, s.dir = s.name, filepath.Join(w.top, s.name)
	s.makeRepository()
	s.init()
	return s
}

// makeRepository makes by hand what git init would: it is made thousands of
// times.
func (s *site) makeRepository() {
	config := fmt.Sprintf("[core]\n\trepositoryformatversion = 0\n\tbare = false\n"+
		"[user]\n\tname = %s\n\temail = %s@invalid\n[remote \"origin\"]\n\turl = %s.remote\n", s.name, s.name, s.dir)
	for _, dir := range []string{"objects", "refs"} {
		s.must(os.MkdirAll(filepath.Join(s.dir, ".git", dir), 0o755))
	}
	s.must(os.WriteFile(filepath.Join(s.dir, ".git", "HEAD"), []byte("ref: refs/heads/main\n"), 0o644))
	s.must(os.WriteFile(filepath.Join(s.dir, ".git", "config"), []byte(config), 0o644))
}

// init makes the workspace; what it holds then is acknowledged.
func (s *site) init() {
	s.Helper()
	opened, _, err := workspace.Init(s.Context(), s.place(), "bd", s.options())
	s.must(err)
	s.opened = opened
	for _, l := range s.lines() {
		s.reached(s, l.id, []byte(l.text))
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (s *site) place() workspace.Place {
	s.Helper()
	p, err := workspace.Find(s.dir, "", func(string) string { return "" })
	s.must(err)
	return p
}

// clock is the time that the site believes it is.
func (s *site) clock() time.Time { return s.now.Add(s.skew) }

func (s *site) options() workspace.Options {
	o := workspace.Options{
		FS: s.disk, Now: s.clock, Rand: s.random, Actor: func() string { return s.by }, Session: s.session, Command: "sim",
	}
	if s.archive != nil {
		o.Archive = s.archive()
	}
	return o
}

// workspace opens the workspace unless it is open.
func (s *site) workspace() (*workspace.Workspace, error) {
	if s.opened != nil {
		return s.opened, nil
	}
	opened, err := workspace.Open(s.Context(), s.place(), s.options())
	s.opened = opened
	return opened, err
}

func (s *site) close() {
	if s.opened != nil {
		if err := s.opened.Close(); err != nil {
			s.Errorf("%s: close: %v", s.name, err)
		}
		s.opened = nil
	}
}

// restart ends the site's process, in order or not, and begins another.
func (s *site) restart() {
	if s.chance(30) && s.opened != nil {
		s.trouble("%s crashes", s.name)
		s.abandoned, s.opened = append(s.abandoned, s.opened), nil
	} else {
		s.note("%s restarts", s.name)
		s.close()
	}
	s.session = pick(s.world, []string{"", "", "s1", "s2"})
}

// setClock sets the site's clock, forward or back.
func (s *site) setClock() {
	s.skew = pick(s.world, skews)
	s.trouble("%s sets its clock to %v off", s.name, s.skew)
}

// write is Commit. It notes what was acknowledged, and demands that every id is
// greater than all that its issue had here.
func (s *site) write(what string, decide func(*workspace.Tx) ([]workspace.Draft, error)) (made []*op.Operation, err error) {
	s.Helper()
	opened, err := s.workspace()
	var drafts []workspace.Draft
	latest := map[string]op.ID{}
	if err == nil {
		made, err = opened.Commit(s.Context(), func(tx *workspace.Tx) ([]workspace.Draft, error) {
			if drafts, err = decide(tx); err != nil {
				return nil, err
			}
			for _, d := range drafts {
				if latest[d.Op.Issue], err = tx.IssueMaxID(d.Op.Issue); err != nil {
					return nil, err
				}
			}
			return drafts, nil
		})
	}
	lines := map[op.ID][]byte{}
	for _, d := range drafts {
		text := d.Line
		if text == nil {
			if text, _ = op.Encode(d.Op); text == nil {
				continue // it got no id
			}
			if last := latest[d.Op.Issue]; d.Op.Legacy == nil && !d.Op.ID.IsZero() && d.Op.ID.Compare(last) <= 0 {
				s.Errorf("%s: id %s of %s is not after %s", s.name, d.Op.ID, what, last)
			}
			latest[d.Op.Issue] = d.Op.ID
		}
		lines[d.Op.ID] = text
		s.attempted[line{d.Op.ID, string(text)}] = true
	}
	switch {
	case err == nil:
		for _, o := range made {
			s.reached(s, o.ID, lines[o.ID])
		}
	case errors.Is(err, workspace.ErrVoid), errors.Is(err, op.ErrClockExhausted), s.faulty:
	default:
		s.Fatalf("%s: %s: %v", s.name, what, err)
	}
	s.note("%s %s: %s", s.name, what, outcome(made, err))
	return made, err
}

// outcome is what the trace says: not the text of errors, which may name
// directories.
func outcome(made []*op.Operation, err error) string {
	switch {
	case errors.Is(err, workspace.ErrVoid):
		return "void"
	case errors.Is(err, op.ErrClockExhausted):
		return "clock exhausted"
	case err != nil:
		return "failed"
	case len(made) > 4:
		return fmt.Sprintf("%d operations", len(made))
	}
	var ids []string
	for _, o := range made {
		ids = append(ids, o.ID.String())
	}
	return strings.Join(ids, " ")
}

// underFault lets the disk fail while something is done.
func (s *site) underFault(do func()) {
	fault := pick(s.world, []faultfs.Fault{
		{Call: faultfs.Write, Err: syscall.ENOSPC, Short: 1 + s.rand.IntN(200)},
		{Call: faultfs.Write, Err: syscall.ENOSPC, Keep: true},
		{Call: faultfs.Write, Err: syscall.EIO, N: 2},
		// Both files are fsynced at once: which call comes first is not ours
		// to decide, so both fail.
		{Call: faultfs.Sync, Err: syscall.EIO, Keep: true},
		{Call: faultfs.Open, Err: syscall.EMFILE, N: 1 + s.rand.IntN(4)},
		{Call: faultfs.Fstat, Err: syscall.EIO, N: 1 + s.rand.IntN(8)},
		{Call: faultfs.Read, Err: syscall.EIO, N: 1 + s.rand.IntN(4), Keep: s.chance(50)},
		{Call: faultfs.Any, Err: syscall.EIO, N: 1 + s.rand.IntN(60), Keep: true}, // it breaks off there
	})
	s.trouble("%s has a disk whose %s fails from call %d on, keep=%v short=%d", s.name, fault.Call, fault.N, fault.Keep, fault.Short)
	s.faulty = true
	s.disk.Fail(fault)
	do()
	s.disk.Clear()
	s.faulty = false
}

// heal brings the copies of a site together.
func (s *site) heal() {
	s.Helper()
	opened, err := s.workspace()
	if err == nil {
		_, err = opened.Refresh(s.Context(), false)
	}
	if err != nil {
		s.Fatalf("%s: refresh: %v", s.name, err)
	}
}

// losePower takes away what was not fsynced, and sometimes the database.
func (s *site) losePower() {
	s.heal()
	s.underFault(s.change)
	nuls, all := s.chance(50), s.chance(50)
	s.trouble("%s loses power, nuls=%v database=%v", s.name, nuls, all)
	s.close()
	s.must(s.disk.PowerLoss(nuls))
	if all {
		s.removeDatabase()
	}
}

// Context is the one that the site's calls get.
func (s *site) Context() context.Context { return s.TB.Context() }
