package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func sampleInteraction() *Interaction {
	code := 2
	at := time.Date(2026, 11, 23, 3, 2, 47, 857e6, time.UTC)
	return &Interaction{
		ID: makeID(at.UnixMilli(), 1, 7), Kind: KindToolCall, CreatedAt: at, Actor: "ada", Issue: "bd-x7k2m9q4t1",
		Model: "m", Prompt: "a\n\"b\"", Response: "<c>", Error: "no rule", ToolName: "make", ExitCode: &code,
		Parent: makeID(at.UnixMilli(), 0, 9), Label: "bad", Reason: "why", Extra: json.RawMessage(`{"b":1,"a":[2.50]}`),
		Unknown: map[string]json.RawMessage{"trace": json.RawMessage(`{"z":1}`)},
	}
}

// TestEncodeInteraction pins the canonical line.
func TestEncodeInteraction(t *testing.T) {
	line, err := EncodeInteraction(sampleInteraction())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"01M835PASH000G000000000007","kind":"tool_call","created_at":"2026-11-23T03:02:47.857Z","actor":"ada",` +
		`"issue_id":"bd-x7k2m9q4t1","model":"m","prompt":"a\n\"b\"","response":"<c>","error":"no rule","tool_name":"make",` +
		`"exit_code":2,"parent_id":"01M835PASH0000000000000009","label":"bad","reason":"why",` +
		`"extra":{"a":[2.50],"b":1},"trace":{"z":1},"sum":"a4f642fc"}`
	if string(line) != want {
		t.Errorf("line is\n%s\nwant\n%s", line, want)
	}
	d := Decoder{Stream: Interactions}
	r, err := d.Read(line)
	if err != nil || !r.Sum || r.ID() != sampleInteraction().ID {
		t.Fatalf("read back: %v, sum %v", err, r.Sum)
	}
	if id, ok := Interactions.PeekID(line); !ok || id != r.ID() {
		t.Errorf("PeekID is %v, %v", id, ok)
	}
	again, err := EncodeInteraction(r.Interaction)
	if err != nil || !bytes.Equal(again, line) {
		t.Errorf("written again: %v\n%s", err, again)
	}
}

func TestReadInteraction(t *testing.T) {
	const head = `{"id":"01KAQ0T2RH0001000000000007","kind":"k","created_at":"2026-11-23T03:02:47Z","actor":"ada"`
	for name, c := range map[string]struct{ line, reason string }{
		"least":              {head + `}`, ""},
		"null members":       {head + `,"model":null,"exit_code":null,"parent_id":null,"extra":null}`, ""},
		"unknown member":     {head + `,"more":[1]}`, ""},
		"blanks":             {strings.ReplaceAll(head, ",", " , ") + ` }`, ""},
		"no id":              {`{"kind":"k","created_at":"2026-11-23T03:02:47Z","actor":"ada"}`, "id is missing"},
		"no kind":            {strings.Replace(head, `"kind":"k",`, "", 1) + `}`, "kind is missing"},
		"no time":            {strings.Replace(head, `"created_at":"2026-11-23T03:02:47Z",`, "", 1) + `}`, "created_at is missing"},
		"no actor":           {strings.Replace(head, `,"actor":"ada"`, "", 1) + `}`, "actor is missing"},
		"another program's":  {strings.Replace(head, "01KAQ0T2RH0001000000000007", "int-1a2b3c4d", 1) + `}`, "id is no operation id"},
		"duplicate key":      {head + `,"model":"a","model":"b"}`, "duplicate key"},
		"exit code a text":   {head + `,"exit_code":"1"}`, "exit_code is not a whole number"},
		"exit code too long": {head + `,"exit_code":99999999999}`, "exit_code is not a whole number"},
		"extra a list":       {head + `,"extra":[1]}`, "extra is not an object"},
		"prompt a number":    {head + `,"prompt":1}`, "prompt is not a string"},
		"control in kind":    {strings.Replace(head, `"k"`, `"k\u0007"`, 1) + `}`, "control character"},
		"kind too long":      {strings.Replace(head, `"k"`, `"`+strings.Repeat("k", 51)+`"`, 1) + `}`, "longer than 50"},
		"wrong sum":          {head + `,"sum":"00000000"}`, "wrong sum"},
		"sum elsewhere":      {head + `,"sum":"00000000","more":1}`, "sum is not where it belongs"},
		"too deep":           {head + `,"extra":{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`, "nested deeper"},
		"too long":           {head + `,"prompt":"` + strings.Repeat("x", MaxLine) + `"}`, "longer than"},
		"not UTF-8":          {head + `,"prompt":"` + "\xff" + `"}`, "invalid UTF-8"},
		"an operation":       {`{"op":"01KAQ0T2RH0001000000000007","v":1,"do":"create","issue":"x","at":"2026-11-23T03:02:47Z","by":"a"}`, "id is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decoder{Stream: Interactions}
			_, err := d.Read([]byte(c.line))
			var badLine *BadLine
			switch {
			case c.reason == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.reason != "" && (!errors.As(err, &badLine) || !strings.Contains(err.Error(), c.reason)):
				t.Errorf("error is %v, want %q", err, c.reason)
			}
		})
	}
}

// TestSplitInteractions: what a torn line glued to a whole record holds back is
// the torn line alone.
func TestSplitInteractions(t *testing.T) {
	line, err := EncodeInteraction(sampleInteraction())
	if err != nil {
		t.Fatal(err)
	}
	torn := line[:40]
	parts := Interactions.Split(append(append([]byte{}, torn...), line...))
	if len(parts) != 2 || !bytes.Equal(parts[1], line) {
		t.Errorf("split into %q", parts)
	}
	if parts := Interactions.Split(append(append([]byte{}, line...), line...)); len(parts) != 2 {
		t.Errorf("two glued records are %d parts", len(parts))
	}
}

func TestIDRange(t *testing.T) {
	id := sampleInteraction().ID
	for length := 1; length <= idLength; length++ {
		least, greatest, ok := IDRange(strings.ToLower(id.String()[:length]))
		if !ok || least.Compare(id) > 0 || greatest.Compare(id) < 0 {
			t.Errorf("%d characters: %v to %v, %v", length, least, greatest, ok)
		}
	}
	for _, wrong := range []string{"", "U", "8", id.String() + "0", "01KA QT", "é"} {
		if _, _, ok := IDRange(wrong); ok {
			t.Errorf("%q begins an id", wrong)
		}
	}
}

func FuzzReadInteraction(f *testing.F) {
	line, err := EncodeInteraction(sampleInteraction())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"id":"01KAQ0T2RH0001000000000007","kind":"k","created_at":"2026-11-23T03:02:47+01:00","actor":"a","x":null}`))
	for _, line := range []string{
		`{"kind":"tool_call","exit_code":-1,"extra":{}}`,
		`{"id":"int-1a2b3c4d","kind":"llm_call","created_at":"2026-11-23T03:02:47Z","actor":"a","model":"m","extra":{"a":[1e9]}}`,
		`{"id":"01KAQ0T2RH0001000000000007","kind":"label","created_at":"2026-11-23T03:02:47Z","actor":"a","parent_id":"01KAQ0T2RH0001000000000007","label":"good"}`,
		`{"id":"01KAQ0T2RH0001000000000007","kind":"k","created_at":"2026-11-23T03:02:47.1234567Z","actor":"\u00e9","prompt":"\ud800","é":{"é":1}}`,
		`{"id":"01KAQ0T2RH0001000000000007","kind":"k","kind":"k"}`, `<<<<<<< HEAD`, "\x00\x00", `{"sum":""}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		kept := bytes.Clone(line)
		d := Decoder{Stream: Interactions}
		r, err := d.Read(line)
		_, parseErr := ParseInteraction(line)
		if !bytes.Equal(line, kept) {
			t.Fatal("the line was altered")
		}
		var badLine *BadLine
		switch {
		case err != nil && !errors.As(err, &badLine):
			t.Fatalf("error %v is no BadLine", err)
		case err != nil:
			return
		case parseErr != nil:
			t.Fatalf("what the log may hold cannot be handed in: %v", parseErr)
		case r.Interaction == nil || r.Op != nil || r.Legacy != nil || r.ID().IsZero():
			t.Fatal("not an interaction alone")
		}
		shown, err := r.Interaction.AppendJSON(nil)
		if err != nil || !json.Valid(shown) {
			t.Fatalf("shown: %v %s", err, shown)
		}
		canonical, err := EncodeInteraction(r.Interaction)
		if err != nil {
			if len(line) < MaxLine-200 {
				t.Fatalf("cannot be written again: %v", err)
			}
			return
		}
		again, err := d.Read(canonical)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := EncodeInteraction(again.Interaction)
		if err != nil || !bytes.Equal(twice, canonical) {
			t.Fatalf("not canonical: %v\n%s\n%s", err, canonical, twice)
		}
	})
}
