package oplog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"beads/internal/op"
)

// Append writes the lines (not empty, no LF inside, at most op.MaxLine bytes)
// in one write, starting with a newline if the file does not end in one, and
// fsyncs. It returns the cursor advanced over them if from stood at the file's
// end before and nobody else wrote meanwhile; else from, unchanged, so that the
// next Check finds what it does not cover: the lines may then be read again.
//
// An error about the lines leaves the Log in order. After a failed write or
// fsync the Log is broken: that call and all later ones return the reason, the
// lines may be in the file in whole, in part or not at all, and the caller has
// to open it again. The lock is the caller's business.
func (l *Log) Append(lines [][]byte, from Cursor) (Cursor, error) {
	if len(lines) == 0 && l.broken == nil {
		return from, nil
	}
	w, err := l.write(lines)
	if err != nil {
		return from, err
	}
	if err := l.sync(w); err != nil {
		return from, err
	}
	return l.advance(from, w), nil
}

// written is an append between its write and its end.
type written struct {
	before Info // of the file
	bytes  int64
	lines  int64
}

// write is the part of Append up to and including its write.
func (l *Log) write(lines [][]byte) (written, error) {
	if l.broken != nil {
		return written{}, fmt.Errorf("append to %s: not after an earlier failure: %w", l.path, l.broken)
	}
	if err := checkLines(lines); err != nil {
		return written{}, fmt.Errorf("append to %s: %w", l.path, err)
	}
	before, err := l.Stat()
	if err != nil {
		return written{}, err
	}
	block, err := l.block(lines, before)
	if err != nil {
		return written{}, err
	}
	n, err := l.file.Write(block)
	if err == nil && n < len(block) {
		err = fmt.Errorf("disk or limit full: %w", io.ErrShortWrite)
	}
	if err != nil {
		l.broken = err
		return written{}, fmt.Errorf("append to %s: write (%d of %d bytes went out): %w", l.path, n, len(block), err)
	}
	return written{before: before, bytes: int64(len(block)), lines: int64(len(lines))}, nil
}

// sync makes w durable.
func (l *Log) sync(w written) error {
	if err := l.file.Sync(); err != nil {
		l.broken = err
		return fmt.Errorf("append to %s: fsync: %w", l.path, err)
	}
	if w.before.Size > 0 {
		return nil
	}
	// Whoever made the file may have died before it synced the directory.
	if err := l.fs.SyncDir(filepath.Dir(l.path)); err != nil {
		l.broken = err
		return fmt.Errorf("append to %s: fsync directory: %w", l.path, err)
	}
	return nil
}

func checkLines(lines [][]byte) error {
	for i, line := range lines {
		switch {
		case len(line) == 0:
			return fmt.Errorf("line %d of %d is empty", i+1, len(lines))
		case len(line) > op.MaxLine:
			return fmt.Errorf("line %d of %d is %d bytes long, over %d", i+1, len(lines), len(line), op.MaxLine)
		case bytes.IndexByte(line, '\n') >= 0:
			return fmt.Errorf("line %d of %d has a line break inside", i+1, len(lines))
		}
	}
	return nil
}

// block is what one write appends: the lines, each terminated. A torn or
// unterminated last line is closed off first, never cut.
func (l *Log) block(lines [][]byte, info Info) ([]byte, error) {
	size := 1
	for _, line := range lines {
		size += len(line) + 1
	}
	block := make([]byte, 0, size)
	if info.Size > 0 {
		var last [1]byte
		if err := l.readFull(last[:], info.Size-1); errors.Is(err, io.EOF) {
			last[0] = '\n' // cut to who knows where since the fstat; an empty line costs nothing
			block = append(block, '\n')
		} else if err != nil {
			return nil, err
		}
		if last[0] != '\n' {
			block = append(block, '\n')
		}
	}
	for _, line := range lines {
		block = append(block, line...)
		block = append(block, '\n')
	}
	return block, nil
}

// advance is the cursor after our own append, or from when that is in doubt.
// The lines are durable by now, so nothing here is an error.
func (l *Log) advance(from Cursor, w written) Cursor {
	if from.Info != w.before || from.Offset != w.before.Size {
		return from
	}
	after, err := l.Stat()
	if err != nil || !after.Same(w.before) || after.Size != w.before.Size+w.bytes {
		return from
	}
	tail, err := l.tail(after.Size)
	if err != nil {
		return from
	}
	return Cursor{Info: after, Offset: after.Size, Lines: from.Lines + w.lines, Tail: tail}
}
