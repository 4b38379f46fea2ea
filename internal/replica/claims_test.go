package replica_test

import (
	"slices"
	"testing"
	"time"

	"beads/internal/op"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// lost is what a site's local facts say was lost, as "issue reason holder".
func (s *site) lost() []string {
	s.t.Helper()
	local, err := s.place().Local()
	must(s.t, err)
	lost := []string{}
	for _, l := range local.Lost {
		lost = append(lost, l.Issue+" "+l.Reason+" "+l.Holder)
	}
	return lost
}

// shared makes two clones that have one issue each knows.
func shared(t *testing.T) (a, b *site, id string) {
	t.Helper()
	_, all := sites(t, 2)
	a, b = all[0], all[1]
	id = a.create("wanted")[0]
	a.share()
	b.share()
	settle(t, a, b)
	return a, b, id
}

// Of two claims made apart the first wins in both clones; the loser is told,
// until that is acknowledged, and what it had done is listed.
func TestClaimLost(t *testing.T) {
	t.Parallel()
	a, b, id := shared(t)
	b.now = a.now.Add(time.Minute)
	a.claim("s1", id)
	claim := b.claim("s2", id)
	work := b.commit("s2", &op.Operation{Do: op.DoUpdate, Issue: id, Set: fields("notes", "half done")})[0]
	b.sync() // b's claim is there first, and shared; a's has the smaller id
	if r := a.sync(); len(r.ClaimsLost) != 0 {
		t.Errorf("the winner lost: %+v", r)
	}
	r := b.sync()
	if len(r.ClaimsLost) != 1 {
		t.Fatalf("the loser was not told: %+v", r)
	}
	l := r.ClaimsLost[0]
	if l.Issue != id || l.Op != claim.ID.String() || l.By != "b" || l.Session != "s2" || l.Reason != "held" || l.Holder != "a" || l.HolderSession != "s1" {
		t.Errorf("lost claim: %+v", l)
	}
	if !slices.Equal(l.Done, []string{work.ID.String()}) {
		t.Errorf("work of the loser: %v, want %s", l.Done, work.ID)
	}
	equal(t, a, b)
	if r := b.sync(); len(r.ClaimsLost) != 1 {
		t.Errorf("forgotten before it was acknowledged: %+v", r)
	}
	w := b.open("")
	must(t, w.AcknowledgeClaims(t.Context(), id))
	must(t, w.Close())
	if r := b.sync(); len(r.ClaimsLost) != 0 {
		t.Errorf("after the acknowledgement: %+v", r)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(a, b *site, id string) // b syncs after it
		want []string                    // what b lost, without the id
	}{
		"unrelated edits": {func(a, b *site, id string) {
			b.claim("s", id)
			b.sync()
			a.sync()
			a.set(id, "title", "renamed")
			a.sync()
		}, nil},
		"ended here": {func(a, b *site, id string) {
			b.claim("s", id)
			b.sync()
			b.commit("s", &op.Operation{Do: op.DoUnclaim, Issue: id, Set: fields("assignee", "", "status", "open")})
			b.sync()
			a.sync()
			a.claim("t", id)
			a.sync()
		}, nil},
		"closed by us": {func(a, b *site, id string) {
			b.claim("s", id)
			b.commit("s", &op.Operation{Do: op.DoClose, Issue: id, Set: fields("status", "closed")})
			b.sync()
			a.sync()
			a.set(id, "title", "renamed")
			a.sync()
		}, nil},
		"the other's claim is later": {func(a, b *site, id string) {
			b.claim("s", id)
			a.now = b.now.Add(time.Minute)
			a.claim("t", id)
			b.sync()
			a.sync()
		}, nil},
		"taken over after the lease": {func(a, b *site, id string) {
			b.claim("s", id)
			b.sync()
			a.sync()
			a.now = b.now.Add(5 * time.Hour)
			a.claim("t", id)
			a.sync()
		}, []string{"held a"}},
		"closed before it was claimed": {func(a, b *site, id string) {
			a.commit("", &op.Operation{Do: op.DoClose, Issue: id, Set: fields("status", "closed")})
			b.now = a.now.Add(time.Minute)
			b.claim("s", id)
			a.sync()
		}, []string{"closed "}},
		"deleted before it was claimed": {func(a, b *site, id string) {
			a.commit("", &op.Operation{Do: op.DoDelete, Issue: id})
			b.now = a.now.Add(time.Minute)
			b.claim("s", id)
			a.sync()
		}, []string{"deleted "}},
		"given back by another": {func(a, b *site, id string) {
			b.claim("s", id)
			b.sync()
			a.sync()
			a.commit("", &op.Operation{Do: op.DoUnclaim, Issue: id, Set: fields("assignee", "", "status", "open")})
			a.sync()
		}, []string{"released "}},
		"closed by another": {func(a, b *site, id string) {
			b.claim("s", id)
			b.sync()
			a.sync()
			a.commit("", &op.Operation{Do: op.DoClose, Issue: id, Set: fields("status", "closed")})
			a.sync()
		}, nil},
		"between two others": {func(a, b *site, id string) {
			// Neither claim was made in b, so b lost nothing.
			c := newSite(a.t, scratch(a.t), run(a.t, a.dir, "remote", "get-url", "origin"), "c")
			c.share()
			c.now = a.now.Add(time.Minute)
			c.claim("s", id)
			c.sync()
			b.sync()
			a.claim("t", id)
			a.sync()
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, id := shared(t)
			c.do(a, b, id)
			b.sync()
			var want []string
			for _, w := range c.want {
				want = append(want, id+" "+w)
			}
			if got := b.lost(); !slices.Equal(got, want) {
				t.Errorf("b lost %q, want %q", got, want)
			}
			if got := a.lost(); len(got) > 0 && name != "the other's claim is later" {
				t.Errorf("a lost %q", got)
			}
			settle(t, a, b)
			equal(t, a, b)
		})
	}
}

// A step that breaks off between taking the operations and recording that tells
// of the loss the next time.
func TestClaimLostAcrossABreak(t *testing.T) {
	t.Parallel()
	a, b, id := shared(t)
	a.claim("s1", id)
	a.sync()
	b.now = a.now.Add(time.Minute)
	b.claim("s2", id)
	b.opts = func(o *replica.Options) { o.MaxOperations = 1 }
	for range 3 {
		a.create("more")
	}
	a.sync()
	if _, err := b.try(replica.SyncOptions{}); err == nil {
		t.Fatal("the flood was taken")
	}
	b.opts = nil
	b.sync()
	if got := b.lost(); len(got) != 1 {
		t.Errorf("b lost %q, want one claim", got)
	}
}

// What only this clone knows survives what it does not know, and the loss of
// the database.
func TestLocalFacts(t *testing.T) {
	t.Parallel()
	a, b, id := shared(t)
	a.claim("s1", id)
	a.sync()
	b.now = a.now.Add(time.Minute)
	b.claim("s2", id)
	b.sync()
	w := b.open("")
	must(t, w.ChangeLocal(t.Context(), func(l *workspace.Local) error {
		if l.Remote == nil || l.Remote.Name != "origin" || !l.Remote.Seen || len(l.Lost) != 1 || l.Workspace == "" {
			t.Errorf("local facts: %+v", l)
		}
		l.Workspace = "another"
		return nil
	}))
	must(t, w.Close())
	local, err := b.place().Local()
	if err != nil || local.Workspace == "another" {
		t.Errorf("the workspace id was changed: %+v, %v", local, err)
	}
}
