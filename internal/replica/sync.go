package replica

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"beads/internal/git"
	"beads/internal/workspace"
)

// MaxAttempts is how often a step tries to push before it leaves it to the next.
const MaxAttempts = 8

// A lost race is tried again after a time that doubles with every attempt.
const (
	maxLocked = 10 // so many take longer than lockAge
	retryBase = 50 * time.Millisecond
	retryMost = 30 * time.Second
)

// Sync does one whole step: it fetches and unites before it publishes and
// pushes. Without a pinned remote it only brings the workspace and our ref
// together. When the remote fails, our own ref is brought up to date all the
// same and the failure is returned with the report of what was done.
func (r *Replica) Sync(ctx context.Context, o SyncOptions) (Report, error) {
	return r.run(ctx, o, func(ctx context.Context, s *step) error {
		remoteErr := s.choose(ctx)
		if remoteErr != nil && o.Publish {
			return remoteErr
		}
		return s.race(ctx, func() error {
			s.report.Attempts++
			return s.once(ctx, remoteErr)
		})
	})
}

// once does one whole step; remoteErr is what has failed so far.
func (s *step) once(ctx context.Context, remoteErr error) error {
	if s.pin != nil && (!s.want.NoFetch || !s.want.NoPush && s.joining()) {
		defer s.askAhead(ctx)()
		if err := s.publishAhead(ctx); err != nil {
			return err
		}
		remoteErr = s.fetch(ctx)
	}
	if err := s.publish(ctx); err != nil {
		return errors.Join(remoteErr, err)
	}
	if remoteErr == nil && !s.want.Join {
		if err := s.consolidate(ctx); err != nil {
			return err
		}
	}
	if s.pin == nil || s.want.NoPush || remoteErr != nil {
		return remoteErr
	}
	return s.push(ctx)
}

// race does something again and again while others move the refs, or hold them:
// another clone on the remote, here the git of a process that was killed. A git
// that is told to end while it makes a lock leaves it behind; what nobody has
// taken away by lockAge is removed here.
func (s *step) race(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		began := s.opts.Now()
		err := do()
		lost := errors.Is(err, git.ErrStale) || errors.Is(err, git.ErrLocked) ||
			errors.Is(err, git.ErrNonFastForward) && !s.want.NoFetch
		locked := errors.Is(err, git.ErrLocked)
		if !lost || ctx.Err() != nil || attempt >= maxLocked || attempt >= MaxAttempts && !locked {
			return err
		}
		if err := s.pause(ctx, attempt, began); err != nil {
			return err
		}
		if locked {
			s.git.Tidy(refPrefix, lockAge, s.opts.Now())
		}
		if err := s.readRefs(ctx); err != nil {
			return err
		}
	}
}

// Publish brings our ref up to date with the workspace, and the workspace with
// our ref. It needs no remote.
func (r *Replica) Publish(ctx context.Context) (Report, error) {
	return r.run(ctx, SyncOptions{}, func(ctx context.Context, s *step) error {
		return s.race(ctx, func() error { return s.publish(ctx) })
	})
}

// Fetch brings what the pinned remote has to the workspace and to our ref. It
// fails with ErrNotPinned where there is none.
func (r *Replica) Fetch(ctx context.Context) (Report, error) {
	return r.run(ctx, SyncOptions{}, func(ctx context.Context, s *step) error {
		if s.pin == nil {
			return ErrNotPinned
		}
		return s.fetch(ctx)
	})
}

// Push offers our ref to the pinned remote, as it is and once. It fails with
// git.ErrNonFastForward when the remote has what was not fetched, and with
// ErrNotPinned where there is none.
func (r *Replica) Push(ctx context.Context) (Report, error) {
	return r.run(ctx, SyncOptions{}, func(ctx context.Context, s *step) error {
		if s.pin == nil {
			return ErrNotPinned
		}
		return s.push(ctx)
	})
}

// pause waits before the next attempt, after one that began then.
func (s *step) pause(ctx context.Context, attempt int, began time.Time) error {
	d, err := Backoff(attempt, s.opts.Now().Sub(began), s.opts.Rand)
	if err != nil {
		return err
	}
	return s.opts.Wait(ctx, d)
}

// Backoff is how long a step waits when an attempt, counted from 1, lost a race:
// as long as the attempt took, doubled with every one, give or take half. Against
// many others on a slow way a pause that is short beside an attempt only makes all
// lose, and a host that is overrun gets relief, since it makes attempts slow.
func Backoff(attempt int, took time.Duration, random io.Reader) (time.Duration, error) {
	var b [2]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, err
	}
	base := min(min(max(took, retryBase), retryMost)<<(attempt-1), retryMost)
	return base/2 + time.Duration(int64(base)*int64(binary.BigEndian.Uint16(b[:]))>>16), nil
}

