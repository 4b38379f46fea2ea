package replica_test

import (
	"testing"

	"beads/internal/replica"
	"beads/internal/workspace"
)

// A sync with nothing to do, beside a bare git ls-remote, which it contains.
func BenchmarkQuietSync(b *testing.B) {
	top := scratch(b)
	bare := newRemote(b, top)
	s := newSite(b, top, bare, "a")
	s.create("one")
	s.share()
	s.with(func(_ *workspace.Workspace, r *replica.Replica) {
		for b.Loop() {
			if _, err := r.Sync(b.Context(), replica.SyncOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLsRemote(b *testing.B) {
	top := scratch(b)
	bare := newRemote(b, top)
	s := newSite(b, top, bare, "a")
	for b.Loop() {
		run(b, s.dir, "ls-remote", "origin", replica.LocalRef)
	}
}

// One operation, published and pushed.
func BenchmarkSyncOne(b *testing.B) {
	top := scratch(b)
	bare := newRemote(b, top)
	s := newSite(b, top, bare, "a")
	s.create("one")
	s.share()
	for b.Loop() {
		b.StopTimer()
		s.create("more")
		b.StartTimer()
		s.sync()
	}
}
