package trigram

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func segment(t testing.TB, b *Builder) (*Segment, []byte) {
	t.Helper()
	var out bytes.Buffer
	n, err := b.WriteTo(&out)
	if err != nil || n != int64(out.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, out.Len(), err)
	}
	s, err := Open(bytes.NewReader(out.Bytes()), n, b.header.Owner)
	if err != nil {
		t.Fatal(err)
	}
	return s, out.Bytes()
}

func lookup(t testing.TB, s *Segment, text string) *Set {
	t.Helper()
	var found Set
	if err := s.Lookup(text, &found); err != nil {
		t.Fatal(err)
	}
	return &found
}

func TestLookup(t *testing.T) {
	b := NewBuilder(Header{}, 5)
	b.Add(0, "Login fails", "on the TÜRKISCH keyboard")
	b.Add(3, "cache of the logger", "")
	b.Add(7, "ab", "c")
	b.Add(Span-1, "日本語のログイン")
	s, _ := segment(t, b)
	for text, want := range map[string][]uint16{
		"log": {0, 3}, "LOGIN FAILS": {0}, "türkisch": {0}, "the": {0, 3}, "ログイン": {Span - 1}, "語": {Span - 1},
		"abc": nil, "nothing of it": nil,
	} {
		found := lookup(t, s, text)
		for _, document := range want {
			if !found.Has(document) {
				t.Errorf("%q is not found in %d", text, document)
			}
		}
		if found.Len() != len(want) {
			t.Errorf("%q is found in %d documents, not %d", text, found.Len(), len(want))
		}
	}
	if err := s.Lookup("ab", new(Set)); err == nil {
		t.Error("a text of two bytes is looked up")
	}
}

// Whatever part of whatever text is looked up, in whatever case: its document is found.
func TestFindsEveryPart(t *testing.T) {
	alphabet := rapid.SampledFrom([]rune("aAbBkKsSiIéÉßẞſKİıΣςσ日%_\\ \x00\xff\U0001F600"))
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringOfN(alphabet, 0, 40, -1), 1, 30).Draw(t, "texts")
		b := NewBuilder(Header{}, rapid.SampledFrom([]int{1, 500, Span}).Draw(t, "documents"))
		for n, text := range texts {
			b.Add(uint16(n*7), text)
		}
		var out bytes.Buffer
		if _, err := b.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		s, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()), [16]byte{})
		if err != nil {
			t.Fatal(err)
		}
		needle := rapid.StringOfN(alphabet, 1, 6, -1).Draw(t, "needle")
		if from := rapid.SampledFrom(texts).Draw(t, "from"); from != "" && rapid.Bool().Draw(t, "a part") {
			start := rapid.IntRange(0, len(from)-1).Draw(t, "start")
			needle = from[start:rapid.IntRange(start+1, len(from)).Draw(t, "end")]
		}
		if len(Fold(needle)) < Least {
			return
		}
		var found Set
		if err := s.Lookup(needle, &found); err != nil {
			t.Fatal(err)
		}
		for n, text := range texts {
			if strings.Contains(Fold(text), Fold(needle)) && !found.Has(uint16(n*7)) {
				t.Fatalf("%q is not found in %q", needle, text)
			}
		}
	})
}

// Long lists are kept in another form.
func TestDenseLists(t *testing.T) {
	b := NewBuilder(Header{}, Span)
	for n := range Span {
		text := "common"
		if n%3 == 0 {
			text += fmt.Sprintf(" third %05d", n)
		}
		b.Add(uint16(n), text)
	}
	s, _ := segment(t, b)
	if n := lookup(t, s, "common").Len(); n != Span {
		t.Errorf("common: %d", n)
	}
	if n := lookup(t, s, "third").Len(); n != (Span+2)/3 {
		t.Errorf("third: %d", n)
	}
	if found := lookup(t, s, "12345"); !found.Has(12345) || found.Len() > fewEnough {
		t.Errorf("12345: %d", found.Len())
	}
}

// Damage is told, or does not matter: an answer is never shorter for it.
func TestDamage(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := NewBuilder(Header{Owner: [16]byte{1}, Part: 2, To: 4, Note: []byte("a note")}, 300)
	for n := range 300 {
		b.Add(uint16(n), fmt.Sprintf("text number %d of many", n))
	}
	_, whole := segment(t, b)
	told := 0
	try := func(damaged []byte) {
		s, err := Open(bytes.NewReader(damaged), int64(len(damaged)), [16]byte{1})
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrOther) {
				t.Fatal(err)
			}
			told++
			return
		}
		if !reflect.DeepEqual(s.Header, b.header) {
			t.Fatalf("another header: %+v", s.Header)
		}
		for _, text := range []string{"number 17", "text", "many"} {
			var found Set
			if err := s.Lookup(text, &found); err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Fatal(err)
				}
				told++
			} else if !found.Has(17) {
				t.Fatalf("%q was lost", text)
			}
		}
	}
	for range 3000 {
		damaged := bytes.Clone(whole)
		at := random.IntN(len(damaged))
		if random.IntN(2) == 0 { // where it is likely to matter
			at = random.IntN(headerSize + 4<<11)
		}
		switch random.IntN(3) {
		case 0:
			damaged[at] ^= 1 << random.IntN(8)
		case 1:
			clear(damaged[at:min(at+4096, len(damaged))])
		case 2:
			damaged = damaged[:at]
		}
		try(damaged)
	}
	if told < 1000 {
		t.Errorf("damage was told %d times", told)
	}
	if _, err := Open(bytes.NewReader(whole), int64(len(whole)), [16]byte{2}); !errors.Is(err, ErrOther) {
		t.Errorf("another owner: %v", err)
	}
}

func BenchmarkBuild(b *testing.B) {
	text := strings.Repeat("when users open the page twice it shows old data because nobody clears the cache ", 8)
	b.SetBytes(int64(len(text)) * 1000)
	for b.Loop() {
		builder := NewBuilder(Header{}, Span)
		for n := range 1000 {
			builder.Add(uint16(n), text)
		}
	}
}
