// Package daemon is the background process of one workspace: it sees what other
// programs do to the log and its copies and brings the database up to date
// without anyone asking. It has no way of its own to write: its one step is
// workspace.Refresh.
//
// One at most: the daemon holds a flock on .beads/.lock for its life, so a crash
// frees it and a stale lock cannot exist. The file's content only informs
// people. A daemon whose lock file was removed or replaced, or whose workspace
// is gone, says so in its log and leaves; it recreates nothing. Nobody is ever
// signalled because of a PID in a file.
//
// The loop is a thin ticker around public synchronous steps: Refresh, Sync (a
// refresh that counts as a cycle), Export (the snapshot that the settings name),
// Reload (the settings), Look (are lock and socket still ours?), CheckHealth
// (which also mends) and Maintain.
// [Daemon.Tick] runs what is due.
//
// Limits: a long refresh is done in batches, between which others get the write
// lock and the loop waits as long as max_cpu_percent asks. What cannot be divided
// (a rebuild, a check of everything, an exchange) is not paced; neither is a
// refresh that somebody waits for. The limits of memory and of open files hold
// for the whole process.
//
// Durability: the daemon owns nothing that must survive. Its state file may be
// lost.
//
// Concurrency: steps run in one goroutine, [Daemon.Run]'s loop, which the
// control socket asks for one; Status waits for no step. Tests call the steps
// of a Daemon that does not run.
package daemon
