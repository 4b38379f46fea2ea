package trigram

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrDamaged: the file is not as it was written, or is none of ours.
var ErrDamaged = errors.New("text index is damaged")

// ErrOther: a segment, but made for another owner.
var ErrOther = errors.New("text index of another owner")

// What one lookup reads of a segment at most: more would cost more than the few
// documents that it spares the caller.
const (
	mostTrigrams = 16
	mostLists    = 6
	fewEnough    = 16 // documents
)

// Segment is an open segment. Safe for concurrent use.
type Segment struct {
	Header
	file   io.ReaderAt
	size   int64
	header []byte
	width  uint
}

// Open reads the header of a segment of that size. Errors wrap ErrDamaged, ErrOther
// or what file says.
func Open(file io.ReaderAt, size int64, owner [ownerSize]byte) (*Segment, error) {
	header := make([]byte, headerSize)
	if size < int64(headerSize) {
		return nil, fmt.Errorf("%w: %d bytes", ErrDamaged, size)
	}
	if _, err := file.ReadAt(header, 0); err != nil {
		return nil, short(err)
	}
	s := &Segment{file: file, size: size, header: header}
	rest := header[len(magic):]
	copy(s.Owner[:], rest)
	switch {
	case string(header[:len(magic)]) != magic:
		return nil, fmt.Errorf("%w: it does not begin like one", ErrDamaged)
	case s.Owner != owner: // before a stranger's file has us read more of it
		return nil, ErrOther
	}
	rest = rest[ownerSize:]
	copy(s.Mark[:], rest)
	rest = rest[markSize:]
	s.To = int64(binary.LittleEndian.Uint64(rest))
	s.Part = binary.LittleEndian.Uint32(rest[8:])
	s.width = uint(binary.LittleEndian.Uint32(rest[12:]))
	note := int64(binary.LittleEndian.Uint32(rest[16:]))
	if s.width < fewestBits || s.width > mostBits || note > size-int64(headerSize) {
		return nil, fmt.Errorf("%w: its header", ErrDamaged)
	}
	if note > 0 {
		s.Note = make([]byte, note)
		if _, err := file.ReadAt(s.Note, int64(headerSize)); err != nil {
			return nil, short(err)
		}
	}
	if string(header) != string(s.encode(s.width)) {
		return nil, fmt.Errorf("%w: its header", ErrDamaged)
	}
	return s, nil
}

// Lookup adds to found the documents that may hold text, which is at least Least
// bytes long when folded. On an error found is not to be used.
func (s *Segment) Lookup(text string, found *Set) error {
	lists, err := s.lists(text)
	if err != nil {
		return err
	}
	var common, next Set
	for n, l := range lists {
		into := &next
		if n == 0 {
			into = &common
		}
		if err := s.read(l, into); err != nil {
			return err
		}
		if n > 0 {
			common.Intersect(&next)
		}
		if common.Len() <= fewEnough {
			break
		}
	}
	found.Unite(&common)
	return nil
}

// extent is where a list is.
type extent struct {
	number     uint32
	start, end int64
}

// lists are where the lists are that a text has to be in, the shortest first.
func (s *Segment) lists(text string) ([]extent, error) {
	text = Fold(text)
	if len(text) < Least {
		return nil, fmt.Errorf("text of %d bytes is too short to be looked up", len(text))
	}
	var found []extent
	offsets := int64(headerSize + len(s.Note))
	lists := offsets + 4*(1<<s.width+1)
	for n := 0; n+Least <= len(text) && len(found) < mostTrigrams; n++ {
		number := list(uint32(text[n])<<16|uint32(text[n+1])<<8|uint32(text[n+2]), s.width)
		if slices.ContainsFunc(found, func(e extent) bool { return e.number == number }) {
			continue
		}
		var ends [8]byte
		if _, err := s.file.ReadAt(ends[:], offsets+4*int64(number)); err != nil {
			return nil, short(err)
		}
		e := extent{number, lists + int64(binary.LittleEndian.Uint32(ends[:])), lists + int64(binary.LittleEndian.Uint32(ends[4:]))}
		if length := e.end - e.start; length < sumSize || length > sumSize+setSize || e.end > s.size {
			return nil, fmt.Errorf("%w: list %d", ErrDamaged, number)
		}
		found = append(found, e)
	}
	slices.SortFunc(found, func(a, b extent) int { return cmp.Compare(a.end-a.start, b.end-b.start) })
	return found[:min(len(found), mostLists)], nil
}

// short tells a file that was cut off.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is cut off", ErrDamaged)
	}
	return err
}

// read reads a list into set.
func (s *Segment) read(e extent, set *Set) error {
	record := make([]byte, e.end-e.start)
	if _, err := s.file.ReadAt(record, e.start); err != nil {
		return short(err)
	}
	documents := record[sumSize:]
	if binary.LittleEndian.Uint32(record) != checksum(s.header, e.number, documents) {
		return fmt.Errorf("%w: list %d", ErrDamaged, e.number)
	}
	if len(documents) == setSize {
		for n := range set {
			set[n] = binary.LittleEndian.Uint64(documents[8*n:])
		}
		return nil
	}
	*set = Set{}
	return set.decode(documents)
}

// decode adds the documents of a list that is kept as distances.
func (s *Set) decode(distances []byte) error {
	document := uint64(0)
	for len(distances) > 0 {
		distance, n := binary.Uvarint(distances)
		document += distance
		if n <= 0 || distance == 0 || distance > Span || document > Span {
			return fmt.Errorf("%w: a list", ErrDamaged)
		}
		s.Add(uint16(document - 1))
		distances = distances[n:]
	}
	return nil
}
