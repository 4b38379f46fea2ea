package op

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func grow(n int, field, text string) *Operation {
	o := update(n, "")
	o.Append = map[string]string{field: text}
	return o
}

// What one operation adds to another is bounded: what does not fit is left out,
// and what is there stays.
func TestGrown(t *testing.T) {
	half := strings.Repeat("x", MaxGrown/2)
	quoted := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	full := MaxGrown - len("full") - extraOverhead // a value that takes the whole room
	for _, c := range []struct {
		name string
		ops  []*Operation
		want func(*State) bool
		left string // the detail of what was left out
	}{
		{"appended up to the bound", []*Operation{grow(1, "notes", half), grow(2, "notes", half[2:])},
			func(s *State) bool { return len(s.Issue.Notes) == MaxGrown }, ""},
		{"appended beyond it", []*Operation{grow(1, "design", half), grow(2, "design", half[1:]), grow(3, "design", "y")},
			func(s *State) bool { return s.Issue.Design == half+"\n\ny" }, "design would be longer than 1048576 bytes"},
		{"set anew it has room again", []*Operation{grow(1, "notes", half), update(2, `{"notes":"n"}`), grow(3, "notes", half)},
			func(s *State) bool { return s.Issue.Notes == "n\n\n"+half }, ""},
		{"an unknown text", []*Operation{grow(1, "story", half), grow(2, "story", half), grow(3, "story", "y")},
			func(s *State) bool { return string(s.Issue.Extra["story"]) == `"`+half+`\n\ny"` }, "story would make the unknown fields longer than 1048576 bytes"},
		{"an unknown text that is empty", []*Operation{update(1, `{"story":""}`), grow(2, "story", "\"é\n")},
			func(s *State) bool { return string(s.Issue.Extra["story"]) == `"\"é\n"` }, ""},
		{"an unknown text that is longer quoted", []*Operation{grow(1, "story", strings.Repeat("\x01", MaxGrown/4))},
			func(s *State) bool { return s.Issue.Extra == nil }, "story would make the unknown fields longer than 1048576 bytes"},
		{"unknown fields up to the bound", []*Operation{update(1, `{"full":`+quoted(full)+`}`), update(2, `{"full":null}`), update(3, `{"full":`+quoted(full)+`}`)},
			func(s *State) bool { return len(s.Issue.Extra["full"]) == full }, ""},
		{"one byte beyond", []*Operation{update(1, `{"full":`+quoted(full)+`}`), update(2, `{"full":`+quoted(full+1)+`}`)},
			func(s *State) bool { return len(s.Issue.Extra["full"]) == full }, "full would make the unknown fields longer than 1048576 bytes: " + clip(quoted(99))},
		{"all unknown fields together", []*Operation{update(1, `{"full":`+quoted(full-5)+`}`), update(2, `{"b":2}`)},
			func(s *State) bool { return len(s.Issue.Extra) == 1 }, "b would make the unknown fields longer than 1048576 bytes: 2"},
		{"one that makes room for another", []*Operation{update(1, `{"full":`+quoted(full)+`}`), update(2, `{"full":1}`), update(3, `{"b":2}`)},
			func(s *State) bool { return string(s.Issue.Extra["full"]) == "1" && string(s.Issue.Extra["b"]) == "2" }, ""},
		{"within one operation what becomes shorter is first", []*Operation{update(1, `{"full":`+quoted(full-5)+`}`), update(2, `{"zz":1,"b":"bbbbbb","a":2,"full":null}`)},
			func(s *State) bool { return len(s.Issue.Extra) == 3 && s.Issue.Extra["full"] == nil }, ""},
		{"then it goes by name", []*Operation{update(1, `{"full":`+quoted(full-10)+`}`), update(2, `{"zz":1,"b":2,"a":33333}`)},
			func(s *State) bool { return len(s.Issue.Extra) == 2 && s.Issue.Extra["a"] != nil }, "b would make the unknown fields longer than 1048576 bytes: 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // a map has another order each time
				s, problems := Fold("x-1", c.ops)
				if !c.want(&s) {
					t.Errorf("not so: notes %d, design %d, extra %d", len(s.Issue.Notes), len(s.Issue.Design), extraOf(&s))
				}
				left := ""
				if len(problems) > 0 {
					left = problems[0].Detail
				}
				if left != c.left {
					t.Errorf("left out: %q, want %q", left, c.left)
				}
			}
		})
	}
}

