package op

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustEncode(t testing.TB, o *Operation) []byte {
	t.Helper()
	line, err := Encode(o)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return line
}

// normal is o as it reads back: values in canonical form, what is empty nil.
func normal(t *rapid.T, o Operation) Operation {
	raw := func(m map[string]json.RawMessage) map[string]json.RawMessage {
		if len(m) == 0 {
			return nil
		}
		n := make(map[string]json.RawMessage, len(m))
		for name, value := range m {
			n[name] = cloneRaw(value)
		}
		return n
	}
	elements := func(e *Elements) *Elements {
		if e == nil || len(e.Labels)+len(e.Deps)+len(e.Unknown) == 0 {
			return nil
		}
		n := &Elements{Unknown: raw(e.Unknown)}
		n.Labels = append(n.Labels, e.Labels...)
		for _, d := range e.Deps {
			if d.Metadata != nil {
				d.Metadata = cloneRaw(d.Metadata)
			}
			n.Deps = append(n.Deps, d)
		}
		return n
	}
	o.Set, o.Unknown = raw(o.Set), raw(o.Unknown)
	o.Add, o.Remove = elements(o.Add), elements(o.Remove)
	if o.If != nil {
		c := *o.If
		c.Raw = nil
		o.If = &c
	}
	return o
}

func TestEncodeReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := genOperation().Draw(t, "operation")
		line, err := Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Read(line)
		if err != nil {
			t.Fatalf("Read(%s): %v", line, err)
		}
		if !r.Sum || r.Legacy != nil || !bytes.Equal(r.Line, line) {
			t.Fatalf("record of %s: %+v", line, r)
		}
		if want, got := normal(t, *o), normal(t, *r.Op); !reflect.DeepEqual(got, want) {
			t.Fatalf("line %s\n got %+v\nwant %+v", line, got, want)
		}
		if again, err := Encode(r.Op); err != nil || !bytes.Equal(again, line) {
			t.Fatalf("encoded again: %v\n got %s\nwant %s", err, again, line)
		}
		if id, ok := Operations.PeekID(line); !ok || id != o.ID {
			t.Fatalf("PeekID = %v, %v", id, ok)
		}
		if parts := Split(line); len(parts) != 1 || !bytes.Equal(parts[0], line) {
			t.Fatalf("Split gives %q", parts)
		}
	})
}

// One damaged byte of a summed line is never taken for an operation.
func TestSumFindsDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line, err := Encode(genOperation().Draw(t, "operation"))
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(line)-1).Draw(t, "at")
		damaged := bytes.Clone(line)
		damaged[at] ^= rapid.SampledFrom([]byte{1, 2, 4, 32}).Draw(t, "bit")
		r, err := Read(damaged)
		if err == nil && r.Sum && r.Op.V == Version {
			t.Fatalf("read as whole: %s", damaged)
		}
		// A line whose damage hides its sum or version is not ours any more;
		// everything else must be refused.
		if err == nil && at < len(line)-sumLength && r.Op != nil && r.Op.V == Version {
			t.Fatalf("read: %s", damaged)
		}
	})
}

func TestEncodeRefuses(t *testing.T) {
	with := func(change func(*Operation)) *Operation {
		o := create(1, `{"title":"t"}`)
		change(o)
		return o
	}
	for _, c := range []struct {
		name string
		o    *Operation
		want string
	}{
		{"another version", with(func(o *Operation) { o.V = 2 }), "format version 2"},
		{"no version", with(func(o *Operation) { o.V = 0 }), "format version 0"},
		{"zero id", with(func(o *Operation) { o.ID = ID{} }), "is zero"},
		{"no verb", with(func(o *Operation) { o.Do = "" }), "do is empty"},
		{"no time", with(func(o *Operation) { o.At = time.Time{} }), "time is missing"},
		{"year 10000", with(func(o *Operation) { o.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), "out of range"},
		{"invalid UTF-8", with(func(o *Operation) { o.By = "\xff" }), "UTF-8"},
		{"value that is not JSON", with(func(o *Operation) { o.Set = fields("title", `x`) }), "invalid"},
		{"value with a duplicate key", with(func(o *Operation) { o.Set = fields("m", `{"a":1,"a":2}`) }), "duplicate"},
		{"known name among the unknown", with(func(o *Operation) { o.Unknown = fields("sum", `"x"`) }), "known name"},
		{"known collection among the unknown", with(func(o *Operation) {
			o.Add = &Elements{Unknown: fields("labels", `[]`)}
		}), "known name"},
		{"lease without a claim", with(func(o *Operation) { o.If = &Condition{Lease: 5} }), "no meaning"},
		{"dependency without a type", with(func(o *Operation) { o.Add = &Elements{Deps: []Dep{{To: "x-2"}}} }), "without to or type"},
		{"over the line limit", with(func(o *Operation) { o.Set["d"] = Str(strings.Repeat("x", MaxLine)) }), "longer than"},
		{"too deep", with(func(o *Operation) {
			o.Set["d"] = json.RawMessage(strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth))
		}), "nested deeper"},
	} {
		t.Run(c.name, func(t *testing.T) {
			line, err := Encode(c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Encode = %.80s, %v; want an error with %q", line, err, c.want)
			}
		})
	}
}

