package sim

import (
	"errors"
	"flag"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"beads/internal/config"
	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// The figures of docs/scale.md are of -sim.racers=10 -sim.rounds=50.
var (
	racers = flag.Int("sim.racers", 3, "how many clones race in TestRaces")
	rounds = flag.Int("sim.rounds", 2, "and how often each publishes")
)

// TestRaces lets clones publish over a real Git remote all at once, one operation
// after the other, and holds what came of it against the ledger and the fleet.
func TestRaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kind{test: "TestRaces", flag: "sim.racers"}, *firstSeed)
	defer w.end()
	for n := range *racers {
		w.sites = append(w.sites, newSite(w, n))
	}
	r := newRemote(w).(*remote)
	for range 2 {
		for _, s := range w.sites {
			r.share(s)
		}
	}
	began := time.Now()
	now := func() time.Time { return w.now.Add(time.Since(began)) }
	open := func(s *site) *replica.Replica {
		opened, err := s.workspace()
		w.must(err)
		return replica.New(opened, r.runner(s), replica.Options{Now: now, Rand: s.random, Command: "sim"})
	}
	// What one exchange takes that has nobody beside it.
	a, b := open(w.sites[0]), open(w.sites[1])
	timed := func(at *replica.Replica) time.Duration {
		report, err := at.Sync(t.Context(), replica.SyncOptions{})
		w.must(err)
		return report.Duration
	}
	quiet := timed(a)
	w.sites[0].publishable(t)
	push := timed(a) - quiet
	fetch := timed(b) - quiet

	commits, files := r.count()
	var lost, given atomic.Int64
	var racing sync.WaitGroup
	start := time.Now()
	for _, s := range w.sites {
		at := open(s)
		racing.Go(func() {
			for range *rounds {
				s.publishable(t)
				report, err := at.Sync(t.Context(), replica.SyncOptions{})
				lost.Add(int64(report.Attempts - 1))
				switch {
				case errors.Is(err, git.ErrNonFastForward): // the next round brings it along
					lost.Add(1)
					given.Add(1)
				case err != nil:
					t.Errorf("%s: %v", s.name, err)
				}
			}
		})
	}
	racing.Wait()
	took := time.Since(start)
	for range 2 {
		for _, s := range w.sites {
			r.share(s)
		}
	}
	// Every lost race makes a commit that unites.
	published := *racers * *rounds
	commitsAfter, filesAfter := r.count()
	if commitsAfter-commits != published+int(lost.Load()) || filesAfter-files != published {
		t.Errorf("%d publishes that lost %d races made %d commits and %d files",
			published, lost.Load(), commitsAfter-commits, filesAfter-files)
	}
	w.weighGit("the remote", r.bare)
	w.weighGit("the .git of a clone", filepath.Join(w.sites[0].dir, ".git"))
	first, _ := w.sites[0].export()
	for _, s := range w.sites {
		if other, _ := s.export(); other != first {
			t.Errorf("%s exports something else:\n%s", s.name, difference(first, other))
		}
	}

	p := plan{
		clones: *racers, rounds: *rounds, settings: config.Default(), interval: 24 * time.Hour,
		host: host{ask: quiet, fetch: max(fetch, 1), push: max(push, 1), serve: (quiet + fetch + push) / 3, cores: 2},
	}
	f := p.run(*firstSeed)
	t.Logf("ask %v, fetch %v, push %v", quiet, fetch, push)
	t.Logf("%d clones published %d times each: %d lost races, %d times all, in %.1f s; in the model %d, %d times all, in %.1f s",
		*racers, *rounds, lost.Load(), given.Load(), took.Seconds(), f.lost, f.given, f.pushed.Sub(f.end).Seconds())
}

// publishable makes an operation, beside whatever other sites do.
func (s *site) publishable(t *testing.T) {
	id, err := op.NewIssueID("bd", s.random)
	if err == nil {
		_, err = s.opened.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			return []workspace.Draft{{Op: &op.Operation{Do: op.DoCreate, Issue: id, Set: fields("title", "one more")}}}, nil
		})
	}
	if err != nil {
		t.Error(err)
	}
}
