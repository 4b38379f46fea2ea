// Package metrics counts what a daemon does: counters since it started, gauges
// that it samples, and histograms of how long its steps took. A [Snapshot] of
// them is what the control socket answers, as JSON or as OpenMetrics text.
//
// There is nothing at package level and no registry: a [Set] is a value with
// fixed names, so a name is a field and a wrong one does not compile.
//
// Durability: none. Everything begins at zero with the daemon.
//
// Concurrency: a Set may be used by several goroutines. A Snapshot is one
// consistent moment.
package metrics
