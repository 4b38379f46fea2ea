package main

import (
	"os"
	"sync"
	"testing"
)

const (
	// checkEvery is after how much trouble all is looked at; a loss stays one.
	checkEvery = 100
	// oldAge is how many acknowledged commands a site may have: every command reads
	// all operations again when it repairs.
	oldAge = 400
)

// A pool holds the sites of a test whose parts run at once. Each part has one to
// itself while it runs and leaves it to the next.
type pool struct {
	mu                  sync.Mutex
	free                []*site
	faults, acked, lost int
}

// newPool makes a pool that looks at every site when the test and all its parts
// have ended, and prints the counts.
func newPool(t *testing.T) *pool {
	p := &pool{}
	t.Cleanup(func() {
		for _, s := range p.free {
			s.TB = t
			p.retire(s)
		}
		counts(t, p.faults, p.faults, p.acked, p.lost)
	})
	return p
}

// part runs a part of the test, beside others.
func (p *pool) part(t *testing.T, name string, do func(s *site) *site) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		s := do(p.site(t))
		p.mu.Lock()
		defer p.mu.Unlock()
		p.free = append(p.free, s)
	})
}

func (p *pool) site(t testing.TB) *site {
	p.mu.Lock()
	if n := len(p.free) - 1; n >= 0 {
		defer p.mu.Unlock()
		s := p.free[n]
		p.free = p.free[:n]
		s.TB = t
		return s
	}
	p.mu.Unlock()
	return makeSite(t, "")
}

// next counts faults and returns the site for the next one: the same, which is
// looked at now and then, or another one when it has grown old.
func (p *pool) next(s *site, faults int) *site {
	p.mu.Lock()
	p.faults += faults
	p.mu.Unlock()
	s.troubles++
	switch t := s.TB; {
	case len(s.acked) >= oldAge:
		p.retire(s)
		return p.site(t)
	case s.troubles%checkEvery == 0:
		p.lose(s.check())
	}
	return s
}

func (p *pool) lose(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost += n
}

// retire looks at a site for the last time and removes it.
func (p *pool) retire(s *site) {
	p.lose(s.check())
	p.mu.Lock()
	p.acked += len(s.acked)
	p.mu.Unlock()
	must(s, os.RemoveAll(s.top))
}
