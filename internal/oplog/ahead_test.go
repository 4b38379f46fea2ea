package oplog_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"

	"beads/internal/oplog"
)

// far is more bytes than are read ahead of the caller at once.
const far = 2 << 20

// sighting is an entry that outlives its scan.
type sighting struct {
	found, raw   string
	line, offset int64
}

func sightings(l *oplog.Log, skip func([]byte) bool, then func(n int) error) (all []sighting, cursor oplog.Cursor, err error) {
	cursor, err = l.Scan(context.Background(), oplog.Cursor{}, skip, func(e oplog.Entry) error {
		all = append(all, sighting{found(e), string(e.Raw), e.Line, e.Offset})
		return then(len(all))
	})
	return all, cursor, err
}

// mixed is a long file with everything in it that a line can be.
func mixed() []byte {
	var file bytes.Buffer
	for n := 0; file.Len() < far; n++ {
		file.Write(line(n))
		switch n % 500 {
		case 100:
			file.Write(line(100_000 + n)) // glued
		case 200:
			file.WriteString("\n<<<<<<< HEAD")
		case 300:
			file.WriteString("\n\x00\x00\x00")
			file.Write(line(200_000 + n))
		case 400:
			file.WriteString("\n" + repeat("x", 300_000))
		}
		file.WriteByte('\n')
	}
	return file.Bytes()
}

// A long file is decoded on another goroutine, which finds what one alone does.
func TestScanAhead(t *testing.T) {
	broken := errors.New("broken")
	for name, last := range map[string]string{"finished": "", "without a line end": string(line(999_999)), "torn": `{"op":"01`} {
		t.Run(name, func(t *testing.T) {
			l := open(t, oplog.OS{}, logFile(t, string(mixed())+last))
			for stop, with := range map[int]error{-1: nil, 700: oplog.ErrStop, 1500: broken} {
				then := func(n int) error {
					if n == stop {
						return with
					}
					return nil
				}
				want, wantCursor, wantErr := sightings(l, func([]byte) bool { return false }, then)
				got, cursor, err := sightings(l, nil, then)
				if !reflect.DeepEqual(got, want) || cursor != wantCursor || !errors.Is(err, wantErr) {
					t.Errorf("stopped at %d: %d entries, %+v, %v\nwant %d entries, %+v, %v",
						stop, len(got), cursor, err, len(want), wantCursor, wantErr)
				}
				if len(got) < min(stop, 2000) {
					t.Errorf("only %d entries", len(got))
				}
			}
		})
	}
}

func TestScanAheadEndsWithItsContext(t *testing.T) {
	l := open(t, oplog.OS{}, logFile(t, string(mixed())))
	ctx, cancel := context.WithCancelCause(context.Background())
	enough := errors.New("enough")
	entries := 0
	_, err := l.Scan(ctx, oplog.Cursor{}, nil, func(oplog.Entry) error {
		entries++
		cancel(enough)
		return nil
	})
	if !errors.Is(err, enough) || entries != 1 {
		t.Errorf("%d entries, %v", entries, err)
	}
}

// The twin of a file has the cursor that a scan would give it.
func TestTwin(t *testing.T) {
	content := repeat(text(1, 2), 1000)
	middle := len(content) / 2
	first := open(t, oplog.OS{}, logFile(t, content))
	_, cursor := scan(t, first, oplog.Cursor{})
	for name, c := range map[string]struct {
		content string
		want    bool
	}{
		"the same":     {content, true},
		"longer":       {content + "\n", false},
		"shorter":      {content[:len(content)-1], false},
		"another byte": {content[:middle] + "#" + content[middle+1:], false},
		"empty":        {"", false},
	} {
		l := open(t, oplog.OS{}, logFile(t, c.content))
		twin, same := l.Twin(first, cursor)
		if same != c.want {
			t.Errorf("%s: %v", name, same)
		}
		if !same {
			continue
		}
		if _, want := scan(t, l, oplog.Cursor{}); twin != want {
			t.Errorf("%s: %+v, want %+v", name, twin, want)
		}
		check(t, l, twin, oplog.Fresh)
	}
}
