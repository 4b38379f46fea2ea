package op

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// Hash is the line hash: SHA-256 of the line's bytes.
func Hash(line []byte) [32]byte { return sha256.Sum256(line) }

// Wins reports whether line a counts before line b, both of the same id: a
// valid sum first, then the smaller bytes. It is false for equal lines.
func Wins(a, b []byte) bool {
	sumA, sumB := sumHolds(a), sumHolds(b)
	if sumA != sumB {
		return sumA
	}
	return bytes.Compare(a, b) < 0
}

const (
	sumStart  = `,"sum":"`
	sumDigits = 8
	sumLength = len(sumStart) + sumDigits + len(`"}`)
)

// cutSum returns the digits of the sum that ends line canonically.
func cutSum(line []byte) (digits []byte, ok bool) {
	n := len(line) - sumLength
	if n < 0 || string(line[n:n+len(sumStart)]) != sumStart || string(line[len(line)-2:]) != `"}` {
		return nil, false
	}
	return line[n+len(sumStart) : len(line)-2], true
}

// sumHolds reports whether line ends in its own sum.
func sumHolds(line []byte) bool {
	digits, ok := cutSum(line)
	if !ok {
		return false
	}
	want := appendSum(make([]byte, 0, sumDigits), line[:len(line)-sumLength])
	return bytes.Equal(digits, want)
}

// appendSum appends the digits for a line that consists of body, its sum and
// the closing brace.
func appendSum(dst, body []byte) []byte {
	h := sha256.New()
	h.Write(body) // never fails
	h.Write([]byte("}"))
	var sum [sha256.Size]byte
	return hex.AppendEncode(dst, h.Sum(sum[:0])[:sumDigits/2])
}
