package op

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// ID is an operation id: a ULID whose 48-bit time (milliseconds) and next 16
// bits are a hybrid logical clock, the other 64 random. Order of ids =
// order of their strings = Compare. The zero ID is no id.
type ID [16]byte

const (
	idLength = 26
	// endMillis is 2200-01-01T00:00:00Z: no id may reach it. The room left
	// below 48 bits is what keeps one wrong clock from ending the sequence.
	endMillis = 7258118400000
	// maxAhead is how far the time of an id may be ahead of this machine's
	// before the clock stops following it.
	maxAhead = 24 * time.Hour
)

// ParseID reads the canonical text: 26 upper-case Crockford characters, at
// most 128 bits, before the year 2200, and not zero.
func ParseID(s string) (ID, error) {
	u, err := ulid.ParseStrict(s)
	if err != nil {
		return ID{}, fmt.Errorf("operation id %q: %w", clip(s), err)
	}
	id := ID(u)
	// The library also reads lower case, which would give one operation two
	// texts.
	if id.String() != s {
		return ID{}, fmt.Errorf("operation id %q is not in its canonical form", clip(s))
	}
	if err := id.check(); err != nil {
		return ID{}, fmt.Errorf("operation id %q: %w", s, err)
	}
	return id, nil
}

// IDRange are the least and the greatest id whose texts begin with start, in
// upper or lower case; ok is false if no id can.
func IDRange(start string) (least, greatest ID, ok bool) {
	if start == "" || len(start) > idLength {
		return ID{}, ID{}, false
	}
	start = strings.ToUpper(start)
	missing := idLength - len(start)
	low, lowErr := ulid.ParseStrict(start + strings.Repeat("0", missing))
	high, highErr := ulid.ParseStrict(start + strings.Repeat("Z", missing))
	return ID(low), ID(high), lowErr == nil && highErr == nil
}

func (id ID) check() error {
	switch {
	case id.IsZero():
		return errors.New("is zero")
	case id.millis() >= endMillis:
		return errors.New("time is after the year 2200")
	}
	return nil
}

// String is the canonical text.
func (id ID) String() string { return ulid.ULID(id).String() }

// Compare is -1, 0 or 1 as id is before, equal to or after other.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// IsZero reports whether id is the zero ID.
func (id ID) IsZero() bool { return id == ID{} }

// Time is the 48-bit time, UTC, in whole milliseconds.
func (id ID) Time() time.Time { return time.UnixMilli(id.millis()).UTC() }

// Counter is the logical part of the clock: the 16 bits after the time.
func (id ID) Counter() uint16 { return binary.BigEndian.Uint16(id[6:8]) }

// FarAhead reports whether id is more than 24 hours ahead of now. Such ids are
// applied, but the clock does not follow them except for their own issue, so
// that a wrong clock elsewhere cannot carry everyone along.
func (id ID) FarAhead(now time.Time) bool { return id.Time().Sub(now) > maxAhead }

// MinID is the smallest id of t's millisecond. A time outside what ids can
// tell is clamped to the nearest that they can.
func MinID(t time.Time) ID {
	return makeID(min(max(t.UnixMilli(), 0), endMillis-1), 0, 0)
}

func (id ID) millis() int64 {
	return int64(binary.BigEndian.Uint64(id[:8]) >> 16)
}

func (id ID) low() uint64 { return binary.BigEndian.Uint64(id[8:]) }

func makeID(millis int64, counter uint16, low uint64) ID {
	var id ID
	binary.BigEndian.PutUint64(id[:8], uint64(millis)<<16|uint64(counter))
	binary.BigEndian.PutUint64(id[8:], low)
	return id
}

// successor is the clock value that follows id's: counter + 1 or, when the
// counter is full, the next millisecond.
func (id ID) successor() (millis int64, counter uint16) {
	if c := id.Counter(); c < 1<<16-1 {
		return id.millis(), c + 1
	}
	return id.millis() + 1, 0
}

// clip shortens s for an error message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
