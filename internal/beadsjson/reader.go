package beadsjson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"beads/internal/op"
)

// Chunk is a run of consecutive lines. Its records share no memory with the
// Reader and may be kept.
type Chunk struct {
	Records []op.Record
	Lines   []int64 // the 1-based line of each record
	Bad     []BadLine
	Bytes   int64 // input consumed so far, over all chunks
}

// BadLine is a line that could not be read; it gives no record.
type BadLine struct {
	Line   int64  `json:"line"` // 1-based
	Reason string `json:"reason"`
}

// maxChunk bounds the bytes of one chunk's lines: lines may be op.MaxLine long,
// so a number of records alone would not bound memory.
const maxChunk = 16 << 20

// Reader reads a file of snapshot records and operations.
type Reader struct {
	in      *bufio.Reader
	decoder op.Decoder
	line    int64
	bytes   int64
	end     bool
}

// NewReader reads from r, which need not be seekable.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 256<<10)}
}

// Next returns the next chunk of at least one and about n records, and io.EOF
// after the last. A line that cannot be read is reported in the chunk and ends
// nothing; only a failing input does.
func (r *Reader) Next(n int) (Chunk, error) {
	var chunk Chunk
	size := 0
	for !r.end && len(chunk.Records)+len(chunk.Bad) < n && size < maxChunk {
		raw, tooLong, err := r.readLine()
		if err != nil {
			return Chunk{}, fmt.Errorf("reading line %d: %w", r.line+1, err)
		}
		if r.end && len(raw) == 0 && !tooLong {
			break
		}
		r.line++
		size += len(raw)
		if tooLong {
			chunk.Bad = append(chunk.Bad, BadLine{r.line, fmt.Sprintf("longer than %d bytes", op.MaxLine)})
			continue
		}
		r.decode(&chunk, raw)
	}
	chunk.Bytes = r.bytes
	if r.end && len(chunk.Records) == 0 && len(chunk.Bad) == 0 {
		return Chunk{}, io.EOF
	}
	return chunk, nil
}

// decode takes a line apart, in which records may be glued together.
func (r *Reader) decode(chunk *Chunk, raw []byte) {
	for _, part := range op.Split(raw) {
		record, err := r.decoder.Read(part)
		if err != nil {
			chunk.Bad = append(chunk.Bad, BadLine{r.line, err.Error()})
			continue
		}
		chunk.Records = append(chunk.Records, record)
		chunk.Lines = append(chunk.Lines, r.line)
	}
}

// maxRaw is what a line may be with a BOM, blanks and CR that are not part of
// it.
const maxRaw = op.MaxLine + 1024

// readLine reads one line into memory of its own, without its LF. A longer one
// than may be is skipped and reported, whatever its length.
func (r *Reader) readLine() (line []byte, tooLong bool, err error) {
	for {
		part, err := r.in.ReadSlice('\n')
		r.bytes += int64(len(part))
		if !tooLong {
			line = append(line, part...)
		}
		if len(line) > maxRaw {
			line, tooLong = nil, true
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			r.end = true
		case err != nil:
			return nil, false, err
		}
		return bytes.TrimSuffix(line, []byte("\n")), tooLong, nil
	}
}
