package trigram

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/bits"
	"unicode/utf8"
)

// Layout of a segment, in little-endian numbers: the header; the caller's note; the
// offset of every list and of their end, 4 bytes each, counted from behind these; the
// lists. The checksum of the header is over the note too. A list
// is its checksum and then its documents, either as the distances between them (each
// a varint, the first from -1) or, where that is longer, as the Set. Nothing is
// behind the checksum of an empty list, so that a lost list is not taken for one.
const (
	magic      = "bd3gram\x01"
	ownerSize  = 16
	markSize   = 16
	headerSize = len(magic) + ownerSize + markSize + 8 + 4 + 4 + 4 + sumSize
	sumSize    = 4
	setSize    = Span / 8

	fewestBits, mostBits = 11, 16
)

// Header is what a segment says of itself. All but the owner means what the caller
// wants it to. A note is for a few kilobytes.
type Header struct {
	Owner [ownerSize]byte
	Mark  [markSize]byte
	Part  uint32
	To    int64
	Note  []byte
}

// encode is the header with its checksum, without the note.
func (h *Header) encode(width uint) []byte {
	b := append(make([]byte, 0, headerSize), magic...)
	b = append(b, h.Owner[:]...)
	b = append(b, h.Mark[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.To))
	b = binary.LittleEndian.AppendUint32(b, h.Part)
	b = binary.LittleEndian.AppendUint32(b, uint32(width))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.Note)))
	sum := crc32.Update(crc32.Checksum(b, castagnoli()), castagnoli(), h.Note)
	return binary.LittleEndian.AppendUint32(b, sum)
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// checksum binds a list to its segment and its number.
func checksum(header []byte, number uint32, documents []byte) uint32 {
	sum := crc32.Update(crc32.Checksum(header, castagnoli()), castagnoli(), binary.LittleEndian.AppendUint32(nil, number))
	return crc32.Update(sum, castagnoli(), documents)
}

// Builder collects documents for a segment. Not safe for concurrent use.
type Builder struct {
	header Header
	width  uint     // the logarithm of the number of lists
	lists  [][]byte // distances
	last   []uint32 // the last document of each list, counted from 1
	lower  [256]byte
}

// NewBuilder makes a builder of a segment for about that many documents.
func NewBuilder(h Header, documents int) *Builder {
	width := uint(min(max(bits.Len(uint(documents))+3, fewestBits), mostBits))
	b := &Builder{header: h, width: width, lists: make([][]byte, 1<<width), last: make([]uint32, 1<<width)}
	for n := range b.lower {
		b.lower[n] = byte(n)
		if 'A' <= n && n <= 'Z' {
			b.lower[n] += 'a' - 'A'
		}
	}
	return b
}

// Add adds a document, which is less than Span and greater than the one before,
// with its texts.
func (b *Builder) Add(document uint16, texts ...string) {
	for _, text := range texts {
		for n := range len(text) {
			if text[n] >= utf8.RuneSelf {
				text = Fold(text)
				break
			}
		}
		b.add(uint32(document)+1, text)
	}
}

func (b *Builder) add(document uint32, text string) {
	if len(text) < Least {
		return
	}
	trigram := uint32(b.lower[text[0]])<<8 | uint32(b.lower[text[1]])
	for n := 2; n < len(text); n++ {
		trigram = (trigram<<8 | uint32(b.lower[text[n]])) & 0xffffff
		k := list(trigram, b.width)
		if b.last[k] != document {
			b.lists[k] = binary.AppendUvarint(b.lists[k], uint64(document-b.last[k]))
			b.last[k] = document
		}
	}
}

// WriteTo writes the segment. The builder is not used after.
func (b *Builder) WriteTo(w io.Writer) (int64, error) {
	header := b.header.encode(b.width)
	offset := 0
	offsets := make([]byte, 0, 4*(len(b.lists)+1))
	for n, distances := range b.lists {
		if len(distances) >= setSize {
			b.lists[n] = asSet(distances)
		}
		offsets = binary.LittleEndian.AppendUint32(offsets, uint32(offset))
		offset += sumSize + len(b.lists[n])
	}
	offsets = binary.LittleEndian.AppendUint32(offsets, uint32(offset))
	out := &counter{w: w, buffer: make([]byte, 0, 64<<10)}
	out.write(header)
	out.write(b.header.Note)
	out.write(offsets)
	for n, documents := range b.lists {
		out.write(binary.LittleEndian.AppendUint32(nil, checksum(header, uint32(n), documents)))
		out.write(documents)
	}
	out.flush()
	return out.written, out.err
}

// asSet is the other form of a list.
func asSet(distances []byte) []byte {
	var set Set
	_ = set.decode(distances)
	b := make([]byte, 0, setSize)
	for _, word := range set {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b
}

// counter gathers what is written, and keeps the first error.
type counter struct {
	w       io.Writer
	buffer  []byte
	written int64
	err     error
}

func (c *counter) write(p []byte) {
	if c.buffer = append(c.buffer, p...); len(c.buffer) >= 32<<10 {
		c.flush()
	}
}

func (c *counter) flush() {
	if c.err == nil {
		var n int
		n, c.err = c.w.Write(c.buffer)
		c.written += int64(n)
	}
	c.buffer = c.buffer[:0]
}
