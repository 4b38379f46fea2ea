package daemonlog

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"beads/internal/workspace"
)

const textLine = `timestamp=2026-03-01T10:00:00.000Z level=info message="two words" pid=7 operation=sync duration=1.5ms metadata.applied=2 metadata.rebuilt=true metadata.reason="a \"b\""`

func TestParseEntries(t *testing.T) {
	when := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for _, line := range []string{
		textLine,
		`{"timestamp":"2026-03-01T10:00:00.000Z","level":"info","message":"two words","pid":7,"operation":"sync","duration":1500000,"metadata":{"applied":2,"rebuilt":true,"reason":"a \"b\""}}`,
	} {
		e := ParseEntry([]byte(line + "\n"))
		if e == nil {
			t.Fatalf("no entry: %s", line)
		}
		if !e.Timestamp.Equal(when) || e.Level != "info" || e.Message != "two words" || e.PID != 7 || e.Operation != "sync" || e.Duration != 1500*time.Microsecond {
			t.Errorf("%+v", e)
		}
		data, err := json.Marshal(e)
		if err != nil || !strings.Contains(string(data), `"metadata":{"applied":2,"reason":"a \"b\"","rebuilt":true}`) {
			t.Errorf("%s %v", data, err)
		}
	}
	for _, line := range []string{
		"", "panic: x", "goroutine 1 [running]:", "timestamp=", "timestamp=x level=info", `timestamp=2026-03-01T10:00:00.000Z level="info`,
		`{"timestamp":"x"}`, `{"timestamp":1`, "timestamp=2026-03-01T10:00:00.000Z level", "timestamp=2026-03-01T10:00:00.000Z pid=seven",
	} {
		if e := ParseEntry([]byte(line)); e != nil {
			t.Errorf("%q is an entry: %+v", line, e)
		}
	}
}

// What the logger writes, the reader reads, whatever it says.
func FuzzParseEntry(f *testing.F) {
	f.Add("message", "value", false)
	f.Add("a=b \"c\"\n\x1b[2J", "\u202e", true)
	f.Add("", "\xff", false)
	f.Fuzz(func(t *testing.T, message, value string, asJSON bool) {
		format := "text"
		if asJSON {
			format = "json"
		}
		var out strings.Builder
		NewLogger(&out, format, slog.LevelInfo, 7, time.UTC).Warn(message, "operation", "sync", "duration", time.Second, "error", errors.New(value), "key", "k"+value)
		e := ParseEntry([]byte(out.String()))
		if e == nil {
			t.Fatalf("not read: %q", out.String())
		}
		if e.Message != Visible(message) || e.Error != Visible(value) || e.Metadata["key"] != "k"+Visible(value) || e.Duration != time.Second || e.Level != "warn" {
			t.Errorf("%+v from %q", e, out.String())
		}
		_ = ParseEntry([]byte(message)) // must not panic
	})
}

