package oplog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"beads/internal/oplog"
)

// piece draws what a writer, ours or foreign, or a fault may leave in a log.
// whole pieces are records or stand on lines of their own; the others are
// fragments that may spoil what they touch.
func piece(t *rapid.T, n int) (content []byte, whole bool) {
	good := line(n)
	switch rapid.SampledFrom([]string{
		"line", "line", "line", "crlf", "bare", "bom", "glued", "blank", "marker", "garbage",
		"torn", "nuls", "soup",
	}).Draw(t, "piece") {
	case "crlf":
		return append(good, "\r\n"...), true
	case "bare":
		return good, true
	case "bom":
		return slices.Concat([]byte("\xef\xbb\xbf"), good, []byte("\n")), true
	case "glued":
		return slices.Concat(good, line(n+100_000), []byte("\n")), true
	case "blank":
		return []byte(" \r\n\n"), true
	case "marker":
		return []byte("\n<<<<<<< HEAD\n"), true
	case "garbage":
		return []byte("\n{\"a\":\n"), true
	case "torn":
		return good[:rapid.IntRange(1, len(good)-1).Draw(t, "torn at")], false
	case "nuls":
		return make([]byte, rapid.IntRange(1, 40).Draw(t, "NULs")), false
	case "soup":
		return rapid.SliceOfN(rapid.SampledFrom([]byte("{}\"\\\n\r \x00,:a1\xff")), 1, 30).Draw(t, "soup"), false
	}
	return append(good, '\n'), true
}

func tempDir(t *rapid.T) (dir string) {
	dir, err := os.MkdirTemp("", "oplog")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openIn(t *rapid.T, fsys oplog.FS, path string) *oplog.Log {
	l, err := oplog.Open(fsys, path, true)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// position is an entry without what it aliases.
type position struct {
	what         string
	line, offset int64
}

// Reading a log in two parts, split wherever a cursor can stand, gives what
// reading it at once gives: the same entries at the same places, and the same
// cursor. Where fragments touch records, the record that was read early may
// only be read better, never be lost.
func TestScanInTwoParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var content []byte
		clean := true
		for n := range rapid.IntRange(0, 12).Draw(t, "pieces") {
			p, whole := piece(t, n)
			content = append(content, p...)
			clean = clean && whole
		}
		cut := rapid.IntRange(0, len(content)).Draw(t, "cut")
		path := filepath.Join(tempDir(t), "issues.jsonl")
		must(t, os.WriteFile(path, content[:cut], 0o600))
		l := openIn(t, oplog.OS{}, path)
		read := func(from oplog.Cursor) (all []position, to oplog.Cursor) {
			to, err := l.Scan(t.Context(), from, nil, func(e oplog.Entry) error {
				all = append(all, position{found(e), e.Line, e.Offset})
				return nil
			})
			must(t, err)
			return all, to
		}
		parts, cursor := read(oplog.Cursor{})
		check(t, l, cursor, oplog.Fresh)
		foreign(t, path, string(content[cut:]))
		if cut < len(content) {
			check(t, l, cursor, oplog.Grown)
		}
		rest, cursor := read(cursor)
		parts = append(parts, rest...)
		whole, end := read(oplog.Cursor{})
		if clean {
			if !slices.Equal(parts, whole) || cursor != end {
				t.Fatalf("in two parts %v to %+v\nat once %v to %+v", parts, cursor, whole, end)
			}
			return
		}
		for _, p := range whole {
			if p.what[:3] == "bd-" && !slices.Contains(parts, p) {
				t.Fatalf("%v was lost by reading in two parts: %v", p, parts)
			}
		}
	})
}

