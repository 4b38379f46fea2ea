package oplog_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"beads/internal/op"
	"beads/internal/oplog"
)

func TestScan(t *testing.T) {
	a, b, c := string(line(1)), string(line(2)), string(line(3))
	const torn = `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"do":"cre`
	tests := []struct {
		name    string
		content string
		want    []string // found, in order; "bad" matches any reason
		lines   []int64  // their line numbers
		left    int      // bytes at the end that stay unconsumed
	}{
		{"empty", "", nil, nil, 0},
		{"two lines", text(1, 2), []string{"bd-1", "bd-2"}, []int64{1, 2}, 0},
		{"no final newline", a + "\n" + b, []string{"bd-1", "bd-2"}, []int64{1, 2}, 0},
		{"CRLF", a + "\r\n" + b + "\r\n", []string{"bd-1", "bd-2"}, []int64{1, 2}, 0},
		{"CR and no LF at the end", a + "\r\n" + b + "\r", []string{"bd-1", "bd-2"}, []int64{1, 2}, 0},
		{"BOM", "\xef\xbb\xbf" + a + "\n", []string{"bd-1"}, []int64{1}, 0},
		{"BOM in the middle, as cat leaves it", a + "\n\xef\xbb\xbf" + b + "\n", []string{"bd-1", "bd-2"}, []int64{1, 2}, 0},
		{"blank lines", "\n\n" + a + "\n \t\n" + b + "\n\n", []string{"bd-1", "bd-2"}, []int64{3, 5}, 0},
		{"only blanks", "\n \n  ", nil, nil, 0},
		{"glued", a + b + "\n" + c + "\n", []string{"bd-1", "bd-2", "bd-3"}, []int64{1, 1, 2}, 0},
		{"glued without newline", a + b, []string{"bd-1", "bd-2"}, []int64{1, 1}, 0},
		{"legacy record", `{"id":"bd-old","title":"x"}` + "\n", []string{"legacy bd-old"}, []int64{1}, 0},
		{"garbage in the middle", a + "\ngarbage\n" + b + "\n", []string{"bd-1", "bad", "bd-2"}, []int64{1, 2, 3}, 0},
		{"conflict markers", "<<<<<<< HEAD\n" + a + "\n=======\n" + b + "\n>>>>>>> other\n",
			[]string{"bad", "bd-1", "bad", "bd-2", "bad"}, []int64{1, 2, 3, 4, 5}, 0},
		{"torn last line", a + "\n" + torn, []string{"bd-1"}, []int64{1}, len(torn)},
		{"torn line closed off", torn + "\n" + a + "\n", []string{"bad", "bd-1"}, []int64{1, 2}, 0},
		{"torn line glued to a good one", torn + a + "\n", []string{"bad", "bd-1"}, []int64{1, 1}, 0},
		{"good glued to a torn last one", a + torn, nil, nil, len(a + torn)},
		{"NUL tail", a + "\n" + repeat("\x00", 300), []string{"bd-1"}, []int64{1}, 300},
		{"NUL tail closed off", a + "\n" + repeat("\x00", 300) + "\n" + b + "\n",
			[]string{"bd-1", "bad: 300 NUL bytes", "bd-2"}, []int64{1, 2, 3}, 0},
		{"NULs before a good line", repeat("\x00", 300) + a + "\n", []string{"bad: 300 NUL bytes", "bd-1"}, []int64{1, 1}, 0},
		{"NULs before a legacy record", "\x00\x00" + `{"id":"bd-old"}` + "\n",
			[]string{"bad: 2 NUL bytes", "legacy bd-old"}, []int64{1, 1}, 0},
		{"NULs after a good line", a + "\x00\n" + b + "\n", []string{"bd-1", "bad: 1 NUL bytes", "bd-2"}, []int64{1, 1, 2}, 0},
		{"line over the limit", repeat("x", op.MaxLine+1) + "\n" + a + "\n", []string{"bad", "bd-1"}, []int64{1, 2}, 0},
		{"giant line", repeat("x", 9<<20) + "\n" + a + "\n",
			[]string{"bad: line of 9437184 bytes, over the limit", "bd-1"}, []int64{1, 2}, 0},
		{"giant last line", a + "\n" + repeat("x", 5<<20), []string{"bd-1"}, []int64{1}, 5 << 20},
		{"giant blank line", repeat(" ", 2<<20) + "\n" + a + "\n", []string{"bd-1"}, []int64{2}, 0},
		{"a record at the limit is no bad line", limitLine() + "\n", []string{"legacy bd-limit"}, []int64{1}, 0},
		{"two records at the limit glued", limitLine() + limitLine() + "\n", []string{"legacy bd-limit", "legacy bd-limit"}, []int64{1, 1}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := open(t, oplog.OS{}, logFile(t, tt.content))
			var got []string
			var numbers []int64
			to, err := l.Scan(t.Context(), oplog.Cursor{}, nil, func(e oplog.Entry) error {
				got = append(got, found(e))
				numbers = append(numbers, e.Line)
				place := tt.content[e.Offset:]
				if e.Bad == nil && !strings.HasPrefix(place, string(e.Record.Line)) {
					t.Errorf("record is not at its offset %d", e.Offset)
				}
				if e.Bad != nil && (len(e.Raw) == 0 || !strings.HasPrefix(place, string(e.Raw)) || len(e.Raw) > op.MaxLine) {
					t.Errorf("%d raw bytes, not those at offset %d", len(e.Raw), e.Offset)
				}
				return nil
			})
			must(t, err)
			if len(got) != len(tt.want) {
				t.Fatalf("found %q, want %q", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] && !(tt.want[i] == "bad" && strings.HasPrefix(got[i], "bad: ")) {
					t.Errorf("entry %d is %q, want %q", i, got[i], tt.want[i])
				}
			}
			if !slices.Equal(numbers, tt.lines) {
				t.Errorf("line numbers %v, want %v", numbers, tt.lines)
			}
			if want := int64(len(tt.content) - tt.left); to.Offset != want {
				t.Errorf("Offset = %d, want %d", to.Offset, want)
			}
			// What was seen costs nothing again.
			check(t, l, to, oplog.Fresh)
			again, after := scan(t, l, to)
			if len(again) > 0 || after != to {
				t.Errorf("scanning again finds %q and moves the cursor from %+v to %+v", again, to, after)
			}
		})
	}
}

