// Package replica keeps the historical copy of the operations, the Git ref
// refs/beads/ops, equal with the workspace, and carries it to and from a Git
// remote. Its steps are Publish (workspace to ref), Fetch (remote to workspace
// and ref), Push (ref to remote) and Sync, which is all of them; each is
// synchronous and idempotent, and may be broken off anywhere.
//
// The ref holds immutable batch files, so two histories unite by the union of
// their trees and nothing can conflict; absence means nothing. All histories
// share one root commit, byte for byte; a ref with another root is refused. Only
// objects and refs below refs/beads/ are written, with the compare-and-swap of
// git fast-import, and no push is forced. For a moment there is a repository of our
// own below .git/beads, with the tip that a clone joins by.
//
// Sharing is a decision: nothing is pushed, and no remote asked, before
// SyncOptions.Publish, or SyncOptions.Join where the remote has the ref, has
// pinned a remote and its URL in the workspace's local facts.
//
// What is fetched is foreign input. Every line goes through op.Read and enters
// through workspace.Commit; what cannot be read is quarantined with its place,
// refs/beads/ops:PATH; the paths in a tree are text and never touch a file
// system.
//
// Cost: what a step does depends on what is new since the commit that the
// database recorded, with the rows that this commit covers. That record may be
// lost with the database, and may name a commit that the history lost; then the
// whole tree is read once. The small files of days long past are consolidated,
// so that who begins from the ref reads few. A clone that joins reads the tip alone;
// until the history has come with the next step it is "joining", and publishes
// nothing but what is known to be made here.
//
// Durability: an operation that was fetched is in the log before the record of
// it is made. What Publish wrote is fsynced by git.
//
// Concurrency: steps of all processes exclude each other by .beads/sync.lock,
// which is held over the network; the workspace's write lock is not. Commands
// go on meanwhile.
package replica
