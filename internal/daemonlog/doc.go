// Package daemonlog is a daemon's log: written by the daemon, read by whoever
// wants to know, running daemon or not.
//
// Entries have the same keys as text and as JSON, and reading knows both, mixed,
// across rotations. What is no entry (a crash's last words) stays with the entry
// before it. Characters that would act on a terminal are made visible when they
// are written.
//
// Durability: entries are written at once, and not fsynced.
package daemonlog
