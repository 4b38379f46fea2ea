package daemonlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"gopkg.in/natefinch/lumberjack.v2"

	"beads/internal/workspace"
)

// Name is the daemon's log in the workspace's directory.
const Name = "daemon.log"

// When the log is rotated and how much of it is kept.
const (
	logMegabytes = 10
	logBackups   = 3
	logDays      = 28
)

// Open opens daemon.log for appending, 0600, rotated. The first open happens
// here: lumberjack would do it at the first line, and would then create a
// directory that was removed meanwhile.
func Open(p workspace.Place) (io.WriteCloser, error) {
	path := filepath.Join(p.Dir, Name)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("daemon log: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("daemon log %s is not a regular file", path)
	}
	w := &lumberjack.Logger{Filename: path, MaxSize: logMegabytes, MaxBackups: logBackups, MaxAge: logDays}
	if _, err := w.Write(nil); err != nil {
		return nil, fmt.Errorf("daemon log: %w", errors.Join(err, w.Close()))
	}
	return w, nil
}

// NewLogger writes entries with the keys timestamp, level, message, pid,
// operation, duration and error; what else there is, such as what the operation
// moved, is in the group metadata, where durations are texts. Text has local
// time, JSON has UTC and the duration in nanoseconds. Characters of others that
// would act on a terminal or hide text are made visible. ParseEntry reads both.
func NewLogger(w io.Writer, format string, level slog.Level, pid int, zone *time.Location) *slog.Logger {
	if format == "json" {
		zone = time.UTC
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 {
			switch a.Key {
			case slog.TimeKey:
				return slog.String("timestamp", a.Value.Time().In(zone).Format(TimeFormat))
			case slog.LevelKey:
				return slog.String("level", strings.ToLower(a.Value.String()))
			case slog.MessageKey:
				return slog.String("message", Visible(a.Value.String()))
			}
		}
		switch v := a.Value.Any().(type) {
		case string:
			a.Value = slog.StringValue(Visible(v))
		case error:
			a.Value = slog.StringValue(Visible(v.Error()))
		case time.Duration:
			if len(groups) > 0 { // the same in both formats
				a.Value = slog.StringValue(v.Round(10 * time.Microsecond).String())
			}
		}
		return a
	}}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if format == "json" {
		handler = slog.NewJSONHandler(w, options)
	}
	return slog.New(entryHandler{handler}).With("pid", pid)
}

// TimeFormat is how an entry writes its time.
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"

// entryHandler puts what is no key of every entry into the group metadata.
type entryHandler struct{ slog.Handler }

func (h entryHandler) Handle(ctx context.Context, r slog.Record) error {
	entry := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	var metadata []any
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "operation", "duration", "error":
			entry.AddAttrs(a)
		default:
			metadata = append(metadata, a)
		}
		return true
	})
	if len(metadata) > 0 {
		entry.AddAttrs(slog.Group("metadata", metadata...))
	}
	return h.Handler.Handle(ctx, entry)
}

func (h entryHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return entryHandler{h.Handler.WithAttrs(attrs)}
}

// Visible escapes control and format characters (terminal escapes,
// CVE-2003-0063; bidirectional text, CVE-2021-42574).
func Visible(s string) string {
	acts := func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar
	}
	if strings.IndexFunc(s, acts) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if acts(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
