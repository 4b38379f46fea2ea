// Package projection is the SQLite read model: the third copy of the set of
// operations and the folded issues that every query is answered from.
//
// Guarantees. The database is derived: it may be deleted at any moment and is
// rebuilt from the log. It holds every line verbatim (table operation), so it
// is also what a damaged log is restored from. Two databases with the same
// operations have the same derived rows, whatever the order and the batches
// they came in (Query.Fingerprint).
//
// Durability: WAL with synchronous=NORMAL. After a power loss the database is
// consistent and at worst behind the log; its cursors are written in the same
// transaction as the operations they cover, so it knows how far behind.
//
// Concurrency: one process writes at a time, by the lock of the caller
// (package workspace); any number read meanwhile, each from a snapshot. A DB
// is one connection and serves one goroutine.
//
// There are no schema migrations. A database of another version is rebuilt in
// place in one transaction, so that readers keep the old answers until then;
// one that is not ours is set aside and never believed.
package projection
