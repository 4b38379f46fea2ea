package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"beads/internal/control"
	"beads/internal/oplog"
	"beads/internal/registry"
	"beads/internal/workspace"
)

// How the daemon of an entry can be.
const (
	Answering = "running"
	Silent    = "not answering" // its lock is held, and nobody answers on its socket
	Unknown   = "unknown"       // whether it runs cannot be seen from here
)

// How long all daemons together may take to be looked at: a file system that
// hangs, or a daemon that does, must not hold up the others.
const fleetPatience = 2 * answerPatience

// Fleet is every daemon of this user on this machine, as the registry has them.
type Fleet struct {
	Registry registry.Registry
	Sockets  control.Place
	Hostname string // of this machine
	ReadOnly bool   // leave stale entries where they are
}

// Member is one daemon.
type Member struct {
	Entry  registry.Entry
	State  string         // Answering, Silent or Unknown
	PID    int            // from the kernel if it is Answering, else as its lock file says; 0 if unknown
	Reason string         // why it is Silent or Unknown
	Status control.Status // what it said, if it is Answering
}

// List looks at the daemon of every entry, all at once, in a few seconds at
// most. An entry whose daemon is gone is left out, and removed: under that
// daemon's lock, so that it cannot be a new one's. An entry whose workspace is
// not there is removed if it was made on this machine and nobody answers, since
// a daemon leaves when its workspace goes. What cannot be decided is Unknown,
// and stays. skipped names files that are no entries.
func (f Fleet) List(ctx context.Context) (members []Member, skipped []string, err error) {
	entries, skipped, err := f.Registry.List()
	if err != nil {
		return nil, nil, err
	}
	members = concurrently(ctx, entries, f.look, func(e registry.Entry) *Member {
		return &Member{Entry: e, State: Unknown, Reason: "it cannot be looked at in " + fleetPatience.String()}
	})
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return members, skipped, nil
}

// look is what List does with one entry; nil if its daemon is gone.
func (f Fleet) look(ctx context.Context, e registry.Entry) *Member {
	m := &Member{Entry: e, State: Unknown}
	place, err := f.place(e)
	missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	if err != nil && !missing {
		m.Reason = err.Error()
		return m
	}
	m.Status, m.PID, err = ask(ctx, place, f.sockets(e))
	switch {
	case err == nil:
		m.State = Answering
	case errors.Is(err, ErrNotRunning) && e.Hostname != f.Hostname:
		return nil // another machine's: not to be seen here, and not ours to remove
	case errors.Is(err, ErrNotRunning):
		f.forget(e)
		return nil
	default:
		f.silent(m, place, err)
	}
	return m
}

// silent says what is known of a daemon that could not be asked, because of err.
func (f Fleet) silent(m *Member, place workspace.Place, err error) {
	m.Reason = strings.ReplaceAll(err.Error(), "\n", "; ")
	who, isHeld, _ := holder(place.DaemonLock())
	if m.PID == 0 {
		m.PID = who.PID
	}
	switch {
	case !isHeld: // it has just ended, or the lock cannot be tried
	case who.Hostname != "" && who.Hostname != f.Hostname:
		m.Reason = "it runs on " + who.Hostname
	default:
		m.State = Silent
	}
}

// place is the workspace of an entry, as far as finding its daemon goes.
func (f Fleet) place(e registry.Entry) (workspace.Place, error) {
	p := workspace.Place{Dir: e.Workspace}
	if e.Lock != p.DaemonLock() {
		return p, fmt.Errorf("its lock %s is not one that this version knows", e.Lock)
	}
	info, err := os.Lstat(e.Workspace)
	if err != nil {
		return p, err
	}
	if owner, known := ownerOf(info); !info.IsDir() || known && owner != f.Sockets.UID {
		return p, fmt.Errorf("%s is not a directory of this user", e.Workspace)
	}
	return p, nil
}

