package beadsjson_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"beads/internal/beadsjson"
	"beads/internal/issue"
	"beads/internal/op"
)

// readAll reads everything in chunks of n.
func readAll(t *testing.T, in io.Reader, n int) (records []op.Record, lines []int64, bad []beadsjson.BadLine, size int64) {
	t.Helper()
	r := beadsjson.NewReader(in)
	for {
		chunk, err := r.Next(n)
		if errors.Is(err, io.EOF) {
			return records, lines, bad, size
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(chunk.Records)+len(chunk.Bad) == 0 && chunk.Bytes == size {
			t.Fatal("an empty chunk without progress")
		}
		records, lines = append(records, chunk.Records...), append(lines, chunk.Lines...)
		bad, size = append(bad, chunk.Bad...), chunk.Bytes
	}
}

func TestReader(t *testing.T) {
	long := strings.Repeat("x", op.MaxLine+2048)
	for _, test := range []struct {
		name, in string
		ids      string // issue ids of the records
		lines    string
		bad      string // lines of the bad ones
	}{
		{name: "nothing", in: ""},
		{name: "blank lines only", in: "\n\r\n  \n"},
		{name: "two records", in: `{"id":"a-1"}` + "\n" + `{"id":"a-2"}` + "\n", ids: "a-1 a-2", lines: "1 2"},
		{name: "no final newline", in: `{"id":"a-1"}` + "\n" + `{"id":"a-2"}`, ids: "a-1 a-2", lines: "1 2"},
		{name: "BOM, CRLF and blanks", in: "\ufeff" + `{"id":"a-1"}` + "\r\n \n\t" + `{"id":"a-2"}` + " \r\n", ids: "a-1 a-2", lines: "1 3"},
		{name: "two records glued on a line", in: `{"id":"a-1"}{"id":"a-2"}` + "\n", ids: "a-1 a-2", lines: "1 1"},
		{name: "rubbish between", in: `{"id":"a-1"}` + "\nrubbish\n" + `{"id":"a-2"}`, ids: "a-1 a-2", lines: "1 3", bad: "2"},
		{name: "a line over the limit", in: long + "\n" + `{"id":"a-2"}`, ids: "a-2", lines: "2", bad: "1"},
		{name: "a last line over the limit", in: `{"id":"a-1"}` + "\n" + long, ids: "a-1", lines: "1", bad: "2"},
		{name: "a torn last line", in: `{"id":"a-1"}` + "\n" + `{"id":"a-`, ids: "a-1", lines: "1", bad: "2"},
	} {
		for _, n := range []int{1, 2, 1000} {
			t.Run(fmt.Sprintf("%s, %d at a time", test.name, n), func(t *testing.T) {
				records, lines, bad, size := readAll(t, strings.NewReader(test.in), n)
				var ids []string
				for _, r := range records {
					ids = append(ids, r.Legacy.Issue)
				}
				if got := strings.Join(ids, " "); got != test.ids {
					t.Errorf("ids %q, want %q", got, test.ids)
				}
				if got := strings.Trim(fmt.Sprint(lines), "[]"); got != test.lines {
					t.Errorf("lines %q, want %q", got, test.lines)
				}
				var badLines []int64
				for _, b := range bad {
					badLines = append(badLines, b.Line)
				}
				if got := strings.Trim(fmt.Sprint(badLines), "[]"); got != test.bad {
					t.Errorf("bad lines %q, want %q", got, test.bad)
				}
				if size != int64(len(test.in)) && (len(records) > 0 || len(bad) > 0) {
					t.Errorf("%d bytes consumed of %d", size, len(test.in))
				}
			})
		}
	}
}

// The records of a chunk must not change when the next one is read.
func TestReaderKeepsRecords(t *testing.T) {
	var in strings.Builder
	for n := range 3000 {
		fmt.Fprintf(&in, "{\"id\":\"a-%d\",\"title\":%q}\n", n, strings.Repeat("t", n%700))
	}
	records, _, _, _ := readAll(t, iotest.HalfReader(strings.NewReader(in.String())), 7)
	if len(records) != 3000 {
		t.Fatalf("%d records", len(records))
	}
	for n, r := range records {
		if want := fmt.Sprintf("{\"id\":\"a-%d\"", n); !strings.HasPrefix(string(r.Line), want) {
			t.Fatalf("record %d is %s", n, r.Line)
		}
	}
}

func TestReaderReportsAFailingInput(t *testing.T) {
	broken := errors.New("broken")
	in := io.MultiReader(strings.NewReader(`{"id":"a-1"}`+"\n"), iotest.ErrReader(broken))
	_, err := beadsjson.NewReader(in).Next(10)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "line 2") {
		t.Fatalf("got %v", err)
	}
}

