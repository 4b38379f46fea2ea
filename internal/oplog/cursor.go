package oplog

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// tailSize is how much before the offset a cursor vouches for, in bytes.
const tailSize = 4096

// Cursor is how far a copy was read. The zero Cursor means: never.
type Cursor struct {
	// Info is what was observed when the cursor was taken. Where the cursor
	// stops before what was observed, Info.Size is Offset, so that the next
	// Check says Grown; but an unfinished last line counts as observed.
	Info   Info
	Offset int64    // bytes consumed
	Lines  int64    // physical lines consumed, an unterminated one included
	Tail   [32]byte // SHA-256 of the last min(4096, Offset) bytes before Offset
}

// State says how a copy relates to its cursor.
type State int

// The states of a copy.
const (
	Fresh   State = iota // nothing changed
	Grown                // same file, same tail, longer: read the suffix
	Changed              // anything else: full scan
)

func (s State) String() string {
	switch s {
	case Fresh:
		return "fresh"
	case Grown:
		return "grown"
	case Changed:
		return "changed"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// Check is the fresh check: fstat first; only when that differs in the size of
// the same file, the tail hash. It needs no lock. A file that kept its size but
// not its times is Changed, whatever its tail: an edit in place may be anywhere.
func (l *Log) Check(c Cursor) (State, error) {
	info, err := l.Stat()
	if err != nil {
		return Changed, err
	}
	if info == c.Info {
		return Fresh, nil
	}
	if !info.Same(c.Info) || info.Size <= c.Info.Size || info.Size < c.Offset {
		return Changed, nil
	}
	tail, err := l.tail(c.Offset)
	if errors.Is(err, io.EOF) {
		return Changed, nil // cut since the fstat
	}
	if err != nil {
		return Changed, err
	}
	if tail != c.Tail {
		return Changed, nil
	}
	return Grown, nil
}

// tail hashes the bytes before offset. An error that wraps io.EOF means that
// the file is shorter than offset.
func (l *Log) tail(offset int64) ([32]byte, error) {
	buf := make([]byte, min(tailSize, offset))
	if err := l.readFull(buf, offset-int64(len(buf))); err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(buf), nil
}

// readFull fills buf from off on. Fewer bytes are an error that wraps io.EOF.
func (l *Log) readFull(buf []byte, off int64) error {
	for len(buf) > 0 {
		n, err := l.file.ReadAt(buf, off)
		if n == len(buf) {
			return nil
		}
		if err == nil && n == 0 {
			err = io.ErrNoProgress
		}
		if err != nil {
			return fmt.Errorf("read log %s at byte %d: %w", l.path, off+int64(n), err)
		}
		buf, off = buf[n:], off+int64(n)
	}
	return nil
}
