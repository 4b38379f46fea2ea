package trigram

import (
	"bytes"
	"testing"
)

// Whatever is in a file, opening it and looking things up in it ends, with an
// answer or an error, and with no more memory than the file is long.
func FuzzSegment(f *testing.F) {
	for _, texts := range [][]string{nil, {"Login fails"}, {"日本語のログイン", "the cache of the logger", "Log"}} {
		b := NewBuilder(Header{Note: []byte("note"), To: 7, Part: 1}, len(texts))
		for n, text := range texts {
			b.Add(uint16(n), text)
		}
		var out bytes.Buffer
		if _, err := b.WriteTo(&out); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes(), "log")
	}
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		s, err := Open(bytes.NewReader(file), int64(len(file)), [ownerSize]byte{})
		if err != nil {
			return
		}
		var found Set
		if err := s.Lookup(text, &found); err == nil && len(Fold(text)) < Least {
			t.Errorf("%q was looked up", text)
		}
	})
}
