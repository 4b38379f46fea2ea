// Package trigram is an index of texts that tells which of many documents may
// hold a given text, in whatever case.
//
// Guarantees. A document that holds the text is always among the answers; others
// may be, so the caller looks at each. What was damaged after it was written is an
// error (ErrDamaged) and never a shorter answer: whatever an answer rests on
// carries a checksum. A segment is bound to its owner, a secret of the caller's;
// one made for another owner is not opened.
//
// A segment is written whole and never altered. It covers at most Span documents.
// It is as large as about half of the texts in it, and making one takes about twice
// that memory.
//
// A text is folded, cut into three bytes at every place, and each of these trigrams
// has a list of the documents that hold it. Trigrams share lists by a hash, the more
// the fewer documents there are.
package trigram

import (
	"iter"
	"math/bits"
	"strings"
)

// Span is how many documents a segment can tell apart: 0 to Span-1.
const Span = 1 << 15

// Least is the length in bytes, folded, of the shortest text that can be looked up.
const Least = 3

// Fold maps texts that differ only in case to the same one, rune by rune. Of a text
// that is all ASCII it is the lower case.
func Fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// Set is a set of documents of one segment.
type Set [Span / 64]uint64

// Add adds a document.
func (s *Set) Add(document uint16) { s[document/64] |= 1 << (document % 64) }

// Has reports whether a document is in the set.
func (s *Set) Has(document uint16) bool { return s[document/64]>>(document%64)&1 != 0 }

// All are the documents in the set, in order.
func (s *Set) All() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for n, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(uint16(64*n + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// Len is how many documents are in the set.
func (s *Set) Len() int {
	count := 0
	for _, word := range s {
		count += bits.OnesCount64(word)
	}
	return count
}

// Unite adds the documents of another set.
func (s *Set) Unite(other *Set) {
	for n := range s {
		s[n] |= other[n]
	}
}

// Intersect leaves those that are in the other set too.
func (s *Set) Intersect(other *Set) {
	for n := range s {
		s[n] &= other[n]
	}
}

const multiplier = 0x9e3779b1 // Knuth's: 2^32 divided by the golden ratio

// list is the number of the list that a trigram is in, of 1<<bits lists.
func list(trigram uint32, bits uint) uint32 { return trigram * multiplier >> (32 - bits) }
