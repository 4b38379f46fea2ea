// Package git is all that touches the user's repository. It knows nothing of
// issues. It has two halves.
//
// The first reads what Git keeps in files: where a repository is, what its
// index tracks, what its configuration says, where a ref points and what a new
// object holds. It runs no child process, takes no lock and writes nothing, so
// that commands which only read stay fast. What is not plain there is asked of
// the second half.
//
// The second runs the git binary, always through Runner, and works with objects
// and with the refs it is told to and nothing else: HEAD, index, worktree,
// branches, stash, hooks, configuration and FETCH_HEAD stay byte for byte as
// they are. Git's hooks, monitors, prompts, signing and automatic maintenance
// are off for these calls.
//
// Durability: calls that write ask Git to fsync objects and refs (core.fsync,
// Git 2.36; stock Git syncs neither, and a power loss then leaves empty objects
// behind). A ref moves only from the value that the caller names, or to a
// descendant of what it is: the compare-and-swap of every writer. Only a tracking
// ref becomes what the remote has, whatever it was.
//
// Concurrency: a Runner keeps no state between calls, and any number may run.
// Every call is bounded in time and output; one that is cut off leaves no
// process and no temporary file of its own.
//
// Errors of calls are *Error, one line with the credentials of URLs removed,
// wrapping the sentinel that callers branch on.
package git
