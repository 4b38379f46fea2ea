package oplog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"beads/internal/op"
)

// Entry is one record found in a scan: exactly one of Record and Bad is set.
type Entry struct {
	Record op.Record
	Bad    *op.BadLine
	// Raw is what could not be read, without LF: the whole of it up to
	// op.MaxLine bytes, of anything longer the first 4 KiB. nil for a Record.
	Raw    []byte
	Line   int64 // 1-based physical line number; glued records share it
	Offset int64 // of the first byte in the file
}

// ErrStop is what yield returns to end a scan early without an error.
var ErrStop = errors.New("stop the scan")

// Scan reads from the cursor's offset (zero: from the start) to the end that
// the file has when the scan begins, and calls yield for each entry in order.
// Whether from still describes the file is for Check to say.
//
// An unfinished last line that cannot be read yields nothing and is not
// consumed, but the cursor remembers the size so that the next Check is Fresh.
// A last line that only lacks its LF is read and consumed.
//
// skip, if not nil, is asked first with each line as split; when it returns
// true, the line is not decoded (fast path for lines already held).
//
// The returned cursor covers what was yielded or skipped. When yield returns
// ErrStop, or an error, or ctx ends, it covers everything before and including
// that entry, Check says Grown for it, and Scan returns nil, the error, or ctx's
// cause. Exception: if the file cannot be read, the cursor is from.
//
// Entries alias a buffer: they are valid until yield returns. Without skip a long
// file is read and decoded on another goroutine, which has ended when Scan
// returns; skip and yield are called on the caller's.
func (l *Log) Scan(ctx context.Context, from Cursor, skip func(line []byte) bool, yield func(Entry) error) (Cursor, error) {
	info, err := l.Stat()
	if err != nil {
		return from, err
	}
	s := scanner{skip: skip, yield: yield, offset: from.Offset, lines: from.Lines, decode: op.Decoder{Stream: l.Stream}}
	if from.Offset > 0 {
		var last [1]byte
		if err := l.readFull(last[:], from.Offset-1); err != nil {
			return from, err
		}
		s.inside = last[0] != '\n'
	}
	run := s.run
	if skip == nil && info.Size-from.Offset > aheadLeast {
		run = s.runAhead
	}
	scanErr := run(ctx, newLineReader(l, from.Offset, info.Size))
	var unreadable *readError
	if errors.As(scanErr, &unreadable) {
		return from, fmt.Errorf("scan %s: %w", l.path, unreadable.err)
	}
	to := Cursor{Info: info, Offset: s.offset, Lines: s.lines}
	if to.Tail, err = l.tail(to.Offset); err != nil {
		return from, errors.Join(scanErr, err)
	}
	if scanErr != nil {
		to.Info.Size = to.Offset
	}
	if errors.Is(scanErr, ErrStop) {
		scanErr = nil
	}
	return to, scanErr
}

// readError tells a failed read from what yield returns.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// scanner is a scan under way.
type scanner struct {
	skip   func([]byte) bool
	yield  func(Entry) error
	offset int64 // consumed so far
	lines  int64 // physical lines consumed so far
	inside bool  // offset is inside of a line that lines counts already
	held   []part
	decode op.Decoder
}

// part is one record's worth of a line, with its place and what it decodes to.
type part struct {
	raw    []byte
	offset int64
	entry  Entry
	isRead bool // entry is complete but for the line's number
}

func (s *scanner) run(ctx context.Context, r *lineReader) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, err := r.next()
		if err != nil {
			return &readError{err}
		}
		if line.size == 0 {
			return nil // the end
		}
		s.held = cut(line, s.decode.Stream, s.held[:0])
		done, err := s.line(line, s.held)
		if done || err != nil {
			return err
		}
	}
}