func TestDepthLimit(t *testing.T) {
	// The line and set are two levels.
	nested := func(n int) json.RawMessage {
		return json.RawMessage(strings.Repeat("[", n) + strings.Repeat("]", n))
	}
	o := create(1, "")
	o.Set = fields("d", string(nested(MaxDepth-2)), "text", `"`+strings.Repeat("[{", 40)+`\"["`)
	mustEncode(t, o)
	o.Set["d"] = nested(MaxDepth - 1)
	if _, err := Encode(o); err == nil {
		t.Error("one level more was written")
	}
}

func TestLineLimit(t *testing.T) {
	o := create(1, "")
	o.Set = fields("d", `""`)
	room := MaxLine - len(mustEncode(t, o))
	o.Set["d"] = Str(strings.Repeat("x", room))
	if line := mustEncode(t, o); len(line) != MaxLine {
		t.Fatalf("line has %d bytes", len(line))
	}
	o.Set["d"] = Str(strings.Repeat("x", room+1))
	if _, err := Encode(o); err == nil {
		t.Error("one byte more was written")
	}
}

func TestWins(t *testing.T) {
	small := mustEncode(t, create(1, `{"title":"a"}`))
	great := mustEncode(t, create(1, `{"title":"b"}`))
	cut := func(line []byte) []byte { return append(bytes.Clone(line[:len(line)-sumLength]), '}') }
	for _, c := range []struct {
		name string
		a, b []byte
		want bool
	}{
		{"smaller bytes", small, great, bytes.Compare(small, great) < 0},
		{"a sum before none", great, cut(small), true},
		{"none after a sum", cut(small), great, false},
		{"both without", cut(small), cut(great), true},
		{"itself", small, small, false},
	} {
		if got := Wins(c.a, c.b); got != c.want {
			t.Errorf("%s: Wins = %v, want %v", c.name, got, c.want)
		}
		if !bytes.Equal(c.a, c.b) && Wins(c.b, c.a) == c.want {
			t.Errorf("%s: both win, or neither", c.name)
		}
	}
}

// Names are in the order of RFC 8785, which is not that of UTF-8: the emoji's
// surrogates sort before the wide tilde.
func TestNamesAreInUTF16Order(t *testing.T) {
	o := create(1, "")
	o.Set = fields("\uff5e", "1", "\U0001f600", "2", "z", "3", "é", "4")
	if line := mustEncode(t, o); !bytes.Contains(line, []byte(`{"z":3,"é":4,"`+"\U0001f600"+`":2,"`+"\uff5e"+`":1}`)) {
		t.Errorf("line %s", line)
	}
}

func TestConditions(t *testing.T) {
	const start = `{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"do":"claim","issue":"x-1","at":"2025-11-23T03:02:48Z","by":"a","if":`
	for _, c := range []struct {
		text string
		want Condition
	}{
		{`{}`, Condition{}},
		{`{"unassigned":true}`, Condition{Unassigned: true}},
		{`{"unassigned":true,"lease":60}`, Condition{Unassigned: true, Lease: 60}},
		{`{"unset":true}`, Condition{Unset: true}},
		{`{"unset":true,"moon":"full"}`, Condition{Unset: true, Unknown: true}},
		{`{"unassigned":false}`, Condition{Unknown: true}},
		{`{"unset":1}`, Condition{Unknown: true}},
		{`{"unassigned":true,"lease":-1}`, Condition{Unassigned: true, Lease: -1, Unknown: true}},
		{`{"unassigned":true,"lease":1.5}`, Condition{Unassigned: true, Unknown: true}},
		{`{"lease":60}`, Condition{Lease: 60, Unknown: true}},
	} {
		r, err := Read([]byte(start + c.text + "}"))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		c.want.Raw = json.RawMessage(c.text)
		if !reflect.DeepEqual(*r.Op.If, c.want) {
			t.Errorf("%s: %+v", c.text, *r.Op.If)
		}
	}
}

