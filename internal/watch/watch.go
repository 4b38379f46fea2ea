// Package watch tells that files in a few directories changed: by notification
// from the kernel, or by polling where that cannot be had.
//
// Directories are watched, not files, since editors and Git replace files. An
// event is a hint that the receiver follows up by looking for itself: events of
// one name coalesce, their order across names means little, and where some may
// have been lost the event is Overflow. What changes after [New] returned is
// never silently missed, except that polling cannot tell a file that changed
// and changed back, times included.
//
// Concurrency: the methods of a [Watcher] may be called from several
// goroutines; a [Debouncer] belongs to one.
package watch

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Op is what happened to a name.
type Op int

// What can happen. Overflow means that events of Dir were or may have been
// lost: the receiver does a full check. Its Name is "".
const (
	Modified Op = iota + 1
	Created
	Removed
	Renamed
	Overflow
)

func (o Op) String() string {
	switch o {
	case Modified:
		return "modified"
	case Created:
		return "created"
	case Removed:
		return "removed"
	case Renamed:
		return "renamed"
	case Overflow:
		return "overflow"
	}
	return fmt.Sprintf("Op(%d)", int(o))
}

// Event says what changed.
type Event struct {
	Dir  string // as passed to New
	Name string // base name
	Op   Op
}

// The values of Mode.
const (
	ModeInotify  = "inotify"
	ModeFsnotify = "fsnotify" // the notification of a system other than Linux
	ModePolling  = "polling"
)

// Options of a Watcher. The zero Options are the defaults.
type Options struct {
	Interval time.Duration // between two polls; 0: 1 s
	Verify   time.Duration // between two checks that a notified directory is still the one watched; 0: 30 s
	Poll     bool          // never use notification
	// Changed is called by Run's goroutine when Mode or Reason changed; nil:
	// nobody is told.
	Changed func(mode, reason string)
}

// system is what tests replace.
type system struct {
	start   func() (*fsnotify.Watcher, error)
	network func(path string) string // name of the network file system path lies on, or ""
}

// Watcher watches directories.
type Watcher struct {
	match   func(name string) bool
	options Options
	system  system
	events  chan Event
	ready   chan struct{} // full: the inbox has something

	// Used by New, then by Run alone; what New set up and never changes is
	// read by the pump too.
	dirs   []*directory
	byPath map[string]*directory
	notify *fsnotify.Watcher // nil: not started, or lost

	mu     sync.Mutex // guards what follows; nothing is called under it
	inbox  *inbox
	mode   string
	reason string

	close sync.Once
}

// New starts to watch: what changes after New returned is reported by Run, so
// that "New, full check, Run" misses nothing. match selects base names (nil:
// all) and is called from several goroutines. A directory about which no
// notification can be had, or that is not there, is polled, and notification
// is tried again at each poll where that may help.
//
// Without Run, Close releases a Watcher.
func New(dirs []string, match func(name string) bool, o Options) (*Watcher, error) {
	return newWatcher(dirs, match, o, system{start: fsnotify.NewWatcher, network: networkFileSystem})
}

func newWatcher(dirs []string, match func(string) bool, o Options, sys system) (*Watcher, error) {
	if len(dirs) == 0 {
		return nil, fmt.Errorf("nothing to watch")
	}
	if o.Interval <= 0 {
		o.Interval = time.Second
	}
	if o.Verify <= 0 {
		o.Verify = 30 * time.Second
	}
	if match == nil {
		match = func(string) bool { return true }
	}
	w := &Watcher{
		match: match, options: o, system: sys,
		events: make(chan Event), ready: make(chan struct{}, 1),
		byPath: map[string]*directory{}, inbox: newInbox(),
	}
	for _, given := range dirs {
		path := filepath.Clean(given)
		if w.byPath[path] == nil {
			d := &directory{given: given, path: path}
			w.byPath[path] = d
			w.dirs = append(w.dirs, d)
		}
	}
	for _, d := range w.dirs {
		if !w.attach(d) {
			d.look(w.match)
		}
	}
	w.mode, w.reason = w.judge()
	return w, nil
}

