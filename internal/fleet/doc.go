// Package fleet is where daemons show themselves and are found: the lock and the
// state file by which a daemon of one workspace is known, and how to start it in
// the background, ask it, stop it, and list all that this user runs.
//
// What is believed: the kernel, for the lock that is held and the process at the
// other end of a socket. What a file says (a PID, a host, a state) is for
// people; nobody is signalled because of it.
//
// Patience is bounded: a daemon that hangs costs a command less than a second,
// whatever it asks. The lock is waited for in the kernel.
//
// Durability: nothing here must survive. The state file is replaced whole and
// not fsynced; lock files stay when their lock is free.
//
// Concurrency: functions may be called together; a [Lock] is for one goroutine.
package fleet
