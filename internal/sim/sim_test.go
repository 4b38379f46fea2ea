package sim

import (
	"flag"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
)

var (
	firstSeed  = flag.Uint64("sim.seed", 1, "the first seed")
	modelCases = flag.Uint64("sim.cases", 12, "how many seeds over a network in memory")
	gitCases   = flag.Uint64("sim.git", 2, "how many seeds over a Git remote")
)

// A kind is a network with the name of the test and of the flag that choose it.
type kind struct {
	test, flag string
	steps      int // at least, and at most three times as many; one seed in eight has four times as many again
	connect    func(*world) network
}

func overModel() kind { return kind{"TestModel", "sim.cases", 30, newModel} }
func overGit() kind   { return kind{"TestGit", "sim.git", 10, newRemote} }

// Replicas that exchange operations over a network in memory.
func TestModel(t *testing.T) { playAll(t, overModel(), *modelCases) }

// Replicas that exchange operations over a Git remote.
func TestGit(t *testing.T) { playAll(t, overGit(), *gitCases) }

// playAll plays each seed twice, at different times among other ones: a failure
// can be run again only if nothing but the seed decides what happens.
func playAll(t *testing.T, k kind, cases uint64) {
	var acknowledged, faults atomic.Int64
	t.Cleanup(func() {
		t.Logf("counts: done=%d faults=%d acknowledged=%d", cases, faults.Load(), acknowledged.Load())
	})
	for seed := *firstSeed; seed < *firstSeed+cases; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			a, b := play(t, seed, k), play(t, seed, k)
			acknowledged.Add(int64(len(a.acknowledged)))
			faults.Add(int64(a.faults))
			for n := range min(len(a.trace), len(b.trace)) {
				if a.trace[n] != b.trace[n] {
					t.Fatalf("the runs part at step %d:\n%s\n%s", n, a.trace[n], b.trace[n])
				}
			}
			if !slices.Equal(a.trace, b.trace) || a.export != b.export {
				t.Errorf("traces of %d and %d steps, exports of %d and %d bytes",
					len(a.trace), len(b.trace), len(a.export), len(b.export))
			}
		})
	}
}
