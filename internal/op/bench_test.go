package op

import (
	"strings"
	"testing"
	"time"
)

// benchLine is a line of about the size that real ones have.
func benchLine(b *testing.B) []byte {
	b.Helper()
	line, err := Encode(&Operation{
		ID: makeID(1763866967857, 3, 0x1234567890abcdef), V: 1, Do: DoCreate, Issue: "bd-x7k2m9q4t1",
		At: time.UnixMilli(1763866967857), By: "alice",
		Set: fields("title", `"Fix the login when a session has expired"`, "priority", "1", "issue_type", `"bug"`,
			"description", `"`+strings.Repeat("what happens and what should happen ", 9)+`"`, "assignee", `"bob"`),
		Add: &Elements{Labels: []string{"auth", "backend"}, Deps: []Dep{{To: "bd-a9x8c7v6b5", Type: "blocks"}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return line
}

func BenchmarkRead(b *testing.B) {
	line := benchLine(b)
	var d Decoder
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Read(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	line := benchLine(b)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if len(Split(line)) != 1 {
			b.Fatal("split")
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	r, err := Read(benchLine(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(r.Op); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	r, err := Read(benchLine(b))
	if err != nil {
		b.Fatal(err)
	}
	done := update(2, `{"status":"closed","close_reason":"done"}`)
	done.ID = makeID(r.Op.ID.millis()+1, 0, 1)
	ops := []*Operation{r.Op, done}
	b.ReportAllocs()
	for b.Loop() {
		if s, _ := Fold(r.Op.Issue, ops); !s.Exists {
			b.Fatal("no issue")
		}
	}
}

func BenchmarkFoldLegacy(b *testing.B) {
	record := `{"id":"x-1","title":"Create the package","description":"` + strings.Repeat("what should happen ", 20) +
		`","status":"closed","priority":1,"issue_type":"task","created_at":"2025-11-02T21:58:07.295058-08:00",` +
		`"updated_at":"2025-11-03T20:56:22.700641-08:00","closed_at":"2025-11-03T20:56:22.700641-08:00",` +
		`"dependencies":[{"issue_id":"x-1","depends_on_id":"x-2","type":"parent-child","created_at":"2025-11-02T22:23:49.475356-08:00","created_by":"s"}]}`
	ops := []*Operation{imported(b, record)}
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if s, _ := Fold("x-1", ops); !s.Exists {
			b.Fatal("no issue")
		}
	}
}
