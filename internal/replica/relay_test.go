package replica_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/op"
	"beads/internal/replica"
)

// lines are those of the site's log, as they are.
func (s *site) lines() []string {
	s.t.Helper()
	data, err := os.ReadFile(s.place().LogPath())
	must(s.t, err)
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// wantOnce fails unless no line is twice in the log.
func (s *site) wantOnce() {
	s.t.Helper()
	lines := s.lines()
	slices.Sort(lines)
	if once := len(slices.Compact(slices.Clone(lines))); once != len(lines) {
		s.t.Errorf("%s has %d lines, and %d of them once", s.actor, len(lines), once)
	}
}

// inChunks has a history that is read whole be read so many lines at a time.
func (s *site) inChunks(lines int) {
	s.opts = func(o *replica.Options) {
		o.Interactions = true
		replica.ReadWhole(o, lines)
	}
}

// A history that comes in more than one chunk is relayed, whatever the size of the
// chunks, and nobody can tell afterwards.
func TestJoinRelays(t *testing.T) {
	bare, all := sites(t, 1)
	a := all[0]
	a.replicates(true)
	a.share()
	var titles []string
	for n := range 4 {
		title := fmt.Sprintf("issue %d", n)
		a.set(a.create(title)[0], "notes", title)
		a.record(title)
		titles = append(titles, title)
		a.sync()
	}
	// A clone that holds a copy of the workspace publishes the same lines again.
	again := strings.Join(a.lines()[2:6], "\n") + "\n"
	plant(t, bare, replica.LocalRef, map[string]string{"ops/2026-11/23/04/05/again.jsonl": again})
	a.sync()
	for chunk := range 11 {
		t.Run(fmt.Sprintf("%d lines at a time", chunk), func(t *testing.T) {
			c := newSite(t, scratch(t), bare, "c")
			c.inChunks(chunk) // 0: all
			mine := c.create("mine")
			c.claim("s", mine[0])
			report, err := c.try(replica.SyncOptions{Join: true, NoPush: true})
			if err != nil || report.Fetched != 9 || report.Interactions.Fetched != 4 {
				t.Fatalf("join: %+v, %v", report, err)
			}
			c.wantTitles(append(titles, "mine")...)
			c.wantOnce()
			if lines := c.interactions(); len(lines) != 4 {
				t.Errorf("there are %d interactions", len(lines))
			}
			// What is recorded fits: nothing is read or published again.
			if report := c.sync(); report.Fetched+report.Restored != 0 || report.Unshared > 3 {
				t.Errorf("the next step: %+v", report)
			}
			c.create("later")
			if _, err := c.try(replica.SyncOptions{NoPush: true}); err != nil {
				t.Fatal(err)
			}
			if local, err := c.place().Local(); err != nil || len(local.Claims) != 1 {
				t.Errorf("claims: %+v, %v", local.Claims, err)
			}
			run(t, bare, "update-ref", replica.LocalRef, ref(a.dir, replica.LocalRef))
		})
	}
}

// A clone that has joined a history for which its database was built knows what of
// it is where, and one that was broken off goes on.
func TestJoinBuilds(t *testing.T) {
	bare, all := sites(t, 1)
	a := all[0]
	a.create("first")
	a.share()
	files := map[string]string{}
	const issues = 2400
	at := a.now.Add(-time.Hour)
	for n := range issues {
		at = at.Add(time.Second)
		line, err := op.Encode(&op.Operation{ID: op.MinID(at), V: 1, Do: op.DoCreate, Issue: fmt.Sprintf("bd-x%d", n),
			At: at, By: "x", Set: fields("title", "many", "description", strings.Repeat("long ", 100))})
		must(t, err)
		files[fmt.Sprintf("ops/%s/%d.jsonl", a.now.Format("2006-01/02/15/04"), n/100)] += string(line) + "\n"
	}
	plant(t, bare, replica.LocalRef, files)

	c := newSite(t, filepath.Dir(bare), bare, "c")
	c.opts = func(o *replica.Options) {
		replica.ReadWhole(o, 700)
		o.MaxOperations = 1300
	}
	if _, err := c.try(replica.SyncOptions{Join: true}); !errors.Is(err, replica.ErrFlood) {
		t.Fatalf("join: %v, want ErrFlood", err)
	}
	if n := len(c.titles()); n < 1398 || n > 1400 { // what two chunks brought
		t.Errorf("after it was broken off there are %d issues", n)
	}
	c.inChunks(700)
	report, err := c.try(replica.SyncOptions{Join: true})
	if err != nil || report.Fetched != issues-1400+2 {
		t.Fatalf("join: %+v, %v", report, err)
	}
	c.wantOnce()
	if report := c.sync(); !report.Quiet() || report.Unshared != 0 {
		t.Errorf("the next step: %+v", report)
	}
	c.create("mine")
	if report := c.sync(); report.Published != 1 || report.Pushed != 1 {
		t.Errorf("with a new operation: %+v", report)
	}
	settle(t, a, c)
	equal(t, a, c)

	// One that nobody broke off builds once, whether it has a ref of its own or not.
	for _, own := range []bool{false, true} {
		d := newSite(t, scratch(t), bare, "d")
		d.inChunks(700)
		d.create("of d")
		if own {
			d.sync()
		}
		published := 2
		if own {
			published = 0 // it was before
		}
		if r, err := d.try(replica.SyncOptions{Join: true}); err != nil || r.Published != published {
			t.Fatalf("own ref %v: join: %+v, %v", own, r, err)
		}
		d.wantOnce()
		d.sync()
		if report := d.sync(); !report.Quiet() || report.Unshared != 0 {
			t.Errorf("own ref %v: the next step: %+v", own, report)
		}
		settle(t, a, d)
		equal(t, a, d)
	}
}

// A step that broke off leaves operations of others behind, claims among them. They
// are not taken for claims that were made here.
func TestClaimsOfABrokenJoin(t *testing.T) {
	for _, chunk := range []int{4, 1000} {
		bare, all := sites(t, 1)
		a := all[0]
		id := a.create("wanted")[0]
		a.claim("s1", id)
		for n := range 6 {
			a.create(fmt.Sprint("more ", n))
		}
		a.share()
		c := newSite(t, scratch(t), bare, "c")
		c.now = a.now.Add(time.Minute)
		c.opts = func(o *replica.Options) {
			replica.ReadWhole(o, chunk)
			o.MaxOperations = 5
		}
		if _, err := c.try(replica.SyncOptions{Join: true}); !errors.Is(err, replica.ErrFlood) {
			t.Fatal(err)
		}
		c.inChunks(chunk)
		if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
			t.Fatal(err)
		}
		if local, err := c.place().Local(); err != nil || len(local.Claims) > 0 || local.Judging {
			t.Errorf("chunks of %d: c takes for its own: %+v, %v", chunk, local, err)
		}
		a.now = c.now.Add(time.Minute)
		a.commit("s1", &op.Operation{Do: op.DoUnclaim, Issue: id, Set: fields("assignee", "", "status", "open")})
		a.sync()
		if r := c.sync(); len(r.ClaimsLost) > 0 {
			t.Errorf("chunks of %d: c is told that it lost: %+v", chunk, r.ClaimsLost)
		}
	}
}

// What was relayed and is held by no copy any more, when the database is to take it
// in, is not recorded as taken in.
func TestRelayedLinesVanish(t *testing.T) {
	bare, all := sites(t, 1)
	a := all[0]
	a.replicates(true)
	a.create("one", "two", "three", "four", "five", "six")
	a.record("prompt")
	a.share()
	c := newSite(t, scratch(t), bare, "c")
	c.inChunks(3)
	usual, cut := c.opts, false
	c.opts = func(o *replica.Options) {
		usual(o)
		o.Progress = func(stage string, _, _ int64) {
			if !cut && stage == "reading "+op.Interactions.String() { // the operations are read
				cut = true
				must(t, os.Truncate(c.place().LogPath(), 0))
				must(t, os.Truncate(c.place().GuardPath(), 0))
			}
		}
	}
	if _, err := c.try(replica.SyncOptions{Join: true}); err == nil || !cut {
		t.Fatalf("joined without what was cut away (cut: %v)", cut)
	}
	if _, err := c.try(replica.SyncOptions{Join: true}); err != nil {
		t.Fatal(err)
	}
	settle(t, a, c)
	equal(t, a, c)
}
