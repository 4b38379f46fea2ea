package op

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrClockExhausted says that an issue holds an id after which none is left
// before the year 2200. It concerns that issue alone.
var ErrClockExhausted = errors.New("clock exhausted: no operation id is left before the year 2200")

// Clock makes ids. The zero Clock is not usable. It keeps no state: what it
// must stay after is passed in, so that any number of processes can share a
// log under its lock.
type Clock struct {
	Now  func() time.Time
	Rand io.Reader // cryptographic
}

// Next returns an id greater than every id in after and than the least id of
// this millisecond. after is the greatest id known that is not FarAhead, and
// the greatest ids of the issues that change. It fails with ErrClockExhausted
// when no successor before 2200 is left.
func (c Clock) Next(after ...ID) (ID, error) {
	millis, counter := max(c.Now().UnixMilli(), 0), uint16(0)
	var last ID
	for _, id := range after {
		if id.Compare(last) > 0 {
			last = id
		}
	}
	if !last.IsZero() && last.millis() >= millis {
		millis, counter = last.successor()
	}
	if millis >= endMillis {
		return ID{}, ErrClockExhausted
	}
	var low [8]byte
	if _, err := io.ReadFull(c.Rand, low[:]); err != nil {
		return ID{}, fmt.Errorf("read randomness for an operation id: %w", err)
	}
	id := makeID(millis, counter, binary.BigEndian.Uint64(low[:]))
	if id.IsZero() {
		id = makeID(millis, counter, 1)
	}
	return id, nil
}

const (
	issueIDLength = 10
	base36        = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// NewIssueID returns prefix, a dash and 10 base36 characters, each equally
// likely, made from rand.
func NewIssueID(prefix string, rand io.Reader) (string, error) {
	id := append(make([]byte, 0, len(prefix)+1+issueIDLength), prefix...)
	id = append(id, '-')
	var buf [16]byte
	for n := 0; n < issueIDLength; {
		if _, err := io.ReadFull(rand, buf[:]); err != nil {
			return "", fmt.Errorf("read randomness for an issue id: %w", err)
		}
		for _, b := range buf {
			// 252 is the greatest multiple of 36 in a byte: taking more
			// would make the first characters likelier.
			if b < 252 && n < issueIDLength {
				id = append(id, base36[b%36])
				n++
			}
		}
	}
	return string(id), nil
}
