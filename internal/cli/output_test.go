package cli

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// Whatever is in a text and however it is cut into writes, the JSON has the
// same value and nothing that a terminal acts on.
func TestEscapingWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.StringOf(rapid.OneOf(rapid.Rune(),
			rapid.SampledFrom([]rune("\u009b\u202e\u2066\u200f\u2028\x7f\x1b\n\U0001f600")))).Draw(t, "text")
		encoded, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := &escapingWriter{out: &out}
		for in := encoded; len(in) > 0; {
			n := rapid.IntRange(1, len(in)).Draw(t, "written")
			if _, err := w.Write(in[:n]); err != nil {
				t.Fatal(err)
			}
			in = in[n:]
		}
		var got string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != want {
			t.Fatalf("%q became %q (%v)", want, got, err)
		}
		for _, r := range out.String() {
			if unicode.IsControl(r) || bidi(r) {
				t.Fatalf("%U is in %q", r, out.String())
			}
		}
	})
}
