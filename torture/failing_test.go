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

// strike lets a command fail from the at-th call on that can fail so, or at that
// one alone. Others do not count: how many there are differs from run to run.
func strike(errno syscall.Errno, at int, forGood, children bool) func(call) verdict {
	n := 0
	return func(c call) verdict {
		if c.child != children || !slices.Contains(c.returns, errno) {
			return verdict{}
		}
		if n++; n == at || forGood && n > at {
			return verdict{errno: errno}
		}
		return verdict{}
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
	var calls [2]int // its own, and those of its git
	s.measure(m, func(c call) verdict {
		switch {
		case !slices.Contains(c.returns, errno):
		case c.child:
			calls[1]++
		default:
			calls[0]++
		}
		return verdict{}
	})
	for n, most := range []int{*failingSample, *childSample} {
		for _, at := range sampled(r, calls[n], most) {
			result := s.troubled(m, strike(errno, at, forGood, n == 1))
			s.recovered()
			if s = p.next(s, min(1, result.struck)); s.Failed() {
				s.Fatalf("after call %d of %d that can fail so, of git %v", at, calls[n], n == 1)
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
	damaged := false
	for range 2 {
		m := all[r.IntN(len(all))]
		for m.damages && damaged {
			m = all[r.IntN(len(all))]
		}
		damaged = m.damages
		errno, forGood := faults()[r.IntN(len(faults()))], r.IntN(2) == 0
		kill := r.IntN(3) == 0
		if kill {
			errno = 0
		}
		at := 1 + r.IntN(max(1, s.callsOf(m)[errno]))
		decide := strike(errno, at, forGood, false)
		if kill {
			decide = func(c call) verdict { return verdict{kill: c.own == at && !c.child} }
			what = append(what, fmt.Sprintf("%s, killed before call %d", m.name, at))
		} else {
			what = append(what, fmt.Sprintf("%s, %v at call %d that can fail so, for good %v", m.name, errno, at, forGood))
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

// callsOf is how many calls a mutation makes that can fail with each error; 0: all.
func (s *site) callsOf(m mutation) map[syscall.Errno]int {
	if s.calls[m.name] == nil {
		counted := map[syscall.Errno]int{}
		s.measure(m, func(c call) verdict {
			for _, errno := range append([]syscall.Errno{0}, c.returns...) {
				if !c.child {
					counted[errno]++
				}
			}
			return verdict{}
		})
		s.calls[m.name] = counted
	}
	return s.calls[m.name]
}