// A record that takes the place of another needs no more room than it has itself,
// whatever its fields are called.
func TestGrownByRecords(t *testing.T) {
	fields := func(a, b int) string {
		var members []string
		for name, n := range map[string]int{"a": a, "b": b} {
			if n > 0 {
				members = append(members, fmt.Sprintf("%q:%q", name, strings.Repeat("x", n)))
			}
		}
		return record(strings.Join(members, ","))
	}
	const most, least = MaxGrown / 4 * 3, 10
	for _, c := range []struct {
		name          string
		first, second string
		a, b          int
	}{
		{"one field goes, a smaller name comes", fields(0, most), fields(most, 0), most, 0},
		{"one field goes, a greater name comes", fields(most, 0), fields(0, most), 0, most},
		{"two change places", fields(least, most), fields(most, least), most, least},
		{"and back", fields(most, least), fields(least, most), least, most},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, problems := history(t, c.first, c.second)
			text := func(name string) string { text, _ := textOf(s.Issue.Extra[name]); return text }
			if a, b := len(text("a")), len(text("b")); a != c.a || b != c.b || len(problems) > 0 {
				t.Errorf("a is %d and b %d bytes, want %d and %d; problems %.100v", a, b, c.a, c.b, problems)
			}
		})
	}
}

func extraOf(s *State) (size int) {
	for name, value := range s.Issue.Extra {
		size += extraSize(name, value)
	}
	return size
}

// Whether operations are applied one after the other, or on top of a state that was
// stored between any two of them, an issue that is nearly full gets the same fields,
// and never more than the bound.
func TestGrownHoweverFolded(t *testing.T) {
	nearly := func() State { // applied as an operation it would take most of the test's time
		s := State{Exists: true}
		s.begin("x-1")
		s.Issue.Notes = strings.Repeat("x", MaxGrown-400)
		s.Issue.Extra = map[string]json.RawMessage{"base": []byte(`"` + strings.Repeat("x", MaxGrown-1000) + `"`)}
		return s
	}
	rapid.Check(t, func(t *rapid.T) {
		kept, stored := nearly(), nearly()
		for n := range rapid.IntRange(1, 8).Draw(t, "operations") {
			o := update(n+1, "")
			o.Set = map[string]json.RawMessage{}
			for range rapid.IntRange(0, 3).Draw(t, "fields") {
				value := json.RawMessage("null")
				if length := rapid.IntRange(0, 500).Draw(t, "length"); length > 0 {
					value = json.RawMessage(`"` + strings.Repeat("x", length) + `"`)
				}
				o.Set[rapid.SampledFrom([]string{"a", "b", "c", "base"}).Draw(t, "name")] = value
			}
			if rapid.IntRange(0, 2).Draw(t, "append") == 0 {
				o.Append = map[string]string{
					rapid.SampledFrom([]string{"a", "b", "notes"}).Draw(t, "appended"): strings.Repeat("y", rapid.IntRange(1, 300).Draw(t, "added")),
				}
			}
			kept.Apply(o)
			stored.Apply(o)
			if rapid.Bool().Draw(t, "stored") {
				stored.extra = 0 // what a database gives back
			}
			if size := extraOf(&kept); size > MaxGrown || size != kept.extra && kept.extra != 0 || len(kept.Issue.Notes) > MaxGrown {
				t.Fatalf("grown to %d bytes, counted %d, and notes to %d", size, kept.extra, len(kept.Issue.Notes))
			}
			if got, want := fmt.Sprint(lengths(&stored)), fmt.Sprint(lengths(&kept)); got != want {
				t.Fatalf("stored between they make %s, kept %s", got, want)
			}
		}
	})
}

func lengths(s *State) map[string]int {
	of := map[string]int{"notes": len(s.Issue.Notes)}
	for name := range s.Issue.Extra {
		of[name] = len(s.Issue.Extra[name])
	}
	return of
}
