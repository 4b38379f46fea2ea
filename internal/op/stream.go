package op

import "fmt"

// Stream says which of the two append-only logs of a workspace a line belongs
// to. Both have the same bytes rules, ids and sums; they differ in what a line
// says.
type Stream int

// The streams.
const (
	Operations   Stream = iota // issues.jsonl
	Interactions               // interactions.jsonl
)

func (s Stream) String() string {
	switch s {
	case Operations:
		return "operations"
	case Interactions:
		return "interactions"
	}
	return fmt.Sprintf("Stream(%d)", int(s))
}

// start is how a canonical line of the stream begins.
func (s Stream) start() string {
	if s == Interactions {
		return interactionStart
	}
	return canonicalStart
}

// PeekID returns the id of a canonical line without decoding it, false if the
// line does not start as one. It does not mean that the line can be read.
func (s Stream) PeekID(line []byte) (ID, bool) {
	start := s.start()
	end := len(start) + idLength
	if len(line) <= end || string(line[:len(start)]) != start || line[end] != '"' {
		return ID{}, false
	}
	id, err := ParseID(string(line[len(start):end]))
	return id, err == nil
}
