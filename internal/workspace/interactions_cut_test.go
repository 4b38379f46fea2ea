package workspace_test

import (
	"syscall"
	"testing"

	"beads/internal/oplog"
	"beads/internal/oplog/faultfs"
)

// TestInteractionsLostOneByOne: the copies are cut one after the other, with nothing
// but reading or writing of issues in between.
func TestInteractionsLostOneByOne(t *testing.T) {
	for name, command := range map[string]func(f *fixture){
		"reading": func(f *fixture) { f.titles() },
		"writing": func(f *fixture) { f.file("an issue") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.record("one", "two")
			for _, harm := range []func(){
				func() { f.write(f.notesGuard(), "") },
				func() { f.write(f.notesPath(), "") },
				func() { f.remove(f.place().Dir) },
				func() { f.remove(f.notesGuard()) },
				func() { f.remove(f.notesPath()) },
				func() { f.remove(f.place().DB + "*") },
			} {
				harm()
				command(f)
			}
			f.wantPrompts("one", "two")
			f.equalNotes()
		})
	}
}

// TestInteractionsCannotBePutBack: issues are written nevertheless.
func TestInteractionsCannotBePutBack(t *testing.T) {
	f := newFixture(t)
	f.record("one")
	f.write(f.notesGuard(), "")
	faulty := faultfs.New(oplog.OS{})
	faulty.Fail(faultfs.Fault{Err: syscall.ENOSPC, Call: faultfs.Write, Path: "interactions.jsonl", N: 1, Keep: true})
	f.fs = faulty
	f.file("an issue")
	f.want("an issue")
	f.fs = nil
	f.wantPrompts("one")
	f.equalNotes()
}
