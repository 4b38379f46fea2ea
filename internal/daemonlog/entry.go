package daemonlog

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Entry is one entry of the log, of whichever format.
type Entry struct {
	Timestamp time.Time      `json:"timestamp"` // zero: what stands before the first entry
	Level     string         `json:"level"`     // debug, info, warn, error
	Message   string         `json:"message"`
	PID       int            `json:"pid"`
	Operation string         `json:"operation"`
	Duration  time.Duration  `json:"duration"` // nanoseconds
	Error     string         `json:"error"`
	Metadata  map[string]any `json:"metadata"` // numbers, truth values and texts

	// Output is what was written to the log that is no entry, after this one: a
	// crash's last words. With JSON it is in the metadata.
	Output []string `json:"-"`
}

// level is the entry's level; what has none, counts as an error, since it is
// not ours.
func (e *Entry) level() slog.Level {
	var l slog.Level
	if e.Level == "" || l.UnmarshalText([]byte(e.Level)) != nil {
		return slog.LevelError
	}
	return l
}

// ParseEntry reads one line as NewLogger writes it; nil if it is no entry.
func ParseEntry(line []byte) *Entry {
	text := strings.TrimRight(string(line), "\r\n")
	switch {
	case strings.HasPrefix(text, `{"timestamp":`):
		return parseJSONEntry(text)
	case strings.HasPrefix(text, "timestamp="):
		return parseTextEntry(text)
	}
	return nil
}

func parseJSONEntry(text string) *Entry {
	var e Entry
	if json.Unmarshal([]byte(text), &e) != nil || e.Timestamp.IsZero() {
		return nil
	}
	if e.Metadata == nil {
		e.Metadata = map[string]any{}
	}
	return &e
}

// parseTextEntry reads key=value pairs as slog.TextHandler writes them.
func parseTextEntry(text string) *Entry {
	e := Entry{Metadata: map[string]any{}}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		if !ok {
			return nil
		}
		value := ""
		if value, text, ok = textValue(rest); !ok || !e.set(key, value) {
			return nil
		}
	}
	if e.Timestamp.IsZero() {
		return nil
	}
	return &e
}

// textValue takes a value, quoted or not, and the blank after it off s.
func textValue(s string) (value, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", false
		}
		if value, err = strconv.Unquote(quoted); err != nil {
			return "", "", false
		}
		return value, strings.TrimPrefix(s[len(quoted):], " "), true
	}
	value, rest, _ = strings.Cut(s, " ")
	return value, rest, true
}

// set takes one pair of a text entry.
func (e *Entry) set(key, value string) bool {
	var err error
	switch key {
	case "timestamp":
		e.Timestamp, err = time.Parse(time.RFC3339Nano, value)
	case "level":
		e.Level = value
	case "message":
		e.Message = value
	case "pid":
		e.PID, err = strconv.Atoi(value)
	case "operation":
		e.Operation = value
	case "duration":
		e.Duration, err = time.ParseDuration(value)
	case "error":
		e.Error = value
	default:
		e.Metadata[strings.TrimPrefix(key, "metadata.")] = textMetadata(value)
	}
	return err == nil
}

// textMetadata gives a value the kind that the JSON format would have kept.
func textMetadata(value string) any {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return n
	}
	switch value {
	case "true":
		return true
	case "false":
		return false
	}
	return value
}

// add takes a line that is no entry.
func (e *Entry) add(line string) {
	if len(e.Output) < outputLines {
		e.Output = append(e.Output, line)
	}
}

// MarshalJSON puts the output into the metadata.
func (e Entry) MarshalJSON() ([]byte, error) {
	type plain Entry
	p := plain(e)
	if len(e.Output) > 0 {
		p.Metadata = map[string]any{"output": strings.Join(e.Output, "\n")}
		for key, value := range e.Metadata {
			p.Metadata[key] = value
		}
	}
	if p.Metadata == nil {
		p.Metadata = map[string]any{}
	}
	return json.Marshal(p)
}
