package sim

import (
	"flag"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

var (
	firstSeed  = flag.Uint64("sim.seed", 1, "the first seed")
	modelCases = flag.Uint64("sim.cases", 20, "how many seeds over a network in memory")
	gitCases   = flag.Uint64("sim.git", 3, "how many seeds over a Git remote")
)

// A kind is a network with the name of the test and of the flag that choose it.
type kind struct {
	test, flag string
	steps      int // at least, and at most three times as many
	connect    func(*world) network
}

func overModel() kind { return kind{"TestModel", "sim.cases", 60, newModel} }
func overGit() kind   { return kind{"TestGit", "sim.git", 20, newRemote} }

// Replicas that exchange operations over a network in memory.
func TestModel(t *testing.T) { playAll(t, overModel(), *modelCases) }

// Replicas that exchange operations over a Git remote.
func TestGit(t *testing.T) { playAll(t, overGit(), *gitCases) }

func playAll(t *testing.T, k kind, cases uint64) {
	var acknowledged atomic.Int64
	started := time.Now()
	t.Cleanup(func() {
		t.Logf("%d cases, %d operations acknowledged, %.0f s", cases, acknowledged.Load(), time.Since(started).Seconds())
	})
	for seed := *firstSeed; seed < *firstSeed+cases; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			acknowledged.Add(int64(len(play(t, seed, k).acknowledged)))
		})
	}
}

// A failure can be run again only if nothing but the seed decides what happens.
func TestSameSeedSameRun(t *testing.T) {
	for _, test := range []struct {
		kind  kind
		seeds uint64
	}{{overModel(), 2}, {overGit(), 1}} {
		for seed := *firstSeed; seed < *firstSeed+test.seeds; seed++ {
			t.Run(fmt.Sprintf("%s/seed=%d", test.kind.test, seed), func(t *testing.T) {
				t.Parallel()
				a, b := play(t, seed, test.kind), play(t, seed, test.kind)
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
}
