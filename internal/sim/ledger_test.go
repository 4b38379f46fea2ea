package sim

import (
	"errors"
	"strings"
	"testing"

	"beads/internal/git"
	"beads/internal/replica"
)

// A ledger is what docs/scale.md is computed with: the rules of replication
// without operations, files and Git. The remote's ref only ever takes in what
// builds on it, so all that counts of a clone is how much of the remote it has
// and what it has beyond that.
type ledger struct {
	version int // how often the remote's ref moved
	commits int // on the remote's ref
	batches int // files of operations on it
}

// A mirror is one clone's ref in the ledger.
type mirror struct {
	has     int // the version of the remote that it includes
	ahead   int // commits that the remote has not
	batches int // files that the remote has not
}

// publish makes a commit of what is new.
func (m *mirror) publish() {
	m.ahead++
	m.batches++
}

// take unites with a version of the remote: the ref moves forward, or both
// histories get a common child.
func (m *mirror) take(version int) {
	if version != m.has && m.ahead > 0 {
		m.ahead++
	}
	m.has = version
}

// push reports whether the remote took what the clone has.
func (l *ledger) push(m *mirror) bool {
	if m.has != l.version {
		return false
	}
	if m.ahead > 0 {
		l.version++
		l.commits, l.batches = l.commits+m.ahead, l.batches+m.batches
		*m = mirror{has: l.version}
	}
	return true
}

// TestLedger demands that the ledger says what real replicas do over real Git,
// whoever publishes, fetches and pushes when.
func TestLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kind{test: "TestLedger", flag: "sim.seed"}, *firstSeed)
	defer w.end()
	mirrors := map[*site]*mirror{}
	for n := range 4 {
		s := newSite(w, n)
		w.sites, mirrors[s] = append(w.sites, s), &mirror{}
	}
	r := newRemote(w).(*remote)
	for range 2 {
		for _, s := range w.sites {
			r.share(s)
		}
	}
	var l ledger
	l.commits, l.batches = r.count()
	for range 24 {
		s := w.someone()
		m := mirrors[s]
		at, err := r.replica(s)
		w.must(err)
		switch w.rand.IntN(3) {
		case 0:
			s.by = "alice"
			s.create()
			if report, err := at.Publish(t.Context()); err != nil || report.Published != 1 {
				t.Fatalf("publish: %+v, %v", report, err)
			}
			m.publish()
		case 1:
			_, err := at.Fetch(t.Context())
			w.must(err)
			m.take(l.version)
		default:
			_, err := at.Push(t.Context())
			if took := l.push(m); took != (err == nil) || err != nil && !errors.Is(err, git.ErrNonFastForward) {
				t.Fatalf("the ledger says that the push gets through: %v, but: %v", took, err)
			}
		}
	}
	if commits, batches := r.count(); commits != l.commits || batches != l.batches {
		t.Errorf("the remote has %d commits and %d files, the ledger %d and %d", commits, batches, l.commits, l.batches)
	}
}

// count says how many commits and files of operations the remote has.
func (r *remote) count() (commits, batches int) {
	history, _ := r.git(r.bare, "rev-list", replica.LocalRef)
	files, _ := r.git(r.bare, "ls-tree", "-r", "--name-only", replica.LocalRef, "ops")
	return strings.Count(history+"\n", "\n"), strings.Count(files, ".jsonl")
}
