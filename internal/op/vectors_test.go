package op

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// vector is one case of testdata/vectors.jsonl, the published vectors of the
// log format. What a case gives comes first; the rest is what must come out.
type vector struct {
	Case string `json:"case"`
	Rule string `json:"rule"` // split, read, import, wins, fold or settings

	Raw    string   `json:"raw,omitempty"`     // split: a physical line
	RawHex string   `json:"raw_hex,omitempty"` // split, read: bytes that JSON cannot hold
	Line   string   `json:"line,omitempty"`    // read, import: a line
	Prior  []string `json:"prior,omitempty"`   // import: ids of earlier imports of that issue
	Lines  []string `json:"lines,omitempty"`   // wins: two lines of one id; fold, settings: the operations

	Parts     []string        `json:"parts,omitempty"`     // split
	Bad       string          `json:"bad,omitempty"`       // read: the reason
	Newer     bool            `json:"newer,omitempty"`     // read: of a greater version
	Unsummed  bool            `json:"unsummed,omitempty"`  // read: carries no sum
	Canonical string          `json:"canonical,omitempty"` // read, import: the line as this program writes it
	Held      bool            `json:"held,omitempty"`      // import: no operation, the record is there already
	First     bool            `json:"first,omitempty"`     // wins: the first of the lines counts
	Visible   bool            `json:"visible,omitempty"`   // fold
	Issue     json.RawMessage `json:"issue,omitempty"`     // fold: the issue as exported
	Settings  json.RawMessage `json:"settings,omitempty"`  // settings
	Problems  []string        `json:"problems,omitempty"`  // fold, settings: "kind: detail"
}

const vectorsFile = "testdata/vectors.jsonl"

func readVectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	for d.More() {
		var v vector
		if err := d.Decode(&v); err != nil {
			t.Fatalf("vector %d: %v", len(vectors)+1, err)
		}
		vectors = append(vectors, v)
	}
	return vectors
}

func (v vector) bytes(t *testing.T, text string) []byte {
	t.Helper()
	if v.RawHex == "" {
		return []byte(text)
	}
	b, err := hex.DecodeString(v.RawHex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectors checks every published vector. With UPDATE_VECTORS set it writes
// what comes out into the file instead: look at each difference, since other
// programs may rely on what was there.
func TestVectors(t *testing.T) {
	update := os.Getenv("UPDATE_VECTORS") != ""
	vectors := readVectors(t)
	var file []byte
	names := make(map[string]bool)
	for _, v := range vectors {
		if names[v.Case] {
			t.Errorf("case %q is there twice", v.Case)
		}
		names[v.Case] = true
		want := encodeVector(t, v)
		var got []byte
		t.Run(v.Case, func(t *testing.T) {
			got = encodeVector(t, v.run(t))
			if !update && !bytes.Equal(got, want) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
		file = append(file, got...)
	}
	if update {
		if err := os.WriteFile(vectorsFile, file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func encodeVector(t *testing.T, v vector) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// run returns v with what really comes out.
func (v vector) run(t *testing.T) vector {
	out := vector{
		Case: v.Case, Rule: v.Rule, Raw: v.Raw, RawHex: v.RawHex, Line: v.Line, Prior: v.Prior, Lines: v.Lines,
	}
	switch v.Rule {
	case "split":
		for _, part := range Split(v.bytes(t, v.Raw)) {
			out.Parts = append(out.Parts, string(part))
		}
	case "read":
		out.read(v.bytes(t, v.Line), t)
	case "import":
		out.importing(t)
	case "wins":
		out.First = Wins([]byte(v.Lines[0]), []byte(v.Lines[1]))
	case "fold":
		ops := v.operations(t)
		s, problems := Fold(ops[0].Issue, ops)
		out.Visible, out.Issue, out.Problems = s.Visible(), s.Issue.AppendJSON(nil), problemTexts(problems)
	case "settings":
		s, problems := FoldSettings(v.operations(t))
		b := []byte{'{'}
		for i, name := range sortedKeys(s.Values) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, Str(name)...), ':'), s.Values[name]...)
		}
		out.Settings, out.Problems = append(b, '}'), problemTexts(problems)
	default:
		t.Errorf("unknown rule %q", v.Rule)
	}
	return out
}

func (v *vector) read(line []byte, t *testing.T) {
	r, err := Read(line)
	switch {
	case err != nil:
		v.Bad = err.Error()
	case r.Op == nil:
		t.Errorf("is a record")
	case r.Op.V > Version:
		v.Newer, v.Unsummed = true, !r.Sum
	default:
		v.Unsummed = !r.Sum
		v.Canonical = string(mustEncode(t, r.Op))
	}
}

func (v *vector) importing(t *testing.T) {
	r, err := Read([]byte(v.Line))
	if err != nil || r.Legacy == nil {
		t.Fatalf("not a record: %v", err)
	}
	var prior []ID
	for _, text := range v.Prior {
		id, err := ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		prior = append(prior, id)
	}
	o, ok := ImportOperation(r.Legacy, prior)
	if v.Held = !ok; ok {
		v.Canonical = string(mustEncode(t, o))
	}
}

func (v *vector) operations(t *testing.T) []*Operation {
	t.Helper()
	var ops []*Operation
	for _, line := range v.Lines {
		r, err := Read([]byte(line))
		if err != nil || r.Op == nil {
			t.Fatalf("%v: %s", err, line)
		}
		ops = append(ops, r.Op)
	}
	slices.Reverse(ops) // the order of the lines means nothing
	return ops
}

func problemTexts(problems []Problem) []string {
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Kind+": "+p.Detail)
	}
	return texts
}
