package main

import (
	"flag"
	"fmt"
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

// strike lets a command fail from its call at on, or at that one alone.
func strike(errno syscall.Errno, at int, forGood, children bool) func(call) verdict {
	return func(c call) verdict {
		n := c.own
		if children {
			n = c.n - c.own
		}
		if c.child == children && (n == at || forGood && n > at) {
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
	var total, acked, lost int
	t.Cleanup(func() { counts(t, total, total, acked, lost) })
	var s *site
	renew := func() {
		next, a, l := renewed(t, s)
		s, acked, lost = next, acked+a, lost+l
	}
	for n, m := range mutations() {
		r := chance(1<<22 + uint64(n))
		renew()
		whole := s.measure(m)
		for _, kind := range r.Perm(2 * len(faults()))[:min(*failingKinds, 2*len(faults()))] {
			errno, forGood := faults()[kind/2], kind%2 == 1
			for _, children := range []bool{false, true} {
				calls, most := whole.own, *failingSample
				if children {
					calls, most = whole.calls-whole.own, *childSample
				}
				for _, at := range sampled(r, calls, most) {
					what := fmt.Sprintf("%s, %v at call %d of %d, for good %v, of git %v", m.name, errno, at, calls, forGood, children)
					if result := s.troubled(m, strike(errno, at, forGood, children)); result.struck > 0 {
						total++
					}
					s.recovered(what)
					if total%checkEvery == 0 {
						lost += s.check()
					}
					if renew(); t.Failed() {
						t.Fatalf("after %s", what)
					}
				}
			}
		}
		t.Logf("%s: %d calls, %d of git", m.name, whole.own, whole.calls-whole.own)
	}
	lost += s.check()
	acked += len(s.acked)
}

// recovered demands that the first command after the fault writes.
func (s *site) recovered(what string) {
	s.Helper()
	token := s.token()
	if r := s.run(s.command("q", token).as(token)); r.code != 0 {
		s.Errorf("after %s, a command fails when the fault is gone: exit code %d\n%s", what, r.code, r.stderr)
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
	var total, lost int
	s, r := newSite(t), chance(1<<23)
	all := mutations()
	own := make([]int, len(all))
	for n := range *secondFaults {
		var what []string
		for range 2 {
			chosen := r.IntN(len(all))
			m := all[chosen]
			if own[chosen] == 0 {
				own[chosen] = s.measure(m).own
			}
			at, errno, forGood := 1+r.IntN(own[chosen]), faults()[r.IntN(5)], r.IntN(2) == 0
			decide := strike(errno, at, forGood, false)
			if r.IntN(3) == 0 {
				decide = func(c call) verdict { return verdict{kill: c.own == at && !c.child} }
				what = append(what, fmt.Sprintf("%s, killed before call %d", m.name, at))
			} else {
				what = append(what, fmt.Sprintf("%s, %v at call %d, for good %v", m.name, errno, at, forGood))
			}
			token := s.token()
			result := s.trace(s.command(m.prepare(s, token)...).as(token), decide)
			if !result.killed && result.code == 0 && !m.silent {
				s.acknowledge(token)
			}
			total += min(1, result.struck)
			if result.killed {
				total++
			}
		}
		s.recovered(strings.Join(what, "; then "))
		if n%checkEvery == checkEvery-1 {
			lost += s.check()
		}
		if t.Failed() {
			t.Fatalf("after %s", strings.Join(what, "; then "))
		}
	}
	lost += s.check()
	counts(t, total, total, len(s.acked), lost)
}
