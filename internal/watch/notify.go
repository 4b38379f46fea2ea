package watch

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// attach tries to have directory d notified about, and reports whether it is;
// otherwise d is polled.
func (w *Watcher) attach(d *directory) bool {
	err := w.tryAttach(d)
	if err != nil {
		w.fallBack(d, err)
		return false
	}
	d.polled, d.reason, d.retry, d.files = false, "", false, nil
	return true
}

// permanentError is a reason for polling that trying again cannot change.
type permanentError string

func (e permanentError) Error() string { return string(e) }

func (w *Watcher) tryAttach(d *directory) error {
	if w.options.Poll {
		return permanentError("polling was asked for")
	}
	before, err := identify(d.path)
	if err != nil {
		return err
	}
	if name := w.system.network(d.path); name != "" {
		// Changes by other machines are not notified.
		return permanentError(name + " is a network file system")
	}
	if err := w.startNotify(); err != nil {
		return err
	}
	if err := w.notify.Add(d.path); err != nil {
		return err
	}
	after, err := identify(d.path)
	if err == nil && after != before {
		err = errors.New("it was replaced meanwhile")
	}
	if err != nil {
		w.forget(d)
		return err
	}
	d.self = after
	return nil
}

// fallBack makes d a polled directory. The caller looks at it, for the baseline.
func (w *Watcher) fallBack(d *directory, err error) {
	var permanent permanentError
	d.retry = !errors.As(err, &permanent)
	d.polled = true
	d.reason = fmt.Sprintf("failed to watch %s: %v", d.path, err)
}

// forget removes the watch on d, which may be gone already.
func (w *Watcher) forget(d *directory) {
	if w.notify != nil {
		_ = w.notify.Remove(d.path)
	}
}

func (w *Watcher) startNotify() error {
	if w.notify != nil {
		return nil
	}
	notify, err := w.system.start()
	if err != nil {
		return err
	}
	w.notify = notify
	go w.pump(notify)
	return nil
}

func (w *Watcher) stopNotify() {
	if w.notify != nil {
		_ = w.notify.Close() // only frees a descriptor
		w.notify = nil
	}
}

// pump empties the channels of notify into the inbox until both are closed. It
// never waits for anybody: fsnotify sends some errors while it holds the lock
// that Add and Remove need, so Run, which calls those, must not be the one who
// receives.
func (w *Watcher) pump(notify *fsnotify.Watcher) {
	events, errs := notify.Events, notify.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			w.note(e)
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			w.noteError(err)
		}
	}
}

func (w *Watcher) note(e fsnotify.Event) {
	if _, itself := w.byPath[e.Name]; itself {
		if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
			w.post(func(in *inbox) { in.gone[e.Name] = true })
		}
		return
	}
	name := filepath.Base(e.Name)
	d := w.byPath[filepath.Dir(e.Name)]
	if d == nil || !w.match(name) {
		return
	}
	// Changes of permissions alone are not told.
	for _, is := range []struct {
		bit fsnotify.Op
		op  Op
	}{
		{fsnotify.Create, Created}, {fsnotify.Write, Modified},
		{fsnotify.Remove, Removed}, {fsnotify.Rename, Renamed},
	} {
		if e.Has(is.bit) {
			w.post(func(in *inbox) { in.add(Event{Dir: d.given, Name: name, Op: is.op}) })
		}
	}
}

func (w *Watcher) noteError(err error) {
	w.post(func(in *inbox) {
		if !errors.Is(err, fsnotify.ErrEventOverflow) {
			in.failed = err
			return
		}
		for _, d := range w.dirs {
			in.add(Event{Dir: d.given, Op: Overflow})
		}
	})
}

// post changes the inbox and wakes Run.
func (w *Watcher) post(change func(*inbox)) {
	w.mu.Lock()
	change(w.inbox)
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// maxWaiting bounds the events of one directory that wait for the receiver.
const maxWaiting = 256

// inbox collects events until somebody takes them.
type inbox struct {
	order   []Event // each once
	waiting map[Event]bool
	perDir  map[string]int
	gone    map[string]bool // paths of watched directories
	failed  error           // why there is no notification any more
}

func newInbox() *inbox {
	return &inbox{waiting: map[Event]bool{}, perDir: map[string]int{}, gone: map[string]bool{}}
}

// add notes e unless the same waits already. An Overflow of its directory
// covers it.
func (in *inbox) add(e Event) {
	all := Event{Dir: e.Dir, Op: Overflow}
	if in.waiting[e] || in.waiting[all] {
		return
	}
	if e != all && in.perDir[e.Dir] < maxWaiting {
		in.push(e)
		return
	}
	kept := in.order[:0]
	for _, other := range in.order {
		if other.Dir == e.Dir {
			delete(in.waiting, other)
		} else {
			kept = append(kept, other)
		}
	}
	in.order, in.perDir[e.Dir] = kept, 0
	in.push(all)
}

func (in *inbox) push(e Event) {
	in.order = append(in.order, e)
	in.waiting[e] = true
	in.perDir[e.Dir]++
}

// shift drops the first event.
func (in *inbox) shift() {
	e := in.order[0]
	in.order = in.order[1:]
	delete(in.waiting, e)
	in.perDir[e.Dir]--
}