// sockets is where the daemon of e may listen, also when it was started in
// another environment. The path in the entry is used only if it is one that a
// daemon of that workspace would take.
func (f Fleet) sockets(e registry.Entry) control.Place {
	s := f.Sockets
	if e.Socket == "" || slices.Contains(s.Paths(e.Workspace), e.Socket) {
		return s
	}
	base := filepath.Dir(filepath.Dir(e.Socket))
	for _, other := range []control.Place{{Runtime: base, Temp: s.Temp, UID: s.UID}, {Runtime: s.Runtime, Temp: base, UID: s.UID}} {
		if slices.Contains(other.Paths(e.Workspace), e.Socket) {
			return other
		}
	}
	return s
}

// SocketsOf is where the daemon of the workspace in dir may listen: where this
// environment says, and where the registry knows it, since it may have been started in
// another one. A registry that cannot be read says nothing.
func (f Fleet) SocketsOf(dir string) control.Place {
	entries, _, err := f.Registry.List()
	if n := slices.IndexFunc(entries, func(e registry.Entry) bool { return e.Workspace == dir }); err == nil && n >= 0 {
		return f.sockets(entries[n])
	}
	return f.Sockets
}

// forget removes an entry whose daemon is gone. It holds the lock meanwhile, if
// there is one to hold: a daemon that starts now waits for that, and its entry
// comes later. A failure leaves an entry that the next look finds again.
func (f Fleet) forget(e registry.Entry) {
	if f.ReadOnly {
		return
	}
	path := workspace.Place{Dir: e.Workspace}.DaemonLock()
	if regular(path) {
		lock, err := oplog.OpenLock(path)
		if err != nil {
			return
		}
		defer lock.Close()
		if free, err := lock.TryLock(); err != nil || !free {
			return
		}
	}
	_ = f.Registry.Remove(e)
}

// Outcome is what became of one daemon that was to be stopped.
type Outcome struct {
	Member
	Err error // nil: it has ended. Of a daemon that is Unknown: nothing was tried
}

// StopAll stops every daemon that can be, all at once, each as Stop does. One
// that ends by itself meanwhile is left out.
func (f Fleet) StopAll(ctx context.Context, force bool) (outcomes []Outcome, skipped []string, err error) {
	members, skipped, err := f.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	results := make([]*Outcome, len(members))
	var stopping sync.WaitGroup
	for i, m := range members {
		stopping.Go(func() { results[i] = f.stop(ctx, m, force) })
	}
	stopping.Wait()
	for _, o := range results {
		if o != nil {
			outcomes = append(outcomes, *o)
		}
	}
	return outcomes, skipped, nil
}

func (f Fleet) stop(ctx context.Context, m Member, force bool) *Outcome {
	if m.State == Unknown {
		return &Outcome{m, errors.New(m.Reason)}
	}
	pid, err := Stop(ctx, workspace.Place{Dir: m.Entry.Workspace}, f.sockets(m.Entry), force)
	switch {
	case errors.Is(err, ErrNotRunning):
		f.forget(m.Entry)
		return nil
	case err != nil:
		return &Outcome{m, err}
	}
	f.forget(m.Entry) // one that was killed could not
	m.PID = pid
	return &Outcome{m, nil}
}

// concurrently calls fn for every item at once and returns what it gave, without
// nil, in the items' order. A call that has not ended after fleetPatience is left
// behind, for it may hang in the kernel, and late gives the answer instead.
func concurrently[In, Out any](ctx context.Context, items []In, fn func(context.Context, In) *Out, late func(In) *Out) []Out {
	type answer struct {
		i   int
		out *Out
	}
	answers := make(chan answer, len(items))
	outs := make([]*Out, len(items))
	for i, item := range items {
		outs[i] = late(item)
		go func() { answers <- answer{i, fn(ctx, item)} }()
	}
	limit := time.NewTimer(fleetPatience)
	defer limit.Stop()
	for range items {
		select {
		case a := <-answers:
			outs[a.i] = a.out
			continue
		case <-limit.C:
		case <-ctx.Done():
		}
		break
	}
	found := make([]Out, 0, len(items))
	for _, out := range outs {
		if out != nil {
			found = append(found, *out)
		}
	}
	return found
}
