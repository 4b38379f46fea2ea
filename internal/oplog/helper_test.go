package oplog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"beads/internal/op"
	"beads/internal/oplog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failer is what tests and properties have in common.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// line is the n-th operation's line; n also shows in its issue id.
func line(n int) []byte {
	o := &op.Operation{
		ID: op.MinID(time.UnixMilli(1_800_000_000_000 + int64(n))),
		V:  op.Version, Do: op.DoCreate, Issue: fmt.Sprintf("bd-%d", n),
		At: time.UnixMilli(1_800_000_000_000).UTC(), By: "alice",
		Set: map[string]json.RawMessage{"title": json.RawMessage(fmt.Sprintf(`"issue %d"`, n))},
	}
	encoded, err := op.Encode(o)
	if err != nil {
		panic(err)
	}
	return encoded
}

func lines(numbers ...int) [][]byte {
	var all [][]byte
	for _, n := range numbers {
		all = append(all, line(n))
	}
	return all
}

// text is lines as a file holds them.
func text(numbers ...int) string {
	var b strings.Builder
	for _, n := range numbers {
		b.Write(line(n))
		b.WriteByte('\n')
	}
	return b.String()
}

// found is what a scan found: the issue of a good record, "legacy ID", or
// "bad: REASON".
func found(e oplog.Entry) string {
	switch {
	case e.Bad != nil:
		return "bad: " + e.Bad.Reason
	case e.Record.Legacy != nil:
		return "legacy " + e.Record.Legacy.Issue
	}
	return e.Record.Op.Issue
}

// scan collects what a scan from the cursor finds.
func scan(t failer, l *oplog.Log, from oplog.Cursor) ([]string, oplog.Cursor) {
	t.Helper()
	var got []string
	to, err := l.Scan(context.Background(), from, nil, func(e oplog.Entry) error {
		got = append(got, found(e))
		return nil
	})
	must(t, err)
	return got, to
}

// check asserts what Check says.
func check(t failer, l *oplog.Log, c oplog.Cursor, want oplog.State) {
	t.Helper()
	state, err := l.Check(c)
	must(t, err)
	if state != want {
		t.Fatalf("Check = %v, want %v", state, want)
	}
}

// logFile makes a file with content and returns its path.
func logFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "issues.jsonl")
	must(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// open opens the log at path until the end of the test.
func open(t *testing.T, fsys oplog.FS, path string) *oplog.Log {
	t.Helper()
	l, err := oplog.Open(fsys, path, true)
	must(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	})
	return l
}

func read(t failer, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return string(content)
}

// foreign appends to path as another tool does.
func foreign(t failer, path, content string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = file.WriteString(content)
	must(t, errors.Join(err, file.Close()))
}

// replace puts another file in path's place.
func replace(t failer, path, content string) {
	t.Helper()
	must(t, os.WriteFile(path+".new", []byte(content), 0o600))
	must(t, os.Rename(path+".new", path))
}

// edit changes bytes in place.
func edit(t failer, path string, off int64, content string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = file.WriteAt([]byte(content), off)
	must(t, errors.Join(err, file.Close()))
	// Whatever the granularity of the file system's clock.
	must(t, os.Chtimes(path, time.Time{}, time.Unix(1, off)))
}

func repeat(s string, n int) string { return string(bytes.Repeat([]byte(s), n)) }

// record is the entry that raw decodes to.
func record(t failer, raw []byte) oplog.Entry {
	t.Helper()
	r, err := op.Read(raw)
	must(t, err)
	return oplog.Entry{Record: r}
}