func TestHash(t *testing.T) {
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2
	if got := Hash([]byte("abc")); hex.EncodeToString(got[:]) != abc {
		t.Errorf("Hash = %x", got)
	}
}

func TestPeekID(t *testing.T) {
	id := testID(1)
	for _, c := range []struct {
		line string
		want bool
	}{
		{`{"op":"` + id.String() + `","v":1}`, true},
		{`{"op":"` + id.String() + `"`, true},
		{`{"op":"` + id.String(), false},
		{`{"op":"` + id.String() + `x"}`, false},
		{`{ "op":"` + id.String() + `"}`, false},
		{`{"op":"7ZZZZZZZZZZZZZZZZZZZZZZZZZ","v":1}`, false},
		{``, false},
	} {
		if got, ok := Operations.PeekID([]byte(c.line)); ok != c.want || ok && got != id {
			t.Errorf("PeekID(%s) = %v, %v", c.line, got, ok)
		}
	}
}

func TestBadLineIsTheOnlyError(t *testing.T) {
	long := `{"op":"` + strings.Repeat("é", 4000) + `"}`
	for _, line := range []string{"", "{", "nonsense", long} {
		_, err := Read([]byte(line))
		var badLine *BadLine
		if !errors.As(err, &badLine) {
			t.Errorf("Read(%.20q) = %v", line, err)
			continue
		}
		if len(badLine.Reason) > 220 {
			t.Errorf("Read(%.20q): reason of %d bytes", line, len(badLine.Reason))
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, v := range readVectors(f) {
		for _, line := range append(v.Lines, v.Line) {
			f.Add([]byte(line))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		kept := bytes.Clone(line)
		r, err := Read(line)
		if !bytes.Equal(line, kept) {
			t.Fatal("Read altered the line")
		}
		var badLine *BadLine
		switch {
		case err != nil && !errors.As(err, &badLine):
			t.Fatalf("error %v is no BadLine", err)
		case err != nil:
			return
		case (r.Op == nil) == (r.Legacy == nil):
			t.Fatal("neither or both of operation and record")
		case r.Legacy != nil:
			if _, ok := ImportOperation(r.Legacy, nil); !ok {
				t.Fatal("a record without prior ones is held")
			}
			return
		}
		s, _ := Fold(r.Op.Issue, []*Operation{r.Op})
		if exported := s.Issue.AppendJSON(nil); !json.Valid(exported) {
			t.Fatalf("exported: %s", exported)
		}
		if r.Op.V != Version {
			return
		}
		canonical, err := Encode(r.Op)
		if err != nil {
			if len(line) < MaxLine-200 {
				t.Fatalf("cannot be written again: %v", err)
			}
			return
		}
		again, err := Read(canonical)
		if err != nil {
			t.Fatalf("%s: %v", canonical, err)
		}
		if twice, err := Encode(again.Op); err != nil || !bytes.Equal(twice, canonical) {
			t.Fatalf("%v\n%s\n%s", err, canonical, twice)
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add([]byte(v.Raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := bytes.Clone(raw)
		// Between the parts there is nothing but blanks and BOMs.
		rest := skipBlanks(raw)
		for _, part := range Split(raw) {
			if len(part) == 0 || !bytes.HasPrefix(rest, part) {
				t.Fatalf("part %q where %q is left", part, rest)
			}
			rest = skipBlanks(rest[len(part):])
		}
		if len(rest) > 0 {
			t.Fatalf("%q was dropped", rest)
		}
		if !bytes.Equal(raw, kept) {
			t.Fatal("Split altered its input")
		}
	})
}

func skipBlanks(b []byte) []byte {
	for {
		next := bytes.TrimPrefix(bytes.TrimLeft(b, blanks), []byte("\xef\xbb\xbf"))
		if len(next) == len(b) {
			return b
		}
		b = next
	}
}
