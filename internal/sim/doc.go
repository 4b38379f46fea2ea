// Package sim holds nothing but tests. The first are a simulation of three to
// five replicas in one process, in which people change the same issues at the same time, the
// clocks are wrong, the network is cut, late, repeats itself and reorders, disks
// fail and files are lost. When it is quiet again all replicas must have the
// same issues, byte for byte, and nothing that was acknowledged may be missing.
//
// One seed decides everything: what happens, the time on every clock and every
// random byte that product code asks for. So the same seed gives the same run,
// and a failure says with which flags it is run again:
//
//	go test ./internal/sim -run 'TestModel$' -sim.seed=123 -sim.cases=1
//
// -sim.cases=N and -sim.git=N run so many seeds, from -sim.seed on: the first
// over a network in memory, which carries lines from one workspace to another,
// the second over a real Git remote.
//
// The others make the figures of docs/scale.md. A fleet of up to a thousand clones
// over one remote is simulated with a clock of its own (TestScale): when a clone
// asks, publishes and tries again is decided by the product's code, and what Git
// does by a ledger, which is held against real replicas over real Git (TestLedger,
// TestRaces). TestVolume weighs a long history. Flags make them large.
package sim
