package daemon

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"beads/internal/control"
	"beads/internal/daemonlog"
	"beads/internal/git"
	"beads/internal/projection"
	"beads/internal/replica"
)

// When a remote is not asked any more, and how an exchange ends in a stop.
const (
	maxAuthFailures  = 3               // then only a successful bd sync begins again
	exchangePatience = time.Second     // in a stop, for the running exchange to end by itself
	exchangeGrace    = 3 * time.Second // and then, when it was cancelled
)

// Exchanger is what a daemon needs of a replica.Replica. It has a workspace of
// its own, since an exchange waits for the network while refreshes go on.
type Exchanger interface {
	Sync(ctx context.Context, o replica.SyncOptions) (replica.Report, error)
	Status(ctx context.Context) (replica.Status, error)
	Close() error
}

// RemoteSettings are the git.* settings and interactions.replicate. Name, Ref and
// Interactions are what Exchange opens with; here they only tell when it is to be
// opened again.
type RemoteSettings struct {
	Name, Ref    string
	Interactions bool
	AutoPush     bool
	AutoFetch    bool
	Interval     time.Duration // the least time between two questions to the remote
}

// exchange runs Sync beside the loop, one at a time. Its fields are the loop's,
// but for the channels, and replica, which is work's while that runs.
type exchange struct {
	replica  Exchanger
	settings RemoteSettings
	rhythm   *Rhythm // of the questions to the remote

	kick chan replica.SyncOptions // capacity 1: what is asked twice is done once
	done chan exchanged
	anew chan reopening // capacity 1: only the last counts

	pinned   bool
	unshared bool
	refused  int       // authentication failures in a row
	refusal  time.Time // when the last of them was
	lastErr  string
	waiting  time.Time       // since when operations wait for the remote and none of them moves; zero: none does
	look     bool            // the next exchange looks whether our refs are sound
	repaired time.Time       // when one of them was not
	told     map[string]bool // lost claims that are in the log already

	asked    int64 // how many exchanges were asked for
	finished int64 // and how many of them are over
	waiters  []waiter
}

// waiter is told of the exchange with the number ticket.
type waiter struct {
	ticket int64
	result chan exchanged // capacity 1
}

// exchanged is what one Sync came to.
type exchanged struct {
	report replica.Report
	status replica.Status
	err    error
}

func newExchange(r Exchanger, s RemoteSettings, random io.Reader, now time.Time) *exchange {
	s = s.withDefaults()
	return &exchange{
		replica: r, settings: s, rhythm: NewRhythm(s.Interval, random, now),
		kick: make(chan replica.SyncOptions, 1), done: make(chan exchanged),
		anew: make(chan reopening, 1), told: map[string]bool{},
	}
}

// work runs until stopping is closed; the end of ctx also ends the git that runs.
func (e *exchange) work(ctx context.Context, stopping <-chan struct{}) {
	for {
		var result exchanged
		select {
		case <-stopping:
			return
		case next := <-e.anew:
			err := e.reopen(ctx, next.open)
			if err != nil { // nothing goes where the settings do not want it any more
				next.want.NoFetch, next.want.NoPush = true, true
			}
			result = e.sync(ctx, next.want)
			result.err = errors.Join(err, result.err)
		case want := <-e.kick:
			result = e.sync(ctx, want)
		}
		select {
		case e.done <- result:
		case <-stopping:
			return
		}
	}
}

func (e *exchange) sync(ctx context.Context, want replica.SyncOptions) (result exchanged) {
	result.report, result.err = e.replica.Sync(ctx, want)
	if status, err := e.replica.Status(ctx); err == nil {
		result.status = status
	} else {
		result.err = errors.Join(result.err, err)
	}
	return result
}

// start asks for one exchange. With a remote that keeps refusing us only our
// own ref is brought up to date.
func (e *exchange) start() {
	want := e.want()
	select {
	case e.kick <- want:
		e.asked++
		e.look = e.look && !want.Look
	default: // one is asked for already
	}
}

func (e *exchange) want() replica.SyncOptions {
	refused := e.refused >= maxAuthFailures
	return replica.SyncOptions{NoFetch: refused || !e.settings.AutoFetch, NoPush: refused || !e.settings.AutoPush, Look: e.look}
}

// exchangeNow starts an exchange and notes since when one is under way.
func (d *Daemon) exchangeNow() {
	if d.exchange == nil {
		return
	}
	d.exchange.start()
	now := d.opts.Now().UTC()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.exchanging == nil {
		d.exchanging = &now
	}
}

// await returns where the result of what was asked for last will be: of the
// exchange that has not begun yet, or else of the one that runs.
func (e *exchange) await() <-chan exchanged {
	w := waiter{ticket: e.asked, result: make(chan exchanged, 1)}
	e.waiters = append(e.waiters, w)
	return w.result
}

// finish tells those who wait for r, the next result.
func (e *exchange) finish(r exchanged) {
	e.finished++
	e.waiters = slices.DeleteFunc(e.waiters, func(w waiter) bool {
		over := w.ticket <= e.finished
		if over {
			w.result <- r
		}
		return over
	})
}

// checkRefs asks for an exchange that looks whether our refs are sound.
func (e *exchange) checkRefs() {
	if e != nil {
		e.look = true
		e.start()
	}
}

// remoteDue reports whether the remote is to be asked, and counts it as asked.
func (e *exchange) remoteDue(now time.Time) bool {
	return e.repeats() && e.rhythm.Take(now)
}

// wait is how long the remote need not be asked.
func (e *exchange) wait(now time.Time) time.Duration {
	if !e.repeats() {
		return maxRemoteInterval
	}
	return e.rhythm.Wait(now)
}

