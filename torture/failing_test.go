package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var (
	failingSample = flag.Int("failing", 1, "how many file calls of each command fail, for each kind of fault; 0: each")
	childSample   = flag.Int("failing.git", 1, "the same for the calls of the git that a command runs")
	failingKinds  = flag.Int("failing.kinds", 1, "how many kinds of faults each command meets: five errors, once and for good")
	secondFaults  = flag.Int("second", 10, "how many pairs of faults: of a command, and of the one that comes after it")
)

// faults are what a file system answers in trouble.
func faults() []syscall.Errno {
	return []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.EACCES}
}

// number is which call of the program it is, or of its children.
func (c call) number() int {
	if c.child {
		return c.n - c.own
	}
	return c.own
}

// strike lets the first call of a command fail that has at least this number and
// can fail so, or that one and all later ones.
func strike(errno syscall.Errno, at int, forGood, children bool) func(call) verdict {
	struck := false
	return func(c call) verdict {
		if c.child != children || c.number() < at || !slices.Contains(c.returns, errno) || struck && !forGood {
			return verdict{}
		}
		struck = true
		return verdict{errno: errno}
	}
}

// Calls of commands on files fail, SQLite's and Git's as well. Nothing is
// acknowledged that does not last, what was acknowledged stays, and when the
// fault is gone all is well.
func TestFailingCalls(t *testing.T) {
	if !canTrace {
		t.Skip("no tracer for this system")
	}
	p := newPool(t)
	for n, m := range mutations() {
		for _, kind := range chance(1<<22 + uint64(n)).Perm(2 * len(faults()))[:min(*failingKinds, 2*len(faults()))] {
			r := chance(1<<22 + 1<<16 + uint64(n*100+kind))
			errno, forGood := faults()[kind/2], kind%2 == 1
			p.part(t, fmt.Sprintf("%s, %v, for good %v", m.name, errno, forGood), func(s *site) *site {
				return p.failCalls(s, m, r, errno, forGood)
			})
		}
	}
}

// failCalls lets the calls of a command fail that can fail so, its own and then
// those of its git.
func (p *pool) failCalls(s *site, m mutation, r *rand.Rand, errno syscall.Errno, forGood bool) *site {
	var own, git []int
	s.measure(m, func(c call) verdict {
		if slices.Contains(c.returns, errno) && c.child {
			git = append(git, c.number())
		} else if slices.Contains(c.returns, errno) {
			own = append(own, c.number())
		}
		return verdict{}
	})
	for n, calls := range [][]int{own, git} {
		children := n == 1
		for _, chosen := range sampled(r, len(calls), []int{*failingSample, *childSample}[n]) {
			at := calls[chosen-1]
			result := s.troubled(m, strike(errno, at, forGood, children))
			s.recovered()
			if s = p.next(s, min(1, result.struck)); s.Failed() {
				s.Fatalf("after call %d, of git %v", at, children)
			}
		}
	}
	return s
}

// recovered demands that the first command after the fault writes.
func (s *site) recovered() {
	s.Helper()
	token := s.token()
	if r := s.run(s.command("q", token).as(token)); r.code != 0 {
		s.Errorf("a command fails when the fault is gone: exit code %d\n%s", r.code, r.stderr)
		return
	}
	s.acknowledge(token)
}

// While a command puts right what the last one could not end, another fault
// strikes.
func TestSecondFault(t *testing.T) {
	if !canTrace {
		t.Skip("no tracer for this system")
	}
	p := newPool(t)
	for from := 0; from < *secondFaults; from += checkEvery {
		r := chance(1<<23 + uint64(from))
		p.part(t, fmt.Sprintf("from %d", from), func(s *site) *site {
			for range min(checkEvery, *secondFaults-from) {
				s = p.failTwice(s, r)
			}
			return s
		})
	}
}

// failTwice lets two commands fail, or kills them, one after the other.
func (p *pool) failTwice(s *site, r *rand.Rand) *site {
	all := mutations()
	var what []string
	faulty := 0
	for range 2 {
		m := all[r.IntN(len(all))]
		if s.calls[m.name] == 0 {
			s.calls[m.name] = s.measure(m, untroubling).own
		}
		at, errno, forGood := 1+r.IntN(s.calls[m.name]), faults()[r.IntN(len(faults()))], r.IntN(2) == 0
		decide := strike(errno, at, forGood, false)
		if r.IntN(3) == 0 {
			decide = func(c call) verdict { return verdict{kill: c.own == at && !c.child} }
			what = append(what, fmt.Sprintf("%s, killed before call %d", m.name, at))
		} else {
			what = append(what, fmt.Sprintf("%s, %v at call %d, for good %v", m.name, errno, at, forGood))
		}
		if result := s.troubled(m, decide); result.killed || result.struck > 0 {
			faulty++
		}
	}
	s.recovered()
	if s = p.next(s, faulty); s.Failed() {
		s.Fatalf("after %s", strings.Join(what, "; then "))
	}
	return s
}
