package replica

import (
	"context"
	"errors"
)

// askAhead has the remote asked where the ref is, in a process of its own, while
// this one goes on; ask then waits for that answer. The caller calls stop, which
// ends it.
func (s *step) askAhead(ctx context.Context) (stop func()) {
	name, ref := s.pin.Name, s.pin.Ref
	if s.checkPin() != nil {
		return func() {} // ask says so
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	var id string
	var err error
	go func() {
		defer close(done)
		id, err = s.git.LsRemote(ctx, name, ref)
	}()
	s.ahead = func() (string, error) {
		<-done
		return id, err
	}
	return func() {
		cancel()
		<-done
		s.ahead = nil
	}
}

// errNotAhead calls off what was prepared while the remote was asked.
var errNotAhead = errors.New("the remote has to be fetched from first")

// publishAhead publishes while the remote is asked, since most often it has
// nothing new. Git has written everything when the answer comes, but our ref moves
// only if the remote is where it was; else what the remote has is united first,
// and then the usual publish makes its commit on that.
func (s *step) publishAhead(ctx context.Context) error {
	if s.tracking == "" || s.local != s.tracking || s.record.remote.Commit != s.tracking {
		return nil
	}
	err := s.publishIf(ctx, func() error {
		asking := s.opts.Now()
		err := s.ask(ctx)
		waited := s.opts.Now().Sub(asking)
		s.report.Fetching, s.report.Publishing = s.report.Fetching+waited, s.report.Publishing-waited
		if err != nil || s.remote != s.tracking {
			return errNotAhead // whatever failed, fetch says so
		}
		return nil
	})
	if errors.Is(err, errNotAhead) {
		return nil
	}
	return err
}
