package daemonlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"beads/internal/oplog"
	"beads/internal/watch"
	"beads/internal/workspace"
)

const (
	outputLines = 1000     // that are no entries, kept with the entry before them
	lineLimit   = 64 << 10 // bytes of one line; the rest of it is dropped
)

// ErrNone is what Read fails with where no daemon has written a log yet.
var ErrNone = errors.New("no daemon log yet")

// Query chooses entries of the log.
type Query struct {
	Since  time.Time  // zero: from the beginning
	Level  slog.Level // and above
	Last   int        // so many at most, of those that are there; 0: all
	Follow bool       // go on with what is written, until the context ends

	// Flushed is called when everything that is there has been yielded, again
	// and again while following. nil: nobody is told.
	Flushed func() error
}

// Read yields the chosen entries, oldest first, across rotations; an entry's
// Output is that which was there when the next entry, or the end, was met. No
// daemon needs to run. An error of yield or Flushed ends it and is returned; the
// end of ctx while following is none.
func Read(ctx context.Context, p workspace.Place, q Query, yield func(Entry) error) (err error) {
	r := &reader{dir: p.Dir, query: q, yield: yield}
	defer func() { err = errors.Join(err, r.close()) }()
	var events <-chan watch.Event
	if q.Follow {
		watching, stop := context.WithCancel(ctx)
		w, ended, err := watchLog(watching, p.Dir)
		if err != nil {
			stop()
			return err
		}
		defer func() { stop(); <-ended }()
		events = w.Events()
	}
	if err := r.advance(ctx); err != nil {
		return err
	}
	if r.file == nil && !q.Follow {
		return fmt.Errorf("%w: %s", ErrNone, filepath.Join(p.Dir, Name))
	}
	if err := r.caughtUp(); err != nil || !q.Follow {
		return err
	}
	for range events { // closed when ctx ends
		if err := r.advance(ctx); err != nil {
			return err
		}
		if err := r.caughtUp(); err != nil {
			return err
		}
	}
	return nil
}

// watchLog tells of changes of the log until ctx ends; then ended is closed.
func watchLog(ctx context.Context, dir string) (w *watch.Watcher, ended <-chan struct{}, err error) {
	w, err = watch.New([]string{dir}, func(name string) bool { return name == Name }, watch.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Run(ctx) // it never fails
	}()
	return w, done, nil
}

// reader reads file after file. The file that is read stays open, so that a
// rotation loses nothing.
type reader struct {
	dir   string
	query Query
	yield func(Entry) error

	file  *os.File
	past  map[string]bool // rotated files that were read: when the clock was set back, their names come later
	lines *bufio.Reader
	begun []byte // a line whose end is not there yet

	held *Entry // may still get output
	last []Entry
	live bool // what was there is yielded
}

func (r *reader) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// advance reads everything there is from where it stands on.
func (r *reader) advance(ctx context.Context) error {
	for ctx.Err() == nil {
		if r.file != nil {
			if err := r.read(); err != nil {
				return err
			}
		}
		next, err := r.next()
		if err != nil || next == nil {
			return err
		}
		if err := r.move(next); err != nil {
			return err
		}
	}
	return nil
}

// move goes on with the next file. The one before gets nothing more, now that
// there is a next one; what it got since it was read to its end is read first.
func (r *reader) move(next *os.File) error {
	if r.file != nil {
		if err := errors.Join(r.read(), r.close()); err != nil {
			return errors.Join(err, next.Close())
		}
	}
	rest := r.begun // of a file that ends in the middle of a line
	r.file, r.begun, r.lines = next, nil, bufio.NewReaderSize(next, 64<<10)
	return r.take(rest)
}

// next opens the file after the one that is read; nil if that is the last.
func (r *reader) next() (*os.File, error) {
	names, err := files(r.dir)
	for err == nil {
		at, err := r.position(names)
		if err != nil || at == len(names) {
			return nil, err
		}
		f, err := OpenFile(filepath.Join(r.dir, names[at]))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		// After a rotation meanwhile, the name is another file's.
		again, listErr := files(r.dir)
		if err == nil && listErr == nil && slices.Equal(names, again) {
			return f, nil
		}
		if err == nil {
			listErr = errors.Join(listErr, f.Close())
		}
		if listErr != nil {
			return nil, listErr
		}
		names = again
	}
	return nil, err
}

// position is where in names the file after the one that is read stands.
func (r *reader) position(names []string) (int, error) {
	if r.file == nil {
		return 0, nil
	}
	self, err := r.file.Stat()
	if err != nil {
		return 0, err
	}
	for n, name := range names {
		if info, err := os.Lstat(filepath.Join(r.dir, name)); err != nil || !os.SameFile(info, self) {
			continue
		}
		if r.past == nil {
			r.past = map[string]bool{}
		}
		if name != Name {
			r.past[name] = true
		}
		for n++; n < len(names) && r.past[names[n]]; n++ {
		}
		return n, nil
	}
	// It was removed; only the newest is certain not to have been read.
	return max(len(names)-1, 0), nil
}

// files are the log's files, oldest first. Rotated ones carry the time of
// their rotation in their names.
func files(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	stem := strings.TrimSuffix(Name, ".log") + "-"
	current := false
	for _, entry := range entries { // sorted
		name := entry.Name()
		current = current || name == Name
		stamp, ok := strings.CutPrefix(strings.TrimSuffix(name, ".log"), stem)
		if _, err := time.Parse("2006-01-02T15-04-05.000", stamp); ok && err == nil && strings.HasSuffix(name, ".log") {
			names = append(names, name)
		}
	}
	if current {
		names = append(names, Name)
	}
	return names, nil
}

// OpenFile opens a regular file, not a link: the workspace may come from a
// hostile repository.
func OpenFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|oplog.NoFollow, 0)
	if err != nil {
		return nil, fmt.Errorf("daemon log: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("daemon log %s is not a regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// read takes the lines up to the file's end.
func (r *reader) read() error {
	for {
		part, err := r.lines.ReadSlice('\n')
		if room := lineLimit - len(r.begun); room > 0 {
			r.begun = append(r.begun, part[:min(len(part), room)]...)
		}
		switch {
		case err == nil:
			line := r.begun
			r.begun = nil
			if err := r.take(line); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("daemon log: %w", err)
		}
	}
}

// take handles one line.
func (r *reader) take(line []byte) error {
	entry := ParseEntry(line)
	if entry != nil {
		err := r.release()
		r.held = entry
		return err
	}
	text := string(bytes.TrimRight(line, "\r\n"))
	if text == "" {
		return nil
	}
	if r.held == nil { // also what follows an entry that was yielded already
		r.held = &Entry{Message: text, Metadata: map[string]any{}}
		return nil
	}
	r.held.add(text)
	return nil
}

// release lets go of the entry that is held.
func (r *reader) release() error {
	e := r.held
	if r.held = nil; e == nil || e.level() < r.query.Level || e.Timestamp.Before(r.query.Since) {
		return nil
	}
	if r.live || r.query.Last <= 0 {
		return r.yield(*e)
	}
	if len(r.last) == r.query.Last {
		r.last = r.last[1:] // append moves it to the front of new room now and then
	}
	r.last = append(r.last, *e)
	return nil
}

// caughtUp yields what was kept back.
func (r *reader) caughtUp() error {
	if err := r.release(); err != nil {
		return err
	}
	for _, e := range r.last {
		if err := r.yield(e); err != nil {
			return err
		}
	}
	r.last, r.live = nil, true
	if r.query.Flushed == nil {
		return nil
	}
	return r.query.Flushed()
}