// logs is a directory with files of a log.
func logs(t *testing.T, files map[string]string) workspace.Place {
	t.Helper()
	p := workspace.Place{Dir: t.TempDir()}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func line(minute int, level, message string) string {
	stamp := time.Date(2026, 3, 1, 10, minute, 0, 0, time.UTC).Format(TimeFormat)
	return "timestamp=" + stamp + " level=" + level + " message=" + message + " pid=7\n"
}

func TestReadLog(t *testing.T) {
	p := logs(t, map[string]string{
		Name:                                 line(4, "warn", "e") + "panic: boom\n\ngoroutine 1\n" + line(5, "info", "f") + "torn",
		"daemon-2026-03-01T09-00-00.000.log": "stray\n" + line(0, "debug", "a") + line(1, "error", "b"),
		"daemon-2026-03-01T10-00-00.000.log": line(2, "info", "c") + strings.ReplaceAll(`{"timestamp":"2026-03-01T10:03:00Z","level":"error","message":"d"}`, "\n", "") + "\n",
		"daemon-x.log":                       line(6, "error", "not ours"),
		"daemon-2026.log.gz":                 "not ours",
	})
	for _, test := range []struct {
		name  string
		query Query
		want  string
	}{
		{"all", Query{Level: slog.LevelDebug}, "stray a b c d e+2 f"},
		{"the last", Query{Level: slog.LevelDebug, Last: 3}, "d e+2 f"},
		{"of a level", Query{Level: slog.LevelWarn}, "stray b d e+2"},
		{"the last of a level", Query{Level: slog.LevelError, Last: 2}, "b d"},
		{"since", Query{Level: slog.LevelDebug, Since: time.Date(2026, 3, 1, 10, 3, 0, 0, time.UTC)}, "d e+2 f"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			err := Read(t.Context(), p, test.query, func(e Entry) error {
				text := e.Message
				if len(e.Output) == 2 {
					text += "+2"
				}
				got = append(got, text)
				return nil
			})
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
	stop := errors.New("enough")
	if err := Read(t.Context(), p, Query{}, func(Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if err := Read(t.Context(), workspace.Place{Dir: t.TempDir()}, Query{}, nil); !errors.Is(err, ErrNone) {
		t.Errorf("no log: %v", err)
	}
}

// TestRotatedAfterItsEnd: a file gets one more line, and is rotated, between the
// moment when it was read to its end and the look for the next one.
func TestRotatedAfterItsEnd(t *testing.T) {
	p := logs(t, map[string]string{Name: line(0, "info", "a")})
	path := filepath.Join(p.Dir, Name)
	var got []string
	r := &reader{dir: p.Dir, live: true, yield: func(e Entry) error { got = append(got, e.Message); return nil }}
	defer r.close()
	if err := r.advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{Name: line(0, "info", "a") + line(1, "info", "b"), "later": line(2, "info", "c")} {
		f, err := os.OpenFile(filepath.Join(p.Dir, name), os.O_CREATE|os.O_WRONLY, 0o600) // the same file, longer
		if err == nil {
			_, err = f.WriteString(content)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	rotated := filepath.Join(p.Dir, "daemon-2026-03-01T10-00-00.000.log")
	if err := errors.Join(os.Rename(path, rotated), os.Rename(filepath.Join(p.Dir, "later"), path)); err != nil {
		t.Fatal(err)
	}
	next, err := r.next()
	if err != nil || next == nil {
		t.Fatalf("no next file: %v", err)
	}
	if err := r.move(next); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.advance(t.Context()), r.caughtUp()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestFollowLog: what is appended comes, across rotations, until the end.
func TestFollowLog(t *testing.T) {
	p := logs(t, map[string]string{Name: line(0, "info", "a")})
	path := filepath.Join(p.Dir, Name)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan string)
	ended := make(chan error)
	go func() {
		ended <- Read(ctx, p, Query{Follow: true}, func(e Entry) error { got <- e.Message; return nil })
	}()
	expect := func(want ...string) {
		t.Helper()
		var messages []string
		for range want {
			messages = append(messages, <-got)
		}
		if !slices.Equal(messages, want) {
			t.Errorf("%q, want %q", messages, want)
		}
	}
	write := func(content string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString(content)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	rotate := func(stamp string) {
		t.Helper()
		if err := os.Rename(path, filepath.Join(p.Dir, "daemon-"+stamp+".log")); err != nil {
			t.Fatal(err)
		}
	}
	expect("a")
	write(line(1, "info", "b")[:40])
	write(line(1, "info", "b")[40:])
	expect("b")
	write(line(2, "info", "c"))
	rotate("2026-03-01T10-00-00.000")
	write(line(3, "info", "d"))
	rotate("2026-03-01T11-00-00.000")
	write(line(4, "info", "e"))
	expect("c", "d", "e")
	rotate("2026-03-01T09-00-00.000") // the clock was set back
	write(line(5, "info", "f"))
	expect("f")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("interrupted: %v", err)
	}
}