// Whatever stands in the file and whatever others append meanwhile, each line
// that we appended is read again, once by the cursor that we got and once by a
// full scan; and what stood there before is still there, byte for byte.
func TestAppendedLinesAreNeverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(tempDir(t), "issues.jsonl")
		l := openIn(t, oplog.OS{}, path)
		var cursor oplog.Cursor
		var ours, seen []string
		var before []byte
		for n := range rapid.IntRange(1, 15).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "foreign", "scan", "reopen"}).Draw(t, "step") {
			case "append":
				k := rapid.IntRange(1, 3).Draw(t, "lines")
				var batch [][]byte
				for i := range k {
					batch = append(batch, line(1_000_000+10*n+i))
					ours = append(ours, found(record(t, batch[i])))
				}
				to, err := l.Append(batch, cursor)
				must(t, err)
				if state, err := l.Check(to); err != nil || to == cursor && state == oplog.Fresh {
					t.Fatalf("Check = %v, %v with the cursor that was not moved", state, err)
				}
				if to != cursor {
					// The cursor covers them without a scan.
					seen = append(seen, ours[len(ours)-k:]...)
				}
				cursor = to
			case "foreign":
				p, _ := piece(t, n)
				foreign(t, path, string(p))
			case "scan":
				got, to := scan(t, l, cursor)
				seen, cursor = append(seen, got...), to
			case "reopen":
				must(t, l.Close())
				l = openIn(t, oplog.OS{}, path)
			}
			now := []byte(read(t, path))
			if !bytes.HasPrefix(now, before) {
				t.Fatalf("bytes that stood there changed:\n%q\n%q", before, now)
			}
			before = now
		}
		got, _ := scan(t, l, cursor)
		seen = append(seen, got...)
		whole, _ := scan(t, l, oplog.Cursor{})
		for _, what := range ours {
			if !slices.Contains(seen, what) || !slices.Contains(whole, what) {
				t.Fatalf("%s is lost: by cursor %q, by full scan %q", what, seen, whole)
			}
		}
	})
}

// FuzzScan reads any bytes, cut anywhere: no panic, no line read twice or
// skipped over, and a record that a full scan finds is found in two parts too.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		"", text(1, 2), string(line(1)) + string(line(2)), text(1) + "\x00\x00\x00", "\xef\xbb\xbf" + text(1),
		"<<<<<<< HEAD\n" + text(1) + "=======\n", `{"id":"a"}` + "\r\n", "{}\n{", `{"op":"`, "\n\n\n",
	} {
		f.Add([]byte(seed), uint(len(seed)/2))
	}
	path := filepath.Join(f.TempDir(), "issues.jsonl")
	f.Fuzz(func(t *testing.T, content []byte, cut uint) {
		at := int(cut % uint(len(content)+1))
		must(t, errors.Join(os.RemoveAll(path), os.WriteFile(path, content[:at], 0o600)))
		l := open(t, oplog.OS{}, path)
		first, cursor := records(t, l, oplog.Cursor{}, content)
		foreign(t, path, string(content[at:]))
		second, _ := records(t, l, cursor, content)
		whole, end := records(t, l, oplog.Cursor{}, content)
		for offset, line := range whole {
			if first[offset] != line && second[offset] != line {
				t.Fatalf("the record at %d is lost by reading in two parts", offset)
			}
		}
		check(t, l, end, oplog.Fresh)
	})
}

// records scans and returns the good lines by offset; it checks that entries
// come in order and show the bytes of the file.
func records(t *testing.T, l *oplog.Log, from oplog.Cursor, content []byte) (map[int64]string, oplog.Cursor) {
	t.Helper()
	good := map[int64]string{}
	next, number := from.Offset, from.Lines
	to, err := l.Scan(t.Context(), from, nil, func(e oplog.Entry) error {
		raw := e.Raw
		if e.Bad == nil {
			raw = e.Record.Line
			good[e.Offset] = string(raw)
		}
		if e.Offset < next || e.Line < number || !bytes.HasPrefix(content[e.Offset:], raw) || len(raw) == 0 {
			t.Fatalf("entry at %d, line %d, is not there or not in order", e.Offset, e.Line)
		}
		next, number = e.Offset+int64(len(raw)), e.Line
		return nil
	})
	must(t, err)
	if to.Offset < next || to.Lines < number {
		t.Fatalf("the cursor %+v stands before what was yielded", to)
	}
	return good, to
}
