package oplog

import (
	"bytes"
	"errors"
	"io"

	"beads/internal/op"
)

const (
	readSize = 128 << 10 // bytes of one read

	// giantLine bounds a physical line. Several records may be glued on one
	// line, so it is more than one record's limit.
	giantLine = 4 * op.MaxLine
	giantHead = 4 << 10 // how much is kept of what is too long
)

// physicalLine is what lies between two line ends.
type physicalLine struct {
	content    []byte // without LF; of a giant line the first bytes
	offset     int64
	size       int64 // with LF; 0: the end of the file
	terminated bool
	giant      bool
}

// lineReader cuts a file into physical lines, up to a limit that was the
// file's size: what is appended meanwhile is for the next scan. The buffer
// grows to the longest line up to giantLine; longer lines stream through.
type lineReader struct {
	log        *Log
	limit      int64
	offset     int64  // in the file, of pending[0]
	buf        []byte // pending lies in it
	start, end int    // pending is buf[start:end]
	eof        bool
}

func newLineReader(l *Log, from, limit int64) *lineReader {
	size := min(readSize, max(limit-from, 0)+1)
	return &lineReader{log: l, limit: limit, offset: from, buf: make([]byte, size)}
}

// next returns the next line; it aliases the buffer until the next call.
func (r *lineReader) next() (physicalLine, error) {
	searched := 0
	for {
		pending := r.buf[r.start:r.end]
		if n := bytes.IndexByte(pending[searched:], '\n'); n >= 0 {
			return r.take(searched+n, true), nil
		}
		searched = len(pending)
		if searched > giantLine {
			return r.giant()
		}
		if r.eof {
			return r.take(searched, false), nil
		}
		if err := r.fill(); err != nil {
			return physicalLine{}, err
		}
	}
}

// take consumes n pending bytes, and the LF after them if there is one.
func (r *lineReader) take(n int, terminated bool) physicalLine {
	line := physicalLine{
		content:    r.buf[r.start : r.start+n],
		offset:     r.offset,
		size:       int64(n),
		terminated: terminated,
		giant:      n > giantLine,
	}
	if line.giant {
		line.content = line.content[:giantHead]
	}
	if terminated {
		line.size++
	}
	r.start += int(line.size)
	r.offset += line.size
	return line
}

// giant streams through a line of which all that is pending is the start.
func (r *lineReader) giant() (physicalLine, error) {
	line := physicalLine{offset: r.offset, giant: true}
	line.content = bytes.Clone(r.buf[r.start : r.start+giantHead])
	for {
		n := bytes.IndexByte(r.buf[r.start:r.end], '\n') + 1
		line.terminated = n > 0
		if !line.terminated {
			n = r.end - r.start
		}
		line.size += int64(n)
		r.start += n
		r.offset += int64(n)
		if line.terminated || r.eof {
			return line, nil
		}
		if err := r.fill(); err != nil {
			return physicalLine{}, err
		}
	}
}

// fill reads more behind what is pending. A file that shrank ends early.
func (r *lineReader) fill() error {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	at := r.offset + int64(r.end)
	room := min(int64(len(r.buf)-r.end), r.limit-at)
	if room <= 0 {
		r.eof = true
		return nil
	}
	n, err := r.log.file.ReadAt(r.buf[r.end:r.end+int(room)], at)
	r.end += n
	switch {
	case errors.Is(err, io.EOF):
		r.eof = true
		return nil
	case err == nil && n == 0:
		return io.ErrNoProgress
	}
	return err
}
