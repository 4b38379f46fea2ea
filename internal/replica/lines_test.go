package replica

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// FuzzBatch: every byte of a file of operations is in exactly one line, whose
// number and place are right, however long the lines are.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{"", "\n", "a", "a\nb", "a\r\n\n\nb\n", "\x00\xff\n{\"op\":\"01K\"}", "LONG\nx\nLONG", "LONG"} {
		f.Add([]byte(seed))
	}
	long := []byte(strings.Repeat("l", maxPhysical))
	f.Fuzz(func(t *testing.T, content []byte) {
		content = bytes.ReplaceAll(content, []byte("LONG"), long)
		want := bytes.Split(content, []byte("\n"))
		if len(want[len(want)-1]) == 0 {
			want = want[:len(want)-1] // behind the last line end there is no line
		}
		lines, offset := 0, int64(0)
		err := eachLine(&slowReader{content}, func(l batchLine) error {
			if lines >= len(want) {
				return fmt.Errorf("line %d of %d", l.number, len(want))
			}
			whole := want[lines]
			same := bytes.Equal(l.raw, whole)
			if l.tooLong {
				same = len(whole)+1 > maxPhysical && bytes.HasPrefix(whole, l.raw)
			}
			if !same || l.number != int64(lines+1) || l.offset != offset {
				return fmt.Errorf("line %d at %d: number %d at %d, %d bytes, too long %v, want %d bytes", lines+1, offset, l.number, l.offset, len(l.raw), l.tooLong, len(whole))
			}
			lines, offset = lines+1, offset+int64(len(whole))+1
			return nil
		})
		if err != nil || lines != len(want) {
			t.Errorf("%d of %d lines, %v", lines, len(want), err)
		}
	})
}

// slowReader gives some bytes at a time, as a pipe does.
type slowReader struct{ left []byte }

func (r *slowReader) Read(p []byte) (int, error) {
	n := copy(p, r.left[:min(len(r.left), 1000)])
	r.left = r.left[n:]
	if n == 0 {
		return bytes.NewReader(nil).Read(p)
	}
	return n, nil
}
