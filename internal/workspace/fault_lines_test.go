package workspace_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// badLines are lines of a log that nobody can read.
func badLines() map[string]string {
	const id = `"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK"`
	return map[string]string{
		"NULs":                strings.Repeat("\x00", 512),
		"invalid UTF-8":       `{` + id + `,"v":1,"do":"create","issue":"bd-x","at":"2026-01-01T00:00:00.000Z","by":"` + "\xff\xfe" + `"}`,
		"deep nesting":        `{` + id + `,"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		"keys twice":          `{` + id + `,"v":1,"do":"create","do":"delete","issue":"bd-x","at":"2026-01-01T00:00:00.000Z","by":"x"}`,
		"keys twice, escaped": `{` + id + `,"v":1,"do":"create","d\u006f":"delete","issue":"bd-x","at":"2026-01-01T00:00:00.000Z","by":"x"}`,
		"a giant line":        strings.Repeat("x", 2<<20),
		"a giant object":      `{` + id + `,"x":"` + strings.Repeat("x", 2<<20) + `"}`,
		"half a line":         `{` + id + `,"v":1,"do":"cre`,
		"a conflict mark":     "<<<<<<< HEAD",
		"a wrong sum":         `{` + id + `,"v":1,"do":"create","issue":"bd-x","at":"2026-01-01T00:00:00.000Z","by":"x","sum":"00000000"}`,
		"no id":               `{"v":1,"do":"create","issue":"bd-x"}`,
		"an impossible id":    strings.Replace(`{`+id+`,"v":1,"do":"create","issue":"bd-x","at":"2026-01-01T00:00:00.000Z","by":"x"}`, "01KAQ0T6V3R8M0X2E9F1C4H7JK", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ", 1),
	}
}

// Each bad line in the middle of a good log, at its end, and at its end without
// a newline: put aside with its place and a reason, byte for byte still there,
// and everything else applies, before it and after.
func TestBadLines(t *testing.T) {
	for name, bad := range badLines() {
		for _, where := range []string{"middle", "end", "torn end"} {
			t.Run(name+" "+where, func(t *testing.T) {
				f := newFixture(t)
				f.file("one", "two")
				path := f.place().LogPath()
				lines := strings.SplitAfter(strings.TrimSuffix(f.read(path), "\n"), "\n")
				text := ""
				switch where {
				case "middle":
					text = strings.Join(slices.Insert(slices.Clone(lines), 2, bad+"\n"), "") + "\n"
				case "end":
					text = strings.Join(lines, "") + "\n" + bad + "\n"
				case "torn end":
					text = strings.Join(lines, "") + "\n" + bad
				}
				f.write(path, text)
				f.want("one", "two")
				f.file("three")
				f.want("one", "three", "two")
				if got := f.read(path); !strings.Contains(got, bad+"\n") {
					t.Error("the bad line is not there any more, or was not closed off")
				}
				w := f.open()
				defer w.Close()
				if err := w.View(t.Context(), func(q *projection.Query) error {
					entries, err := q.Quarantined()
					if len(entries) != 1 || entries[0].Reason == "" || entries[0].Line < 3 {
						t.Errorf("quarantine: %+v", entries)
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
				f.equalCopies()
			})
		}
	}
}

// Values of the wrong type or range in known fields: the operation stays, the
// value counts for nothing, and no command fails.
func TestBadValues(t *testing.T) {
	f := newFixture(t)
	id := f.file("one")[0]
	values := []string{`"high"`, `9`, `-1`, `1.5`, `1e99`, `true`, `{}`, `[]`, `[1,2]`, `{"a":{"b":[]}}`, `""`, `"` + strings.Repeat("x", 100) + `"`, `null`}
	log := f.read(f.place().LogPath())
	n := 0
	for _, field := range []string{"priority", "status", "issue_type", "assignee", "due_at", "estimate", "estimated_minutes", "metadata", "closed_at", "defer_until", "no_such_field"} {
		for _, value := range values {
			f.now = f.now.Add(time.Millisecond)
			log += f.line(op.Operation{Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{field: json.RawMessage(value)}}) + "\n"
			n++
		}
	}
	f.write(f.place().LogPath(), log)
	f.want("one")
	f.file("two")
	f.want("one", "two")
	if got := strings.Count(f.read(f.place().GuardPath()), "\n"); got < n {
		t.Errorf("%d lines are in the guard copy, want at least %d", got, n)
	}
	f.equalCopies()
}

// The clock jumps ahead a year and back two: what is done after it counts after
// it, no writer is held up, and ids stay in order.
func TestClockJumps(t *testing.T) {
	f := newFixture(t)
	id := f.file("one")[0]
	rename := func(title string) {
		t.Helper()
		w := f.open()
		defer w.Close()
		if _, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			return []workspace.Draft{{Op: &op.Operation{Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{"title": op.Str(title)}}}}, nil
		}); err != nil {
			t.Fatal(err)
		}
		f.want(title)
	}
	for n, jump := range []time.Duration{365 * 24 * time.Hour, -2 * 365 * 24 * time.Hour, 0, 23 * time.Hour, -time.Hour, 50 * 365 * 24 * time.Hour, -50 * 365 * 24 * time.Hour, -time.Millisecond} {
		f.now = f.now.Add(jump)
		rename("jump " + string(rune('a'+n)))
	}
	var last op.ID
	for line := range strings.Lines(f.read(f.place().LogPath())) {
		r, err := op.Read([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		if r.Op.Issue == id && r.Op.ID.String() <= last.String() {
			t.Errorf("%s comes after %s", r.Op.ID, last)
		}
		if r.Op.Issue == id {
			last = r.Op.ID
		}
	}
	// Another issue is not carried along to where the clock once was.
	f.now = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	f.file("two")
	log, err := os.ReadFile(f.place().LogPath())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	r, err := op.Read([]byte(lines[len(lines)-1]))
	if err != nil || r.Op.ID.Time().After(f.now.Add(25*time.Hour)) {
		t.Errorf("the next issue's id is of %v, %v", r.Op.ID.Time(), err)
	}
	f.equalCopies()
}