// limitLine is a legacy record of exactly op.MaxLine bytes.
func limitLine() string {
	const head, tail = `{"id":"bd-limit","notes":"`, `"}`
	return head + repeat("x", op.MaxLine-len(head)-len(tail)) + tail
}

// A line that came in pieces is one line, with one number, whenever it was
// looked at in between.
func TestScanContinuesInsideLine(t *testing.T) {
	path := logFile(t, string(line(1)))
	l := open(t, oplog.OS{}, path)
	steps := []struct {
		name  string
		write string
		want  []string
		at    []int64
	}{
		{"no newline yet", "", []string{"bd-1"}, []int64{1}},
		{"the newline alone", "\n", nil, nil},
		{"next without newline", string(line(2)), []string{"bd-2"}, []int64{2}},
		{"glued to it", string(line(3)) + "\n", []string{"bd-3"}, []int64{2}},
		{"the first half", string(line(4)[:20]), nil, nil},
		{"the second half", string(line(4)[20:]), []string{"bd-4"}, []int64{3}},
		{"newline and one more", "\n" + text(5), []string{"bd-5"}, []int64{4}},
		{"half a giant", repeat("x", 5<<20), nil, nil},
		{"the other half", "x\n" + text(6), []string{"bad: line of 5242881 bytes, over the limit", "bd-6"}, []int64{5, 6}},
	}
	var cursor oplog.Cursor
	for i, step := range steps {
		foreign(t, path, step.write)
		if i > 0 {
			check(t, l, cursor, oplog.Grown)
		}
		var got []string
		var at []int64
		var err error
		cursor, err = l.Scan(t.Context(), cursor, nil, func(e oplog.Entry) error {
			got, at = append(got, found(e)), append(at, e.Line)
			return nil
		})
		must(t, err)
		if !slices.Equal(got, step.want) || !slices.Equal(at, step.at) {
			t.Fatalf("%s: found %q at lines %v, want %q at %v", step.name, got, at, step.want, step.at)
		}
	}
}

func TestScanSkip(t *testing.T) {
	l := open(t, oplog.OS{}, logFile(t, text(1, 2)+string(line(3))+text(4)+"garbage\n"+string(line(5))))
	var asked, got []string
	to, err := l.Scan(t.Context(), oplog.Cursor{}, func(raw []byte) bool {
		asked = append(asked, string(raw))
		return string(raw) != string(line(2))
	}, func(e oplog.Entry) error {
		got = append(got, found(e))
		return nil
	})
	must(t, err)
	want := []string{string(line(1)), string(line(2)), string(line(3)), string(line(4)), "garbage", string(line(5))}
	if !slices.Equal(asked, want) || !slices.Equal(got, []string{"bd-2"}) {
		t.Fatalf("asked for %q, found %q", asked, got)
	}
	check(t, l, to, oplog.Fresh)
	if info, err := l.Stat(); err != nil || to.Offset != info.Size || to.Lines != 5 {
		t.Fatalf("cursor %+v does not cover what was skipped", to)
	}
}

