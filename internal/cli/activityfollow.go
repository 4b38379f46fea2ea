package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"beads/internal/control"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/watch"
	"beads/internal/workspace"
)

// arrivedAtOnce is how many operations a follower reads before it prints them:
// nothing is printed while the database is being read, since whoever reads our
// output may be slow, and would keep SQLite from tidying up.
const arrivedAtOnce = 500

// follower prints operations as they come. Rows of the database are numbered in
// the order they came, so that a number says how far it is. A database that was
// built anew may number them otherwise: then what has been seen tells.
type follower struct {
	a       *app
	ws      *workspace.Workspace
	choice  projection.Activity
	after   int64            // the last row seen
	at      lineKey          // and what is in it
	seen    map[lineKey]bool // every line that was there or has been shown
	rewound bool             // after may stand before rows that have been seen
	page    bytes.Buffer     // what is to be printed next
}

// lineKey is half of a line's hash, which is enough to tell lines apart.
type lineKey [16]byte

func keyOf(hash [32]byte) lineKey { return lineKey(hash[:16]) }

// followActivity shows what is there and goes on with what comes. It ends with
// the context, which is how people stop it, and that is no failure.
func (a *app) followActivity(cmd *cobra.Command, flags *activityFlags) error {
	// A wrong flag is told at once, and the id of another workspace leads there.
	err := a.view(cmd, func(q *projection.Query) error {
		_, err := flags.choice(a, q)
		return err
	})
	if err != nil {
		return err
	}
	w := a.ws
	ctx, cancel := context.WithCancel(cmd.Context())
	// Before the first look, so that nothing falls between.
	woken, stop, err := a.wakeups(ctx, w.Place())
	if err != nil {
		cancel()
		return err
	}
	defer func() { cancel(); stop() }()
	f := &follower{a: a, ws: w, seen: map[lineKey]bool{}}
	for err = f.begin(ctx, flags); err == nil; err = f.step(ctx) {
		select {
		case <-ctx.Done():
			return nil
		case <-woken:
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// begin shows what is there and remembers how far that is.
func (f *follower) begin(ctx context.Context, flags *activityFlags) error {
	err := f.view(ctx, func(q *projection.Query) (err error) {
		if f.choice, err = flags.choice(f.a, q); err != nil {
			return err
		}
		entries, err := q.Recent(f.choice)
		if err != nil {
			return err
		}
		f.render(q, entries)
		return q.EachHash(func(seq int64, hash [32]byte) {
			f.seen[keyOf(hash)] = true
			if seq > f.after {
				f.after, f.at = seq, keyOf(hash)
			}
		})
	})
	if err != nil {
		return err
	}
	return f.print()
}

// step shows everything that has come since.
func (f *follower) step(ctx context.Context) error {
	for more := true; more; {
		err := f.view(ctx, func(q *projection.Query) error {
			entries, err := f.next(q)
			more = len(entries) > 0
			f.render(q, slices.DeleteFunc(entries, func(e projection.HistoryEntry) bool { return !f.choice.Chosen(&e) }))
			return err
		})
		if err == nil {
			err = f.print()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// view runs fn on what the files hold now. Someone who keeps the write lock is
// waited for: there is no hurry.
func (f *follower) view(ctx context.Context, fn func(*projection.Query) error) error {
	for {
		err := f.ws.ViewLatest(ctx, fn)
		var locked *workspace.LockedError
		if !errors.As(err, &locked) || ctx.Err() != nil {
			return err
		}
		f.a.notice(err.Error() + "; still waiting")
	}
}

// next are the first entries that have not been seen; none if all have been. Its
// state moves only when it succeeds.
func (f *follower) next(q *projection.Query) ([]projection.HistoryEntry, error) {
	if hash, err := q.HashAt(f.after); err != nil {
		return nil, err
	} else if keyOf(hash) != f.at {
		if err := f.rewind(q); err != nil {
			return nil, err
		}
	}
	for {
		entries, last, err := q.Arrived(f.after, arrivedAtOnce)
		if err != nil {
			return nil, err
		}
		fresh := slices.Clone(entries)
		fresh = slices.DeleteFunc(fresh, func(e projection.HistoryEntry) bool { return f.seen[keyOf(op.Hash(e.Line))] })
		if len(fresh) < len(entries) && !f.rewound {
			if err := f.rewind(q); err != nil {
				return nil, err
			}
			continue
		}
		for _, e := range entries {
			f.at = keyOf(op.Hash(e.Line))
			f.seen[f.at] = true
		}
		f.after, f.rewound = last, f.rewound && len(entries) > 0
		if len(fresh) > 0 || len(entries) == 0 {
			return fresh, nil
		}
	}
}

// rewind goes back, after the rows were numbered anew, to before the first row
// that has not been seen.
func (f *follower) rewind(q *projection.Query) error {
	first, last := int64(math.MaxInt64), int64(0)
	err := q.EachHash(func(seq int64, hash [32]byte) {
		last = max(last, seq)
		if !f.seen[keyOf(hash)] {
			first = min(first, seq)
		}
	})
	if err != nil {
		return err
	}
	f.after, f.rewound = min(first-1, last), true
	hash, err := q.HashAt(f.after)
	f.at = keyOf(hash)
	return err
}

// render writes entries to the page.
func (f *follower) render(q *projection.Query, entries []projection.HistoryEntry) {
	a, out := f.a, f.a.out
	f.page.Reset()
	a.out = bufio.NewWriter(&f.page)
	encoder := json.NewEncoder(a.dataOutput())
	encoder.SetEscapeHTML(false)
	for _, e := range entries {
		if a.json {
			_ = encoder.Encode(newActivityEvent(e)) // a buffer takes everything, and an event is always JSON
			continue
		}
		a.printActivityLine(q, e)
	}
	_ = a.out.Flush()
	a.out = out
}

// print writes the page out at once.
func (f *follower) print() error {
	if _, err := f.page.WriteTo(f.a.out); err != nil {
		return err
	}
	return f.a.out.Flush()
}

// wakeups tells when there may be something new, until ctx ends; stop waits for
// that. The log is watched, and a daemon that runs or comes tells of what it has
// taken in: either alone is enough, so that nothing is lost while a daemon stops
// or starts, and a daemon that polls a slow disk for all of us still counts.
func (a *app) wakeups(ctx context.Context, place workspace.Place) (woken <-chan struct{}, stop func(), err error) {
	lock := filepath.Base(place.DaemonLock())
	watcher, err := watch.New([]string{place.Dir}, func(name string) bool {
		return name == "issues.jsonl" || name == lock || a.readonly && name == filepath.Base(place.DB)+"-wal"
	}, watch.Options{})
	if err != nil {
		return nil, nil, err
	}
	wake, daemonMoved := make(chan struct{}, 1), make(chan struct{}, 1)
	daemonMoved <- struct{}{} // one may run already
	var running sync.WaitGroup
	running.Go(func() { _ = watcher.Run(ctx) }) // it never fails
	running.Go(func() {
		for event := range watcher.Events() { // closed when ctx ends
			nudge(wake)
			if event.Name == lock || event.Op == watch.Overflow {
				nudge(daemonMoved)
			}
		}
	})
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-daemonMoved: // its lock is written when it begins, every 30 s, and when it ends
			}
			a.hearDaemon(ctx, place, func() { nudge(wake) })
		}
	})
	return wake, func() { running.Wait(); _ = watcher.Close() }, nil
}

// hearDaemon calls wake for whatever the daemon has taken in, until that ends.
// Why it ended does not matter: the log is watched, too.
func (a *app) hearDaemon(ctx context.Context, place workspace.Place, wake func()) {
	sockets := a.socketsOf(place)
	client, err := control.Connect(ctx, sockets.Paths(place.Dir), sockets.UID)
	if err != nil {
		return
	}
	_ = client.Events(ctx, func(e control.Event) error {
		if e.Kind == control.AppliedEvent {
			wake()
		}
		return nil
	})
	wake()
}

// nudge makes the reader of c look once more.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