func TestWriterNumbersComments(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC)
	i := issue.Issue{ID: "a-1", Title: "<T>", Status: "open", Type: "task", CreatedAt: at, UpdatedAt: at, Comments: []issue.Comment{
		{ID: "z", Author: "bob", Text: "b & c", CreatedAt: at},
		{ID: "y", Author: "bob", Text: "a", CreatedAt: at, UpdatedAt: at},
	}}
	var out bytes.Buffer
	w := beadsjson.NewWriter(&out)
	if err := w.Write(i); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"a-1","title":"<T>","status":"open","priority":0,"issue_type":"task",` +
		`"created_at":"2026-01-01T00:00:00.000001Z","updated_at":"2026-01-01T00:00:00.000001Z","comments":[` +
		`{"id":1,"issue_id":"a-1","author":"bob","text":"a","created_at":"2026-01-01T00:00:00.000001Z"},` +
		`{"id":2,"issue_id":"a-1","author":"bob","text":"b & c","created_at":"2026-01-01T00:00:00.000001Z"}]}` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
	if len(i.Comments) != 2 || i.Comments[0].ID != "z" {
		t.Error("the issue was changed")
	}
}

func TestWriterTombstone(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	i := issue.Issue{ID: "a-1", Title: "T", Status: "closed", Type: "bug", CreatedAt: at, UpdatedAt: at, ClosedAt: at}
	var out bytes.Buffer
	w := beadsjson.NewWriter(&out)
	if err := w.WriteTombstone(i, op.Deletion{At: at.Add(time.Hour), By: "bob"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"a-1","title":"T","status":"tombstone","priority":0,"issue_type":"bug",` +
		`"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T01:00:00Z",` +
		`"deleted_at":"2026-01-01T01:00:00Z","deleted_by":"bob","original_type":"bug"}` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(own, []byte("own"), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	link := func(t *testing.T, make func(string, string) error, to, name string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := make(to, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	content := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	if err := beadsjson.WriteFile(file, []string{own}, write("one")); err != nil || content(file) != "one" {
		t.Fatalf("a new file: %v, %q", err, content(file))
	}
	failed := errors.New("failed")
	err := beadsjson.WriteFile(file, nil, func(w io.Writer) error { _ = write("half")(w); return failed })
	if !errors.Is(err, failed) || content(file) != "one" {
		t.Errorf("a failed write: %v, %q", err, content(file))
	}
	via := link(t, os.Symlink, file, "via")
	if err := beadsjson.WriteFile(via, []string{own}, write("two")); err != nil || content(file) != "two" {
		t.Errorf("through a link: %v, %q", err, content(file))
	}
	if target, err := os.Readlink(via); err != nil || target != file {
		t.Errorf("the link is gone: %v", err)
	}
	absent := filepath.Join(dir, "absent")
	for name, path := range map[string]string{
		"itself":                   own,
		"a symbolic link to it":    link(t, os.Symlink, own, "soft"),
		"a hard link":              link(t, os.Link, own, "hard"),
		"another spelling":         filepath.Join(dir, "sub", "..", "own"),
		"one that is gone for now": absent,
	} {
		if name == "another spelling" {
			path = dir + "/./own"
		}
		if err := beadsjson.WriteFile(path, []string{own, absent}, write("x")); !errors.Is(err, beadsjson.ErrProtected) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, path := range map[string]string{
		"a directory":         dir,
		"a device":            "/dev/null",
		"a missing directory": filepath.Join(dir, "no", "file"),
		"a dangling link":     link(t, os.Symlink, filepath.Join(dir, "nowhere"), "dangling"),
	} {
		if err := beadsjson.WriteFile(path, nil, write("x")); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if content(own) != "own" {
		t.Errorf("the protected file is %q", content(own))
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files left: %v %v", left, err)
	}
}

func TestUnite(t *testing.T) {
	for _, test := range []struct{ name, output, left, right, want string }{
		{"nothing new", "a\nb\n", "b\n", "a\n", "a\nb\n"},
		{"what is missing comes in its order, once", "a\n", "c\nb\n", "b\nc\nd\n", "a\nc\nb\nd\n"},
		{"no final newline", "a", "b", "", "a\nb\n"},
		{"line ends and blanks do not matter", "a\r\n", " a \nb\r\n", "", "a\r\nb\n"},
		{"an empty output", "", "a\n\n", "", "a\n"},
		{"bytes are kept", "\xff\x00\n", "\xfe\n", "", "\xff\x00\n\xfe\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			paths := make([]string, 3)
			for n, text := range []string{test.output, test.left, test.right} {
				paths[n] = filepath.Join(dir, fmt.Sprint(n))
				if err := os.WriteFile(paths[n], []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // the second time changes nothing
				if _, err := beadsjson.Unite(paths[0], paths[1], paths[2]); err != nil {
					t.Fatal(err)
				}
				if got, _ := os.ReadFile(paths[0]); string(got) != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}
		})
	}
}