// However a scan ends early, the next one goes on right behind it.
func TestScanEndsEarly(t *testing.T) {
	l := open(t, oplog.OS{}, logFile(t, text(1)+string(line(2))+text(3)+text(4)))
	broken := errors.New("database full")
	all := []string{"bd-1", "bd-2", "bd-3", "bd-4"}
	for stop := 1; stop <= len(all); stop++ {
		for _, reason := range []error{oplog.ErrStop, broken, context.Canceled} {
			ctx, cancel := context.WithCancelCause(t.Context())
			var got []string
			to, err := l.Scan(ctx, oplog.Cursor{}, nil, func(e oplog.Entry) error {
				got = append(got, found(e))
				if len(got) < stop {
					return nil
				}
				if reason == context.Canceled {
					cancel(reason)
					return nil
				}
				return reason
			})
			cancel(nil)
			if reason == oplog.ErrStop {
				must(t, err)
			} else if !errors.Is(err, reason) {
				t.Fatalf("Scan = %v, want %v", err, reason)
			}
			if last := stop == len(all); !last {
				check(t, l, to, oplog.Grown)
			}
			rest, end := scan(t, l, to)
			if got := append(got, rest...); !slices.Equal(got, all) {
				t.Fatalf("stopped by %v after %d: found %q in two parts", reason, stop, got)
			}
			if _, whole := scan(t, l, oplog.Cursor{}); whole != end {
				t.Fatalf("stopped by %v after %d: cursor %+v, want %+v", reason, stop, end, whole)
			}
		}
	}
}

func TestScanCancelled(t *testing.T) {
	l := open(t, oplog.OS{}, logFile(t, text(1)))
	cause := errors.New("asked to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := l.Scan(ctx, oplog.Cursor{}, nil, func(oplog.Entry) error {
		t.Error("an entry after the end of the context")
		return nil
	})
	if err != cause {
		t.Fatalf("Scan = %v, want the cause", err)
	}
}

// The file may shrink or grow while it is read.
func TestScanOfMovingFile(t *testing.T) {
	var numbers []int
	for n := range 3000 { // more than one read
		numbers = append(numbers, n)
	}
	tests := []struct {
		name string
		move func(path string)
		want oplog.State
	}{
		{"emptied", func(path string) { must(t, os.Truncate(path, 0)) }, oplog.Changed},
		{"cut", func(path string) { must(t, os.Truncate(path, 1000)) }, oplog.Changed},
		{"grown", func(path string) { foreign(t, path, text(9000)) }, oplog.Grown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := logFile(t, text(numbers...))
			l := open(t, oplog.OS{}, path)
			n := 0
			to, err := l.Scan(t.Context(), oplog.Cursor{}, nil, func(e oplog.Entry) error {
				if n++; n == 1 {
					tt.move(path)
				}
				if e.Bad == nil && e.Record.Op.Issue == "bd-9000" {
					t.Error("read beyond the size that the scan began with")
				}
				return nil
			})
			if tt.want == oplog.Changed {
				// Either the tail cannot be vouched for, or Check tells.
				if err != nil {
					if to != (oplog.Cursor{}) {
						t.Fatalf("cursor %+v beside error %v", to, err)
					}
					return
				}
			} else {
				must(t, err)
			}
			check(t, l, to, tt.want)
		})
	}
}

func BenchmarkScan(b *testing.B) {
	var all []byte
	for n := range 10_000 {
		all = append(append(all, line(n)...), '\n')
	}
	path := b.TempDir() + "/issues.jsonl"
	must(b, os.WriteFile(path, all, 0o600))
	l, err := oplog.Open(oplog.OS{}, path, false)
	must(b, err)
	defer l.Close()
	for name, skip := range map[string]func([]byte) bool{"decode": nil, "skip": func([]byte) bool { return true }} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(all)))
			for b.Loop() {
				_, err := l.Scan(b.Context(), oplog.Cursor{}, skip, func(oplog.Entry) error { return nil })
				must(b, err)
			}
		})
	}
}
