package oplog

import (
	"errors"
	"fmt"
	"io/fs"
)

// Pair is the log with its guard copy: independent files that get the same
// lines. The caller holds the locks of both.
type Pair struct {
	Log   *Log
	Guard *Log // nil: there is no guard

	// Allow is asked before a file that took the place of an open one is
	// written to, since it may be the user's (tracked by Git). An error means
	// no. nil allows all.
	Allow func(path string) error
}

// PairCursors are the cursors of both copies.
type PairCursors struct {
	Log, Guard Cursor
	// Replaced: a path named another file, or none, after the append. The
	// lines are in the new file too; its cursor is worthless. The caller opens
	// both again and does a full check before it appends once more.
	Replaced bool
}

// maxReplaced bounds how often one append follows a path that is replaced
// again and again.
const maxReplaced = 8

// Append writes lines to the log and then to the guard, as [Log.Append] does,
// fsyncs both at once (one journal commit of the file system then serves both,
// which halves the time), and compares both with their paths. It returns nil
// only when the lines are durable in every copy that there is.
//
// After an error the cursors returned are from; appending twice is harmless (an
// operation's id makes it idempotent), so the caller may append the same lines
// again through freshly opened files.
//
// A copy whose directory is gone, or that Allow refuses, is reported by
// Replaced alone as long as the other copy is in its place.
func (p *Pair) Append(lines [][]byte, from PairCursors) (PairCursors, error) {
	if len(lines) == 0 {
		from.Replaced = false
		return from, nil
	}
	a, err := p.Start(lines, from)
	if err != nil {
		from.Replaced = false
		return from, err
	}
	return a.Finish()
}

// Appending is an append whose lines were written and are not yet durable.
type Appending struct {
	pair       *Pair
	lines      [][]byte
	from       PairCursors
	log, guard written
	synced     chan error // one for each copy
	finished   bool
	end        PairCursors
	err        error
}

// Start is the first part of Append: the lines are written, and the disk has
// begun to make them durable. Finish must be called.
func (p *Pair) Start(lines [][]byte, from PairCursors) (*Appending, error) {
	from.Replaced = false
	a := &Appending{pair: p, lines: lines, from: from, synced: make(chan error, 2)}
	var err error
	if a.log, err = p.Log.write(lines); err != nil {
		return nil, err
	}
	if p.Guard != nil {
		if a.guard, err = p.Guard.write(lines); err != nil {
			return nil, err
		}
		go func() { a.synced <- p.Guard.sync(a.guard) }()
	}
	go func() { a.synced <- p.Log.sync(a.log) }()
	return a, nil
}

// Finish waits until the lines are durable, and returns what Append does. Called
// again it says the same.
func (a *Appending) Finish() (PairCursors, error) {
	if !a.finished {
		a.finished = true
		a.end, a.err = a.finish()
	}
	return a.end, a.err
}

func (a *Appending) finish() (PairCursors, error) {
	p, to := a.pair, a.from
	err := <-a.synced
	if p.Guard != nil {
		err = errors.Join(err, <-a.synced)
	}
	if err != nil {
		return a.from, err
	}
	to.Log = p.Log.advance(to.Log, a.log)
	if p.Guard != nil {
		to.Guard = p.Guard.advance(to.Guard, a.guard)
	}
	if err := p.settle(a.lines, &to.Replaced); err != nil {
		a.from.Replaced = to.Replaced
		return a.from, err
	}
	return to, nil
}

// settle makes sure that the paths name files which have the lines.
func (p *Pair) settle(lines [][]byte, replaced *bool) error {
	inPlace := 0
	var lost error
	for _, l := range []*Log{p.Log, p.Guard} {
		if l == nil {
			continue
		}
		err := p.follow(l, lines, replaced)
		var gone *goneError
		switch {
		case err == nil:
			inPlace++
		case errors.As(err, &gone):
			lost = err
		default:
			return err
		}
	}
	if inPlace == 0 {
		return lost
	}
	return nil
}

// goneError: the place of a copy cannot take it any more.
type goneError struct {
	path string
	err  error
}

func (e *goneError) Error() string {
	return fmt.Sprintf("%s was replaced while it was written: %v", e.path, e.err)
}

func (e *goneError) Unwrap() error { return e.err }

// follow appends lines to whatever file l's path names now, until it is one
// that has them.
func (p *Pair) follow(l *Log, lines [][]byte, replaced *bool) error {
	named := l
	defer func() {
		if named != l {
			_ = named.Close() // everything in it is fsynced
		}
	}()
	for range maxReplaced {
		current, err := named.Current()
		if current || err != nil {
			return err
		}
		*replaced = true
		if p.Allow != nil {
			if err := p.Allow(l.path); err != nil {
				return &goneError{l.path, err}
			}
		}
		next, err := Open(l.fs, l.path, true)
		if errors.Is(err, fs.ErrNotExist) {
			return &goneError{l.path, err}
		}
		if err != nil {
			return err
		}
		if named != l {
			_ = named.Close()
		}
		named = next
		if _, err := named.Append(lines, Cursor{}); err != nil {
			return err
		}
	}
	return &goneError{l.path, fmt.Errorf("%d times", maxReplaced)}
}
