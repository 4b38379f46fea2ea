package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	seed        = flag.Uint64("seed", 1, "what chance begins with")
	sample      = flag.Int("sample", 1, "before how many file calls of each command it is killed; 0: each")
	rounds      = flag.Int("rounds", 1, "how often TestKillAtEachCall does that")
	randomKills = flag.Int64("kills", 60, "how many commands TestKillAtRandom kills")
	daemonKills = flag.Int("daemons", 4, "how many daemons TestKillDaemon kills")
)

func chance(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(*seed, stream)) }

// Commands are killed before a call on a file. What others had acknowledged is
// there, and so is everything else.
func TestKillAtEachCall(t *testing.T) {
	if !canTrace {
		t.Skip("no tracer for this system")
	}
	p := newPool(t)
	for round := range *rounds {
		for n, m := range mutations() {
			r := chance(uint64(round*1000 + n))
			p.part(t, fmt.Sprintf("%s, round %d", m.name, round), func(s *site) *site { return p.killAtCalls(s, m, r) })
		}
	}
}

// killAtCalls kills a command before its calls, at times its git too.
func (p *pool) killAtCalls(s *site, m mutation, r *rand.Rand) *site {
	calls := s.measure(m, untroubling).own
	for i, at := range sampled(r, calls, *sample) {
		children := m.git && i%2 == 1
		killed := s.troubled(m, func(c call) verdict { return verdict{kill: c.own == at && !c.child, children: children} }).killed
		s.recovered()
		faults := 0
		if killed {
			faults = 1
		}
		if s = p.next(s, faults); s.Failed() {
			s.Fatalf("killed before call %d of %d, its git %v", at, calls, children)
		}
	}
	return s
}

// Commands run several at a time and are killed at any moment.
func TestKillAtRandom(t *testing.T) {
	var total, acked, lost int64
	for part := range uint64((*randomKills + checkEvery - 1) / checkEvery) {
		s := newSite(t)
		begun := time.Now()
		s.must("q", "to see how long it takes")
		patience := 4 * time.Since(begun) // there are others beside it
		var killed atomic.Int64
		var busy sync.WaitGroup
		for worker := range uint64(3) {
			r := chance(part*8 + worker + 1<<20)
			busy.Go(func() {
				for killed.Load() < min(*randomKills, checkEvery) && !t.Failed() {
					token := s.token()
					switch s.killed(s.oneOf(r, token), time.Duration(r.Int64N(int64(patience)))) {
					case "killed":
						killed.Add(1)
					case "done":
						s.acknowledge(token)
					}
				}
			})
		}
		busy.Wait()
		lost += int64(s.check())
		total += killed.Load()
		acked += int64(len(s.acked))
	}
	counts(t, int(total), int(total), int(acked), int(lost))
}

// oneOf is any command that needs no other before it.
func (s *site) oneOf(r *rand.Rand, token string) command {
	id := s.issues[r.IntN(len(s.issues))]
	all := [][]string{
		{"q", token}, {"q", token}, {"update", id, "--append-notes", token}, {"label", "add", id, token},
		{"comments", "add", id, token}, {"dep", "add", s.issues[0], s.issues[1], "-t", token}, {"update", id, "--title", token},
		{"interactions", "add", "--kind", "tool_call", "--tool-name", token},
	}
	return s.command(all[r.IntN(len(all))]...).as(token)
}

// killed runs a command and kills it after a time, if it has not ended by then.
func (s *site) killed(c command, after time.Duration) string {
	var stderr strings.Builder
	cmd := c.cmd()
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		s.Errorf("%q: %v", c.args, err)
		return "failed"
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	switch status := cmd.ProcessState.Sys().(syscall.WaitStatus); {
	case status.Signaled():
		return "killed"
	case err != nil:
		s.Errorf("%q: %v\n%s", c.args, err, stderr.String())
		return "failed"
	}
	return "done"
}

// A daemon is killed at any moment while commands write and it publishes.
func TestKillDaemon(t *testing.T) {
	p := newPool(t)
	const each = 50
	for from := 0; from < *daemonKills; from += each {
		r, writing := chance(1<<21+uint64(from)), chance(1<<22+uint64(from))
		p.part(t, fmt.Sprintf("from %d", from), func(s *site) *site {
			for killed := 0; killed < min(each, *daemonKills-from) && !s.Failed(); {
				if s.killDaemon(r, writing) {
					killed++
					s = p.next(s, 1)
				}
			}
			return s
		})
	}
}

// killDaemon kills a daemon after a time while commands write, and reports
// whether it was still there.
func (s *site) killDaemon(r, writing *rand.Rand) bool {
	var busy sync.WaitGroup
	ended := make(chan struct{})
	busy.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
			}
			token := s.token()
			if result := s.run(s.oneOf(writing, token)); result.code == 0 {
				s.acknowledge(token)
			} else {
				s.Errorf("exit code %d\n%s", result.code, result.stderr)
			}
		}
	})
	d := s.command("daemon", "start", "--foreground")
	d.env = append(append([]string{}, d.env...), "BEADS_DAEMON_DEBOUNCE_INTERVAL=20ms", "BEADS_DAEMON_MAX_SYNC_FREQUENCY=100ms", "BD_GIT_REMOTE_INTERVAL=100ms")
	got := s.killed(d, time.Duration(50+r.Int64N(300))*time.Millisecond)
	close(ended)
	busy.Wait()
	return got == "killed"
}
