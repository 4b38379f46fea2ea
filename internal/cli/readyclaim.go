package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/watch"
	"beads/internal/workspace"
)

// claimedAtOnce is how many ready issues are looked at in one go for one to claim.
const claimedAtOnce = 50

// errNothingReady ends an attempt to claim; --wait tries again.
var errNothingReady = errors.New("nothing is ready to be claimed")

// claimReady takes the first ready issue that filters select. With wait it sleeps
// until there is one, woken by changes of the log and by the end of a deferral:
// it never polls. Each attempt decides under the write lock, so any number of
// agents that wait get different issues.
func (a *app) claimReady(cmd *cobra.Command, filters *filterFlags, sorting sortFlags, wait time.Duration) error {
	if len(filters.ids) > 0 || filters.parent != "" { // then the log to watch may be elsewhere
		if err := a.lead(cmd, append(splitList(filters.ids), filters.parent)); err != nil {
			return err
		}
	}
	w, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	var events <-chan watch.Event
	if wait > 0 { // before the first attempt, so that nothing falls between
		var stop func() error
		if events, stop, err = a.watchLog(ctx, w.Place()); err != nil {
			return err
		}
		defer func() { cancel(); _ = stop() }()
	}
	for {
		id, next, err := a.claimFirst(cmd, filters, sorting)
		switch {
		case err == nil:
			return a.tell(cmd, []outcome{{id: id, did: "Claimed"}})
		case !errors.Is(err, errNothingReady):
			return err
		}
		woken, stop := ticksAt(next, a.Now())
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
			return failf("nothing_ready", "%w", errNothingReady).withHint("bd ready --claim --wait 10m waits for an issue")
		case <-events:
		case <-woken:
		}
		stop()
	}
}

// ticksAt is a channel that ticks at next; never if that is zero.
func ticksAt(next, now time.Time) (<-chan time.Time, func() bool) {
	if next.IsZero() {
		return nil, func() bool { return true }
	}
	timer := time.NewTimer(max(next.Sub(now), 0))
	return timer.C, timer.Stop
}

// watchLog reports changes of the log until ctx ends.
func (a *app) watchLog(ctx context.Context, place workspace.Place) (<-chan watch.Event, func() error, error) {
	w, err := watch.New([]string{place.Dir}, func(name string) bool { return name == "issues.jsonl" }, watch.Options{})
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	return w.Events(), func() error { return errors.Join(<-ended, w.Close()) }, nil
}

// claimFirst makes one attempt. Without anything to claim it fails with
// errNothingReady, and next is when the first deferral ends.
func (a *app) claimFirst(cmd *cobra.Command, filters *filterFlags, sorting sortFlags) (id string, next time.Time, err error) {
	_, err = a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		filter, err := filters.filter(a, tx.Query)
		if err != nil {
			return nil, err
		}
		sorting.limit = claimedAtOnce
		if err := sorting.apply(&filter); err != nil {
			return nil, err
		}
		for ; ; filter.Offset += claimedAtOnce {
			rows, err := tx.List(filter)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				o, err := a.claimOf(tx, row)
				if err != nil || o != nil {
					id = row.ID
					return []workspace.Draft{draft(o)}, err
				}
			}
			if len(rows) < claimedAtOnce {
				break
			}
		}
		next, err = firstDeferral(tx.Query, filter)
		return nil, errors.Join(err, errNothingReady)
	})
	return id, next, err
}

// claimOf is the operation that claims an issue; nil if somebody has it.
func (a *app) claimOf(tx *workspace.Tx, row projection.Row) (*op.Operation, error) {
	state, err := tx.State(row.ID)
	if err != nil {
		return nil, err
	}
	o := &op.Operation{Issue: row.ID}
	err = a.claim(tx, &state, o)
	var f *failure
	if errors.As(err, &f) && f.code == "claimed" {
		return nil, nil
	}
	return o, err
}

// firstDeferral is when the first of the issues that are only deferred comes
// back; zero if none is.
func firstDeferral(q *projection.Query, ready issue.Filter) (time.Time, error) {
	ready.Ready, ready.Deferred, ready.Offset, ready.Limit = false, true, 0, 0
	ready.Statuses = []string{issue.StatusOpen}
	rows, err := q.List(ready)
	var first time.Time
	for _, row := range rows {
		if first.IsZero() || row.DeferUntil.Before(first) {
			first = row.DeferUntil
		}
	}
	return first, err
}