// choose pins a remote if the step is to.
func (s *step) choose(ctx context.Context) error {
	if !s.want.Publish && (!s.want.Join || s.pin != nil) {
		return nil
	}
	target, err := s.Target(s.want.Remote)
	if errors.Is(err, git.ErrNoRemote) && !s.want.Publish && s.want.Remote == "" {
		return nil // nobody to join
	}
	if err != nil {
		return err
	}
	if s.pin != nil && s.pin.Name == target.Name && s.pin.Ref == target.Ref && git.SameURL(s.pin.URL, target.URL) {
		return nil
	}
	if !s.want.Publish {
		tip, err := s.git.LsRemote(ctx, target.Name, target.Ref)
		if err != nil || tip == "" {
			return err
		}
		target.Seen = true
	}
	if s.joining() {
		// Its history goes with us, unless it is gone with the remote.
		if err := s.fetch(ctx); ctx.Err() != nil {
			return err
		}
		s.asked = false
	}
	// Whatever is recorded of a remote was another's, or at another place. That is
	// forgotten first: a step that is interrupted records nothing.
	s.record.remote, s.record.remoteRef = s.nothing(), ""
	if err := s.w.Note(ctx, s.record.store); err != nil {
		return err
	}
	if err := s.w.ChangeLocal(ctx, func(l *workspace.Local) error {
		l.Remote = &target
		return nil
	}); err != nil {
		return err
	}
	s.pin = &target
	return s.readRefs(ctx)
}

// checkPin refuses a remote that points elsewhere than it did when sharing was
// decided.
func (s *step) checkPin() error {
	if err := git.CheckRef(s.pin.Ref); err != nil {
		return err
	}
	url, _, err := s.git.RemoteURL(s.pin.Name)
	if err != nil {
		return err
	}
	if !git.SameURL(url, s.pin.URL) {
		return fmt.Errorf("%w: %s is %s, shared was %s; to share there: bd sync --publish %s",
			ErrMoved, s.pin.Name, git.Redact(url), s.pin.URL, s.pin.Name)
	}
	return nil
}

// ask learns where the ref is on the remote.
func (s *step) ask(ctx context.Context) error {
	if err := s.checkPin(); err != nil {
		return err
	}
	s.asked = true
	var err error
	if s.ahead != nil {
		s.remote, err = s.ahead()
	} else {
		s.remote, err = s.git.LsRemote(ctx, s.pin.Name, s.pin.Ref)
	}
	if err != nil {
		return err
	}
	if s.remote != "" {
		return s.seen(ctx)
	}
	if s.pin.Seen && !s.want.Publish {
		return fmt.Errorf("%w: %s on %s (%s); to publish it again: bd sync --publish %s",
			ErrDeleted, s.pin.Ref, s.pin.Name, s.pin.URL, s.pin.Name)
	}
	return nil
}

// seen notes that the remote has the ref.
func (s *step) seen(ctx context.Context) error {
	if s.pin.Seen {
		return nil
	}
	return s.w.ChangeLocal(ctx, func(l *workspace.Local) error {
		if l.Remote != nil && l.Remote.Name == s.pin.Name {
			l.Remote.Seen = true
			s.pin = l.Remote
		}
		return nil
	})
}

// fetch makes the tracking ref equal to the remote's, takes in what it has, and
// unites it with our ref.
func (s *step) fetch(ctx context.Context) error {
	defer s.took(&s.report.Fetching)()
	if err := s.ask(ctx); err != nil {
		return err
	}
	if s.remote == "" {
		return s.forget(ctx)
	}
	if s.tracking == "" {
		if taken, err := s.takeTip(ctx); taken || err != nil {
			return err
		}
	}
	if s.remote != s.tracking {
		fetched := s.stage("fetching")
		err := s.git.Fetch(ctx, s.pin.Name, s.pin.Ref, s.trackingRef())
		fetched()
		if err != nil {
			return err
		}
		if err := s.readRefs(ctx); err != nil {
			return err
		}
		s.remote = s.tracking // it may have moved since it was asked
	}
	return s.takeIn(ctx)
}

// forget notes that the remote has nothing: our operations are to be shared
// anew.
func (s *step) forget(ctx context.Context) error {
	if s.tracking == "" && s.record.remote.Commit == "" && !s.joining() {
		return nil
	}
	if s.tracking != "" {
		if err := s.git.UpdateRefs(ctx, git.RefChange{Ref: s.trackingRef(), Old: s.tracking}); err != nil {
			return err
		}
	}
	s.tracking, s.record.remote, s.changed = "", s.nothing(), true
	return s.setJoining(ctx, false) // there is no history to wait for
}

// push offers our ref to the remote.
func (s *step) push(ctx context.Context) error {
	defer s.took(&s.report.Pushing)()
	if !s.asked {
		if err := s.ask(ctx); err != nil {
			return err
		}
	}
	if s.local == "" || s.local == s.remote {
		return nil
	}
	defer s.stage("pushing")()
	s.asked = false // whatever comes of it, the remote is asked before the next push
	if err := s.git.PushTracked(ctx, s.pin.Name, s.local, s.pin.Ref, s.trackingRef(), s.tracking); err != nil {
		return err
	}
	s.asked, s.remote = true, s.local
	before := s.record.remote
	s.tracking = s.local
	if s.record.local.Commit == s.local {
		s.record.remote, s.changed = s.record.local.clone(), true
		for _, stream := range s.streams() {
			had, has := before.of(stream), s.record.remote.of(stream)
			_, least := had.size()
			_, most := has.size()
			s.moved[stream].Pushed += max(most-least, 0)
		}
	}
	return s.seen(ctx)
}
