package op

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

// seeded is a source of bytes that is the same in every run.
func seeded(seed uint64) io.Reader {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	return rand.NewChaCha8(key)
}

func TestClockNext(t *testing.T) {
	const now = int64(testMillis)
	full := uint16(1<<16 - 1)
	for _, c := range []struct {
		name        string
		after       []ID
		wantMillis  int64
		wantCounter uint16
		wantErr     error
	}{
		{"nothing before", nil, now, 0, nil},
		{"zero id before", []ID{{}}, now, 0, nil},
		{"older id", []ID{makeID(now-1, 7, 9)}, now, 0, nil},
		{"same millisecond", []ID{makeID(now, 7, 9)}, now, 8, nil},
		{"counter full", []ID{makeID(now, full, 9)}, now + 1, 0, nil},
		{"clock jumped back", []ID{makeID(now+5000, 0, 9)}, now + 5000, 1, nil},
		{"the greatest counts", []ID{makeID(now+2, 1, 9), makeID(now+3, 4, 0), makeID(now, 9, 9)}, now + 3, 5, nil},
		{"one left", []ID{makeID(endMillis-1, full-1, 9)}, endMillis - 1, full, nil},
		{"none left", []ID{makeID(endMillis-1, full, 0)}, 0, 0, ErrClockExhausted},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := Clock{Now: func() time.Time { return time.UnixMilli(now) }, Rand: seeded(1)}
			id, err := clock.Next(c.after...)
			if !errors.Is(err, c.wantErr) {
				t.Fatalf("Next = %v, %v; want error %v", id, err, c.wantErr)
			}
			if id.millis() != c.wantMillis || id.Counter() != c.wantCounter {
				t.Errorf("Next = %d ms, counter %d; want %d, %d", id.millis(), id.Counter(), c.wantMillis, c.wantCounter)
			}
		})
	}
}

func TestClockNextRefuses(t *testing.T) {
	late := Clock{Now: func() time.Time { return time.UnixMilli(endMillis) }, Rand: seeded(1)}
	if id, err := late.Next(); !errors.Is(err, ErrClockExhausted) {
		t.Errorf("in 2200: %v, %v", id, err)
	}
	broken := Clock{Now: func() time.Time { return time.UnixMilli(testMillis) }, Rand: iotest.ErrReader(io.ErrClosedPipe)}
	if id, err := broken.Next(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("without randomness: %v, %v", id, err)
	}
}

// Whatever the wall clock does, a writer that passes the last id on gets ids
// that only grow, and never gets behind what it has seen of others.
func TestClockIsMonotonic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wall := int64(testMillis)
		clock := Clock{Now: func() time.Time { return time.UnixMilli(wall) }, Rand: seeded(rapid.Uint64().Draw(t, "seed"))}
		var last ID
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			wall += rapid.Int64Range(-5000, 5000).Draw(t, "jump")
			seen := []ID{last}
			if rapid.Bool().Draw(t, "foreign") {
				seen = append(seen, makeID(wall+rapid.Int64Range(-10, 10).Draw(t, "skew"),
					rapid.SampledFrom([]uint16{0, 1, 1<<16 - 1}).Draw(t, "counter"), rapid.Uint64Min(1).Draw(t, "low")))
			}
			id, err := clock.Next(seen...)
			if err != nil {
				t.Fatal(err)
			}
			for _, before := range seen {
				if id.Compare(before) <= 0 {
					t.Fatalf("%v is not after %v", id, before)
				}
			}
			if id.millis() < wall {
				t.Fatalf("%v is behind the wall clock %d", id, wall)
			}
			last = id
		}
	})
}

func TestNewIssueID(t *testing.T) {
	form := regexp.MustCompile(`^my-app-[0-9a-z]{10}$`)
	seen := make(map[string]bool)
	source := seeded(7)
	var letters [256]int
	for range 2000 {
		id, err := NewIssueID("my-app", source)
		if err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(id) {
			t.Fatalf("id %q", id)
		}
		if seen[id] {
			t.Fatalf("id %q came twice", id)
		}
		seen[id] = true
		for _, b := range []byte(id[len("my-app-"):]) {
			letters[b]++
		}
	}
	for _, b := range []byte(base36) {
		if letters[b] < 400 || letters[b] > 720 { // 556 expected
			t.Errorf("character %q came %d times of 20000", b, letters[b])
		}
	}
	// Bytes of which 36 is no divisor are not used.
	id, err := NewIssueID("x", bytes.NewReader(append(bytes.Repeat([]byte{255}, 16), make([]byte, 16)...)))
	if err != nil || id != "x-"+strings.Repeat("0", 10) {
		t.Errorf("NewIssueID = %q, %v", id, err)
	}
	if _, err := NewIssueID("x", strings.NewReader("short")); err == nil {
		t.Error("no error without randomness")
	}
}
