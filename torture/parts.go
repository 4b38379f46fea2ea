package main

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"time"
)

// A part is one test, or one fuzz target, with how much of it is run.
type part struct {
	name  string // by which it is chosen
	what  string // as the table says it
	dir   string
	test  string // the test's name; "": it is a fuzz target
	sizes []size
}

// size is a flag of a test and its value for the whole.
type size struct {
	flag  string
	whole int
}

// fuzzTime is how long each decoder gets.
const fuzzTime = 10 * time.Minute

// testParts are in the order in which they run: what finds most comes first.
func testParts() []part {
	return []part{
		{"failing/files", "failing file system calls in the process: every one of commit, refresh, rebuild and repair", "internal/workspace", "TestEveryFailing.*", []size{{"failing.pairs", 1}}},
		{"failing/git", "failing calls of git: every one of publish, fetch, push, sync, join and recover", "internal/replica", "TestEveryFailingGit", []size{{"failing.git", 0}}},
		{"failing/calls", "failing system calls of the built program, SQLite's too: each call of each command, the errors that it can return, once and for good", "torture", "TestFailingCalls",
			[]size{{"failing", 2000}, {"failing.git", 50}, {"failing.kinds", 10}}},
		{"failing/second", "a second fault while the first is put right", "torture", "TestSecondFault", []size{{"second", 2000}}},
		{"kill/calls", "kill -9 before every file call of every command", "torture", "TestKillAtEachCall", []size{{"sample", 2000}}},
		{"kill/random", "kill -9 of commands at any moment", "torture", "TestKillAtRandom", []size{{"kills", 5000}}},
		{"kill/daemon", "kill -9 of the daemon at any moment", "torture", "TestKillDaemon", []size{{"daemons", 1000}}},
		{"powerloss", "power loss on ext4", "torture", "TestPowerLoss", []size{{"powerlosses", 2000}}},
		{"starts", "daemons started eight at a time", "torture", "TestSimultaneousStarts", []size{{"starts", 50}}},
		{"simulation", "simulated replicas over a network in memory, each seed twice", "internal/sim", "TestModel", []size{{"sim.cases", 10000}}},
		{"simulation/git", "simulated replicas over a Git remote, each seed twice", "internal/sim", "TestGit", []size{{"sim.git", 300}}},
		{"acceptance", "three clones with daemons that are killed, of the built program", "internal/acceptance", "TestConvergence", []size{{"rounds", 50}}},
	}
}

// allParts are the tests, and every fuzz target that there is.
func allParts(ctx context.Context) ([]part, error) {
	out, err := exec.CommandContext(ctx, "scripts/fuzz.sh", "-l").Output()
	if err != nil {
		return nil, fmt.Errorf("fuzz targets: %w", err)
	}
	parts := testParts()
	for target := range strings.FieldsSeq(string(out)) {
		parts = append(parts, part{name: "fuzz/" + strings.TrimPrefix(target, "internal/"), what: "fuzzing " + target, dir: target})
	}
	return parts, nil
}

// scaled is a size at a scale; nothing is scaled to nothing.
func (s size) scaled(scale float64) int {
	if s.whole == 0 {
		return 0
	}
	return max(1, int(math.Round(float64(s.whole)*scale)))
}

func (p part) duration(scale float64) time.Duration {
	return max(time.Second, time.Duration(float64(fuzzTime)*scale)).Round(time.Second)
}

// command is what runs the part.
func (p part) command(ctx context.Context, scale float64) *exec.Cmd {
	if p.test == "" {
		return exec.CommandContext(ctx, "scripts/fuzz.sh", p.duration(scale).String(), p.dir)
	}
	args := []string{"test", "-vet=off", "-count=1", "-timeout=24h", "-v", "-run", "^" + p.test + "$", "./" + p.dir}
	for _, s := range p.sizes {
		args = append(args, fmt.Sprintf("-%s=%d", s.flag, s.scaled(scale)))
	}
	return exec.CommandContext(ctx, "go", args...)
}

func (p part) describe(scale float64) string {
	if p.test == "" {
		return p.duration(scale).String()
	}
	var sizes []string
	for _, s := range p.sizes {
		sizes = append(sizes, fmt.Sprintf("%s %d", s.flag, s.scaled(scale)))
	}
	return strings.Join(sizes, ", ")
}
