package oplog

import (
	"bytes"
	"context"

	"beads/internal/op"
)

const (
	aheadBlock = 256 << 10      // bytes of lines that are decoded at once
	aheadLeast = 4 * aheadBlock // for less a second goroutine is not worth it
)

// block is some lines of a file, decoded.
type block struct {
	buf   []byte // the lines lie in it
	lines []cutLine
	parts []part
	err   error // of the read behind the lines
	last  bool
}

// cutLine is a line whose parts are parts[from:to] of its block.
type cutLine struct {
	physicalLine
	from, to int
}

// runAhead is run, with lines read and decoded while those before them are
// yielded.
func (s *scanner) runAhead(ctx context.Context, r *lineReader) error {
	filled, free, stop := make(chan *block), make(chan *block, 2), make(chan struct{})
	free <- &block{}
	free <- &block{}
	go func() {
		defer close(filled)
		decoder := op.Decoder{Stream: s.decode.Stream}
		for b := range free {
			b.fill(r, &decoder)
			select {
			case filled <- b:
			case <-stop:
				return
			}
			if b.last {
				return
			}
		}
	}()
	defer func() {
		close(stop)
		close(free)
		for range filled {
			// The other goroutine still reads the file.
		}
	}()
	for b := range filled {
		for _, line := range b.lines {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			done, err := s.line(line.physicalLine, b.parts[line.from:line.to])
			if done || err != nil {
				return err
			}
		}
		if b.err != nil {
			return &readError{b.err}
		}
		free <- b
	}
	return nil
}

// fill reads and decodes the next lines in place of those that the block has.
func (b *block) fill(r *lineReader, decoder *op.Decoder) {
	if b.buf == nil {
		b.buf = make([]byte, 0, aheadBlock)
	}
	b.buf, b.lines, b.parts = b.buf[:0], b.lines[:0], b.parts[:0]
	for full := false; !full; {
		line, err := r.next()
		if err != nil || line.size == 0 {
			b.err, b.last = err, true
			return
		}
		if full = len(b.buf)+len(line.content) > aheadBlock; full {
			line.content = bytes.Clone(line.content)
		} else {
			start := len(b.buf)
			b.buf = append(b.buf, line.content...)
			line.content = b.buf[start:len(b.buf):len(b.buf)]
		}
		from := len(b.parts)
		b.parts = cut(line, decoder.Stream, b.parts)
		for i := from; i < len(b.parts); i++ {
			b.parts[i].read(decoder)
		}
		b.lines = append(b.lines, cutLine{line, from, len(b.parts)})
	}
}
