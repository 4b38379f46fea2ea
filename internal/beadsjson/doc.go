// Package beadsjson reads and writes the JSONL snapshot format of upstream
// beads: one issue a line, with its labels, dependencies and comments inside
// it. The reader also takes an operation log, or a mix of both.
//
// Deleted issues are written as tombstones, since nothing follows from the
// absence of a record.
//
// Both directions stream: a Reader holds one chunk, a Writer one issue. The
// output is a function of the issues alone: written in the order of Write, with
// comments by time, author and text and numbered from 1, so that exporting what
// was imported from an export gives the same bytes.
//
// WriteFile and Keep replace a file as a whole or not at all. Nothing here is safe for
// concurrent use of one value.
package beadsjson