// Events is what Run sends to. It is closed when Run returns. While the
// receiver is busy, events of one name coalesce; when very many names wait,
// they become an Overflow.
func (w *Watcher) Events() <-chan Event { return w.events }

// Mode is ModeInotify or ModeFsnotify when every directory is notified about,
// else ModePolling.
func (w *Watcher) Mode() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mode
}

// Reason says why Mode is polling ("failed to watch PATH: REASON"), else "".
func (w *Watcher) Reason() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reason
}

// Close releases a Watcher that was never Run, or whose Run has returned.
// Idempotent.
func (w *Watcher) Close() error {
	w.close.Do(func() {
		w.stopNotify()
		close(w.events)
	})
	return nil
}

// Run delivers events until ctx ends, then releases everything and returns nil.
// Call it once, and not after Close.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.Close()
	verify := time.NewTicker(w.options.Verify)
	defer verify.Stop()
	poll := time.NewTicker(w.options.Interval)
	defer poll.Stop()
	polling := true
	out := newInbox()
	for {
		if polls := w.polls(); polls != polling {
			if polling = polls; polling {
				poll.Reset(w.options.Interval)
			} else {
				poll.Stop()
			}
		}
		w.tell()
		var events chan Event
		var next Event
		if len(out.order) > 0 {
			events, next = w.events, out.order[0]
		}
		select {
		case <-ctx.Done():
			return nil
		case events <- next:
			out.shift()
		case <-w.ready:
			w.receive(out)
		case <-poll.C:
			w.poll(out)
		case <-verify.C:
			w.verify(out)
		}
	}
}

// poll is one look at every polled directory.
func (w *Watcher) poll(out *inbox) {
	for _, d := range w.dirs {
		switch {
		case !d.polled:
		case d.retry && w.attach(d):
			// From the last look until now nobody was watching.
			out.add(Event{Dir: d.given, Op: Overflow})
		default:
			for _, e := range d.look(w.match) {
				out.add(e)
			}
		}
	}
}

// verify finds directories that were replaced without a word: when a directory
// above is renamed, or another file system is mounted over one, the watch
// stays on what it was.
func (w *Watcher) verify(out *inbox) {
	for _, d := range w.dirs {
		if id, err := identify(d.path); !d.polled && (err != nil || id != d.self) {
			w.lost(d, out)
		}
	}
}

// receive takes over what the pump collected.
func (w *Watcher) receive(out *inbox) {
	w.mu.Lock()
	in := w.inbox
	w.inbox = newInbox()
	w.mu.Unlock()
	for _, e := range in.order {
		out.add(e)
	}
	if in.failed != nil {
		w.stopNotify()
		for _, d := range w.dirs {
			if !d.polled {
				w.fallBack(d, in.failed)
				d.look(w.match)
				out.add(Event{Dir: d.given, Op: Overflow})
			}
		}
		return
	}
	for path := range in.gone {
		if d := w.byPath[path]; !d.polled {
			w.lost(d, out)
		}
	}
}

// lost handles a directory that the path does not name any more, or that may
// be another one by now.
func (w *Watcher) lost(d *directory, out *inbox) {
	w.forget(d)
	if !w.attach(d) {
		d.look(w.match)
	}
	out.add(Event{Dir: d.given, Op: Overflow})
}

func (w *Watcher) polls() bool {
	for _, d := range w.dirs {
		if d.polled {
			return true
		}
	}
	return false
}

// judge says what Mode and Reason are.
func (w *Watcher) judge() (mode, reason string) {
	for _, d := range w.dirs {
		if d.polled {
			return ModePolling, d.reason
		}
	}
	if runtime.GOOS == "linux" {
		return ModeInotify, ""
	}
	return ModeFsnotify, ""
}

// tell publishes Mode and Reason.
func (w *Watcher) tell() {
	mode, reason := w.judge()
	w.mu.Lock()
	same := mode == w.mode && reason == w.reason
	w.mode, w.reason = mode, reason
	w.mu.Unlock()
	if !same && w.options.Changed != nil {
		w.options.Changed(mode, reason)
	}
}
