// Package op is the operation: its id and clock, its one-line canonical form,
// and the fold that makes an issue of a set of operations. It is pure.
//
// Order: an issue is the left fold of its operations in the order of their
// ids, so the same set gives the same issue whatever order it arrived in and
// however often. Ids come from a hybrid logical clock (Kulkarni et al.,
// "Logical Physical Clocks", 2014) in the form of ULIDs.
//
// testdata/vectors.jsonl pins every rule of the log format with real lines.
//
// Nothing here is safe for concurrent use of one value; distinct values are
// independent.
package op