// repeats reports whether the remote is to be asked without a change here: for
// what others did, or because it has not got what was done here.
func (e *exchange) repeats() bool {
	return e != nil && e.pinned && (e.settings.AutoFetch || e.settings.AutoPush && e.unshared)
}

// note takes how things stand and plans the next question.
func (e *exchange) note(now time.Time, r exchanged) {
	e.pinned, e.unshared = r.status.Remote != nil, r.status.Waiting() > 0
	switch {
	case !e.pinned || !e.settings.AutoPush || r.status.Unshared == 0:
		e.waiting = time.Time{}
	case e.waiting.IsZero() || r.report.Pushed > 0:
		e.waiting = now
	}
	if r.report.Repaired {
		e.repaired = now
	}
	switch {
	case errors.Is(r.err, git.ErrAuthentication):
		e.refused, e.refusal = e.refused+1, now
	case r.status.Last.Success.After(e.refusal):
		e.refused = 0 // also when it was another process that got through
	}
	e.rhythm.Note(now, r.err == nil && !r.report.Quiet())
}

// Exchanged takes the result of an exchange into state and log. A failure that
// goes on is logged once.
func (d *Daemon) Exchanged(r exchanged) {
	e := d.exchange
	now := d.opts.Now().UTC()
	e.note(now, r)
	if errors.Is(r.err, projection.ErrNewer) {
		d.changed(now, false) // a refresh knows what to do
	}
	text := e.trouble(r)
	switch {
	case text != "" && text != e.lastErr:
		d.log.Error("Sync failed: "+text, "operation", "exchange")
	case text == "" && e.lastErr != "":
		d.log.Info("The remote works again", "operation", "exchange")
	}
	e.lastErr = text
	if r.err == nil && !r.report.Quiet() {
		d.log.Info("Sync completed successfully", "operation", "exchange", "duration", r.report.Duration,
			"published", r.report.Published, "fetched", r.report.Fetched, "pushed", r.report.Pushed,
			"interactions", r.interactions(), "quarantined", r.report.Quarantined, "unshared", r.report.Unshared, "consolidated", r.report.Consolidated,
			"fetching", r.report.Fetching, "publishing", r.report.Publishing, "pushing", r.report.Pushing)
	}
	d.freeMemory() // also a quiet one may have read the whole history
	for _, lost := range r.status.ClaimsLost {
		if !e.told[lost.Op] {
			e.told[lost.Op] = true
			d.log.Warn("Claim lost: "+daemonlog.Visible(lost.Issue), "operation", "exchange", "holder", daemonlog.Visible(lost.Holder), "reason", lost.Reason)
		}
	}
	d.metrics.Exchanged(r.report.Duration, r.report.Published, r.report.Fetched)
	d.publish(control.SyncEvent, control.Synced{Time: d.opts.Now().UTC(), Exchange: r.answer(), Error: text})
	e.finish(r)
	remote := &control.Remote{Unshared: r.status.Unshared, ClaimsLost: len(r.status.ClaimsLost), Error: text}
	if r.status.Remote != nil {
		remote.Name, remote.URL = r.status.Remote.Name, r.status.Remote.URL
	}
	if !r.status.Last.Success.IsZero() {
		success := r.status.Last.Success
		remote.LastSync = &success
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.remote, d.exchanging = remote, nil; e.asked > e.finished {
		d.exchanging = &now
	}
}

// interactions is how many of them moved.
func (r exchanged) interactions() int64 {
	m := r.report.Interactions
	if m == nil {
		return 0
	}
	return int64(m.Published+m.Fetched+m.Restored) + m.Pushed
}

// trouble says in one line what is wrong with the remote, "" if nothing is known
// to be. A remote that refused us too often is not asked, which is no success.
func (e *exchange) trouble(r exchanged) string {
	text := ""
	switch {
	case r.err != nil:
		text = r.err.Error()
	case e.refused >= maxAuthFailures:
		text = r.status.Last.Error
	}
	if text != "" && e.refused >= maxAuthFailures {
		text += "; not asked again until a bd sync gets through"
	}
	return daemonlog.Visible(text)
}

// answer is the result as the control socket tells it.
func (r exchanged) answer() *control.Exchange {
	e := &control.Exchange{
		Published: r.report.Published, Fetched: r.report.Fetched, Restored: r.report.Restored, Pushed: r.report.Pushed,
		Quarantined: r.report.Quarantined, Unpublished: r.status.Unshared, Seconds: r.report.Duration.Seconds(),
	}
	if r.err != nil {
		e.Error = daemonlog.Visible(r.err.Error())
	}
	return e
}

// workExchange starts the exchange beside the loop. finish ends it and reports
// whether it has let go of its workspace. The running one may end by itself: a
// git that is told to end can leave locks behind, also on the remote.
func (d *Daemon) workExchange() (finish func() bool) {
	if d.exchange == nil {
		return func() bool { return true }
	}
	stopping, stop := context.WithCancel(d.halted)
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.halted))
	context.AfterFunc(stopping, func() { time.AfterFunc(exchangePatience, cancel) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.exchange.work(ctx, stopping.Done())
	}()
	return func() bool {
		stop()
		defer cancel()
		limit := time.NewTimer(exchangePatience + exchangeGrace)
		defer limit.Stop()
		select {
		case <-ended:
			return true
		case <-limit.C:
			return false
		}
	}
}

// results is where exchanges report; nil, which never does, without any.
func (d *Daemon) results() <-chan exchanged {
	if d.exchange == nil {
		return nil
	}
	return d.exchange.done
}
