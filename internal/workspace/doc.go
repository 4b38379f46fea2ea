// Package workspace is the one place where the three copies of the operation
// set meet: it finds the workspace, owns the locks, and has the one write path,
// Commit, and the one way to bring the copies together, Refresh. Nothing else
// in the program writes to a log, a guard copy or a database.
//
// Durability: when Commit returns without an error, its operations are in the
// log and, where there is one, in the guard copy, and both are fsynced. The
// database may be behind; it is derived and catches up on the next call.
//
// Concurrency: any number of processes may use one workspace. Writers exclude
// each other through two flocks, always taken in this order: the lock file
// (db.lock), then the log itself, so that removing the lock file cannot admit a
// second writer. Readers take no lock; one that finds the log ahead of the
// database tries for the lock for at most 50 ms. A Workspace value is for one
// goroutine at a time.
package workspace