// line handles one physical line, given as its parts. done means that it is unfinished: it was not
// consumed, and nothing comes after it.
func (s *scanner) line(line physicalLine, parts []part) (done bool, err error) {
	number := s.lines + 1
	if s.inside {
		number--
	}
	if line.giant {
		if !line.terminated {
			return true, nil
		}
		reason := fmt.Sprintf("line of %d bytes, over the limit", line.size-1)
		err = s.yield(Entry{Bad: &op.BadLine{Reason: reason}, Raw: line.content, Line: number, Offset: line.offset})
		s.consume(line, number)
		return false, err
	}
	if !line.terminated {
		// All or nothing: decode the parts before any is handed on.
		for i := range parts {
			p := &parts[i]
			if s.skip != nil && s.skip(p.raw) {
				p.raw = nil
			} else if p.read(&s.decode); p.entry.Bad != nil {
				return true, nil
			}
		}
	}
	for i := range parts {
		p := &parts[i]
		if line.terminated {
			if s.skip != nil && s.skip(p.raw) {
				continue
			}
			p.read(&s.decode)
		} else if p.raw == nil {
			continue
		}
		p.entry.Line = number
		end := p.offset + int64(len(p.raw))
		if err := s.yield(p.entry); err != nil {
			if i == len(parts)-1 {
				s.consume(line, number)
			} else {
				// The rest of the line is for the next scan.
				s.offset, s.lines, s.inside = end, number, true
			}
			return false, err
		}
	}
	s.consume(line, number)
	return false, nil
}

func (s *scanner) consume(line physicalLine, number int64) {
	s.offset, s.lines, s.inside = line.offset+line.size, number, !line.terminated
}

// cut appends the records' worth of a line to parts, none of a giant one.
func cut(line physicalLine, stream op.Stream, parts []part) []part {
	if line.giant {
		return parts
	}
	for piece := range nulPieces(line) {
		parts = split(piece, stream, parts)
	}
	return parts
}

// split appends the records of piece to parts.
func split(piece part, stream op.Stream, parts []part) []part {
	if piece.raw[0] == 0 {
		piece.entry = Entry{Offset: piece.offset}
		return append(parts, piece)
	}
	at := 0
	for _, raw := range stream.Split(piece.raw) {
		// The parts come in order and only blanks lie between them, so the
		// first match is the part itself.
		at += max(bytes.Index(piece.raw[at:], raw), 0)
		offset := piece.offset + int64(at)
		parts = append(parts, part{raw: raw, offset: offset, entry: Entry{Offset: offset}})
		at += len(raw)
	}
	return parts
}

// read decodes the part, unless that was done.
func (p *part) read(d *op.Decoder) {
	if p.isRead {
		return
	}
	p.isRead = true
	var err error
	if p.raw[0] == 0 {
		err = &op.BadLine{Reason: fmt.Sprintf("%d NUL bytes", len(p.raw))}
	} else {
		p.entry.Record, err = d.Read(p.raw)
	}
	if err == nil {
		return
	}
	if !errors.As(err, &p.entry.Bad) {
		p.entry.Bad = &op.BadLine{Reason: err.Error()}
	}
	p.entry.Record = op.Record{}
	p.entry.Raw = clip(p.raw)
}

// clip bounds what is kept of unreadable bytes.
func clip(raw []byte) []byte {
	if len(raw) > op.MaxLine {
		return raw[:giantHead]
	}
	return raw
}

// nulPieces cuts a line at runs of NULs, which a power loss leaves where a
// foreign tool then appends: what stands beside them may be good. Without NULs
// the line is the one piece.
func nulPieces(line physicalLine) func(func(part) bool) {
	return func(yield func(part) bool) {
		rest, offset := line.content, line.offset
		for len(rest) > 0 {
			n := bytes.IndexByte(rest, 0)
			switch {
			case n < 0:
				n = len(rest)
			case n == 0:
				n = len(rest) - len(bytes.TrimLeft(rest, "\x00"))
			}
			if !yield(part{raw: rest[:n], offset: offset}) {
				return
			}
			rest, offset = rest[n:], offset+int64(n)
		}
	}
}
