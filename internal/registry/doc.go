// Package registry records which daemons run for this user on this machine: one
// small JSON file a daemon, in a directory of the user's own. It knows nothing
// of issues, and asks nobody.
//
// An entry is a hint where to look, never a proof. Its daemon may have been
// killed, its PID may be somebody else's by now, and the file may have been
// written by anyone who is this user. Whether a daemon runs is what the flock in
// its workspace says, and who it is what the kernel says of its socket's peer;
// the PID of an entry is for people and is never signalled.
//
// Reading is bounded, in the size of a file and in their number. A file that is
// no entry is named and left alone. No link is followed, and what another user
// owns or could have written is refused.
//
// Durability: an entry is replaced atomically and fsynced, so that a crash leaves
// the old one, the new one or none. Losing entries costs no data.
//
// Concurrency: any number of processes may read. Put and Remove for one workspace
// are meant for who holds its daemon's lock; Remove takes away only the entry
// that it was given, so that a later daemon's stays.
package registry
