package replica_test

import (
	"crypto/rand"
	"fmt"
	"testing"

	"beads/internal/op"
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

// Operations come to our own ref.
func BenchmarkPublish(b *testing.B) {
	for _, operations := range []int{1, 100} {
		b.Run(fmt.Sprintf("operations=%d", operations), func(b *testing.B) {
			_, all := sites(b, 1)
			s := all[0]
			for b.Loop() {
				b.StopTimer()
				s.many(operations)
				b.StartTimer()
				s.with(func(_ *workspace.Workspace, r *replica.Replica) {
					if _, err := r.Publish(b.Context()); err != nil {
						b.Fatal(err)
					}
				})
			}
		})
	}
}

// Operations come from the remote to the workspace and to our own ref.
func BenchmarkFetch(b *testing.B) {
	for _, operations := range []int{1, 100} {
		b.Run(fmt.Sprintf("operations=%d", operations), func(b *testing.B) {
			_, all := sites(b, 2)
			from, to := all[0], all[1]
			from.share()
			to.share()
			for b.Loop() {
				b.StopTimer()
				from.many(operations)
				from.sync()
				b.StartTimer()
				to.with(func(_ *workspace.Workspace, r *replica.Replica) {
					if _, err := r.Fetch(b.Context()); err != nil {
						b.Fatal(err)
					}
				})
			}
		})
	}
}

// many creates so many issues in one commit.
func (s *site) many(issues int) {
	s.t.Helper()
	var all []*op.Operation
	for range issues {
		id, err := op.NewIssueID("bd", rand.Reader)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, &op.Operation{Do: op.DoCreate, Issue: id, Set: fields("title", "one of many")})
	}
	s.commit("", all...)
}
