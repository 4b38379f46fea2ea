package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Record is what one line of a log or of an import file holds: exactly one of
// Op, Legacy and Interaction is set. Its raw values alias the line that was read.
type Record struct {
	Line        []byte // the exact bytes that sum and hash cover
	Op          *Operation
	Legacy      *LegacyRecord
	Interaction *Interaction // on the stream of interactions, and there alone
	Sum         bool         // the line carries a (valid) sum
}

// ID is that of the operation or the interaction; zero for a legacy record.
func (r Record) ID() ID {
	switch {
	case r.Op != nil:
		return r.Op.ID
	case r.Interaction != nil:
		return r.Interaction.ID
	}
	return ID{}
}

// BadLine says why a line cannot be read; goes to quarantine.
type BadLine struct{ Reason string }

func (e *BadLine) Error() string { return e.Reason }

func bad(format string, args ...any) *BadLine {
	const most = 200 // a reason may quote the line
	reason := fmt.Sprintf(format, args...)
	if len(reason) > most {
		reason = strings.ToValidUTF8(reason[:most], "") + "…"
	}
	return &BadLine{Reason: reason}
}

// Read decodes one line as split by Split. A *BadLine error says why a line
// cannot be read; there is no other error. Of an operation of a greater
// version than ours only the id, the version and, where well-formed, the
// issue, verb, time and actor are read. The record aliases line.
func Read(line []byte) (Record, error) {
	var d Decoder
	return d.Read(line)
}

// Decoder reads lines and keeps its buffers between them: what a rebuild uses.
// The zero Decoder is ready, for operations. Not safe for concurrent use.
type Decoder struct {
	Stream Stream // what the lines are

	line []byte
	buf  bytes.Buffer
	json *jsontext.Decoder
}

// Read is like the function Read.
func (d *Decoder) Read(line []byte) (Record, error) {
	if err := precheck(line); err != nil {
		return Record{}, err
	}
	if d.Stream == Interactions {
		return d.readInteraction(line)
	}
	version := 1
	if !startsCanonically(line) {
		found, err := d.scan(line)
		if err != nil {
			return Record{}, err
		}
		if found.legacy != "" {
			r, err := legacyRecord(found.legacy, line)
			if err != nil {
				return Record{}, err
			}
			return Record{Line: line, Legacy: r}, nil
		}
		if version = found.op.V; version > Version {
			_, sum := cutSum(line)
			return Record{Line: line, Op: found.op, Sum: sum && sumHolds(line)}, nil
		}
	}
	o := &Operation{}
	sum, err := d.operation(line, o)
	if err != nil {
		return Record{}, err
	}
	return Record{Line: line, Op: o, Sum: sum}, nil
}

// precheck finds what can be said of a line before its JSON is read, each
// with a reason of its own.
func precheck(line []byte) error {
	switch {
	case len(line) == 0:
		return bad("empty line")
	case len(line) > MaxLine:
		return bad("longer than %d bytes", MaxLine)
	case isMarker(line):
		return bad("conflict marker")
	case bytes.IndexByte(line, 0) >= 0:
		return bad("holds NUL bytes")
	case !utf8.Valid(line):
		return bad("invalid UTF-8")
	case line[0] != '{':
		return bad("not a JSON object")
	case tooDeep(line):
		return bad("nested deeper than %d", MaxDepth)
	}
	return nil
}

// isMarker reports whether line is one of the lines that git leaves around a
// conflict.
func isMarker(line []byte) bool {
	const length = 7
	if len(line) < length || !bytes.ContainsAny(line[:1], "<|=>") {
		return false
	}
	for _, b := range line[:length] {
		if b != line[0] {
			return false
		}
	}
	return len(line) == length || line[length] == ' '
}

func tooDeep(line []byte) bool {
	if bytes.Count(line, []byte("{"))+bytes.Count(line, []byte("[")) <= MaxDepth {
		return false
	}
	depth, inString := 0, false
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return false
}

// canonicalStart and what follows the id are how a canonical line of our
// version begins: such a line is decoded in one pass.
const (
	canonicalStart = `{"op":"`
	afterID        = `","v":1,`
)

func startsCanonically(line []byte) bool {
	const idEnd = len(canonicalStart) + idLength
	return len(line) > idEnd+len(afterID) &&
		string(line[:len(canonicalStart)]) == canonicalStart &&
		string(line[idEnd:idEnd+len(afterID)]) == afterID
}

// found is what scan found: a legacy id, or an operation's version and what
// of it every version shares.
type found struct {
	legacy string
	op     *Operation
}

// scan reads the whole line once without interpreting more than it must, to
// tell what it is.
func (d *Decoder) scan(line []byte) (found, error) {
	var op, version, legacyID, issue, do, at, by json.RawMessage
	d.reset(line)
	err := d.items("line", '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		value, err := d.value()
		switch name {
		case "op":
			op = value
		case "v":
			version = value
		case "id":
			legacyID = value
		case "issue":
			issue = value
		case "do":
			do = value
		case "at":
			at = value
		case "by":
			by = value
		}
		return err
	})
	if err == nil {
		err = d.end()
	}
	switch {
	case err != nil:
		return found{}, err
	case op == nil && legacyID == nil:
		return found{}, bad("neither an operation nor a record: no op, no id")
	case op == nil:
		id, ok := textOf(legacyID)
		if err := short(id, maxIssueID); !ok || err != nil {
			return found{}, bad("record without a valid id")
		}
		return found{legacy: id}, nil
	}
	o := &Operation{}
	if o.ID, err = idOf(op); err != nil {
		return found{}, err
	}
	if o.V, err = versionOf(version); err != nil {
		return found{}, err
	}
	if s, ok := textOf(issue); ok && short(s, maxIssueID) == nil {
		o.Issue = s
	}
	if s, ok := textOf(do); ok && short(s, maxVerb) == nil {
		o.Do = s
	}
	if s, ok := textOf(at); ok {
		o.At, _ = parseTime(s) // the zero time if it is not well-formed
	}
	if s, ok := textOf(by); ok && tooLong(s, maxActor) == nil {
		o.By = s
	}
	return found{op: o}, nil
}

func textOf(raw []byte) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	s, err := unquote(raw)
	return s, err == nil
}

func idOf(raw []byte) (ID, error) {
	s, ok := textOf(raw)
	if !ok {
		return ID{}, bad("op is not a string")
	}
	id, err := ParseID(s)
	if err != nil {
		return ID{}, bad("bad id: %v", err)
	}
	return id, nil
}

func versionOf(raw []byte) (int, error) {
	if raw == nil {
		return 0, bad("v is missing")
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return 0, bad("v is not a positive whole number")
	}
	return int(n), nil
}

// parseTime reads an RFC 3339 time and returns it in UTC with whole
// microseconds. The zero time, with which some programs write "none", is an
// error.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || strings.Contains(s, ",") {
		return time.Time{}, errors.New("is not an RFC 3339 time")
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errors.New("is out of range")
	}
	return t, nil
}
