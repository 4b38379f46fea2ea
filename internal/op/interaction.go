package op

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"beads/internal/issue"
)

// Interaction is one record of what an agent did: a call of a model or of a
// tool, or a judgement (Label, Reason) on the record that Parent names.
type Interaction struct {
	ID        ID
	Kind      string // llm_call, tool_call, label, or any other name
	CreatedAt time.Time
	Actor     string
	Issue     string // "" if it concerns none
	Model     string
	Prompt    string
	Response  string
	Error     string
	ToolName  string
	ExitCode  *int // nil: there was none
	Parent    ID   // zero: none
	Label     string
	Reason    string
	Extra     json.RawMessage // an object; nil: none

	// Unknown holds members this version does not know, as read.
	Unknown map[string]json.RawMessage
}

// Kinds of interactions that mean something here; any other name will do too.
const (
	KindLLMCall  = "llm_call"
	KindToolCall = "tool_call"
	KindLabel    = "label"
)

const interactionStart = `{"id":"`

// ParseInteraction reads a record as a person or a tool hands it in: as a line
// of the log, but id, created_at and actor may be missing. A *BadLine error says
// what is wrong with it. The record aliases line.
func ParseInteraction(line []byte) (Record, error) {
	if err := precheck(line); err != nil {
		return Record{}, err
	}
	var d Decoder
	i := &Interaction{}
	sum, err := d.interaction(line, i)
	if err == nil && i.Kind == "" {
		err = bad("kind is missing")
	}
	if err != nil {
		return Record{}, err
	}
	return Record{Line: line, Interaction: i, Sum: sum}, nil
}

// readInteraction is Read for a line of the stream of interactions.
func (d *Decoder) readInteraction(line []byte) (Record, error) {
	i := &Interaction{}
	sum, err := d.interaction(line, i)
	if err == nil {
		err = i.complete()
	}
	if err != nil {
		return Record{}, err
	}
	return Record{Line: line, Interaction: i, Sum: sum}, nil
}

// complete says which of the required members was not there.
func (i *Interaction) complete() error {
	switch {
	case i.ID.IsZero():
		return bad("id is missing")
	case i.Kind == "":
		return bad("kind is missing")
	case i.CreatedAt.IsZero():
		return bad("created_at is missing")
	case i.Actor == "":
		return bad("actor is missing")
	}
	return nil
}

// interaction decodes a line in one pass and reports whether it carries a sum,
// which it has checked.
func (d *Decoder) interaction(line []byte, i *Interaction) (sum bool, err error) {
	d.reset(line)
	err = d.items("line", '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		if name == "sum" {
			sum = true
			return d.checkSum(line)
		}
		value, err := d.value()
		if err != nil {
			return err
		}
		if err := i.set(name, value); err != nil {
			return bad("%s %v", name, err)
		}
		return nil
	})
	if err == nil {
		err = d.end()
	}
	if err == nil && sum && !sumHolds(line) {
		err = bad("wrong sum")
	}
	return sum, err
}

// set takes one member. Members that are null are as if they were missing,
// which other programs write.
func (i *Interaction) set(name string, value json.RawMessage) (err error) {
	if isNull(value) && isInteractionMember(name) {
		return nil
	}
	switch name {
	case "id":
		i.ID, err = idValue(value)
	case "kind":
		i.Kind, err = nameValue(value, issue.MaxName)
	case "created_at":
		i.CreatedAt, err = timeValue(value)
	case "actor":
		i.Actor, err = textValue(value, maxActor)
	case "issue_id":
		i.Issue, err = optionalName(value, maxIssueID)
	case "model":
		i.Model, err = textValue(value, issue.MaxShort)
	case "prompt":
		i.Prompt, err = textValue(value, MaxLine)
	case "response":
		i.Response, err = textValue(value, MaxLine)
	case "error":
		i.Error, err = textValue(value, MaxLine)
	case "tool_name":
		i.ToolName, err = textValue(value, issue.MaxShort)
	case "exit_code":
		i.ExitCode, err = exitCode(value)
	case "parent_id":
		i.Parent, err = idValue(value)
	case "label":
		i.Label, err = textValue(value, issue.MaxLabel)
	case "reason":
		i.Reason, err = textValue(value, MaxLine)
	case "extra":
		if value[0] != '{' {
			return errors.New("is not an object")
		}
		i.Extra = value
	default:
		if i.Unknown == nil {
			i.Unknown = make(map[string]json.RawMessage, 1)
		}
		i.Unknown[name] = value
	}
	return err
}

func isInteractionMember(name string) bool {
	switch name {
	case "id", "kind", "created_at", "actor", "issue_id", "model", "prompt", "response", "error",
		"tool_name", "exit_code", "parent_id", "label", "reason", "extra", "sum":
		return true
	}
	return false
}

func idValue(value json.RawMessage) (ID, error) {
	text, ok := textOf(value)
	if !ok {
		return ID{}, errors.New("is not a string")
	}
	id, err := ParseID(text)
	if err != nil {
		return ID{}, fmt.Errorf("is no operation id: %w", err)
	}
	return id, nil
}

func textValue(value json.RawMessage, most int) (string, error) {
	text, ok := textOf(value)
	if !ok {
		return "", errors.New("is not a string")
	}
	return text, tooLong(text, most)
}

func nameValue(value json.RawMessage, most int) (string, error) {
	text, err := textValue(value, most)
	if err == nil {
		err = short(text, most)
	}
	return text, err
}

// optionalName is nameValue for a member that may be empty.
func optionalName(value json.RawMessage, most int) (string, error) {
	if string(value) == `""` {
		return "", nil
	}
	return nameValue(value, most)
}

func timeValue(value json.RawMessage) (time.Time, error) {
	text, ok := textOf(value)
	if !ok {
		return time.Time{}, errors.New("is not a string")
	}
	return parseTime(text)
}

func exitCode(value json.RawMessage) (*int, error) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return nil, errors.New("is not a whole number of 32 bits")
	}
	code := int(n)
	return &code, nil
}

// EncodeInteraction writes the canonical line with its sum, without LF. It fails
// when the record could not be read back: over a limit, invalid UTF-8, a
// required member missing.
func EncodeInteraction(i *Interaction) ([]byte, error) {
	line, err := i.appendMembers(make([]byte, 0, 512+len(i.Prompt)+len(i.Response)))
	if err != nil {
		return nil, fmt.Errorf("interaction %s: %w", i.ID, err)
	}
	body := len(line)
	line = append(line, sumStart...)
	line = appendSum(line, line[:body])
	line = append(line, `"}`...)
	// As with operations, the reader has the last word.
	d := Decoder{Stream: Interactions}
	if _, err := d.Read(line); err != nil {
		return nil, fmt.Errorf("interaction %s cannot be written: %w", i.ID, err)
	}
	return line, nil
}

// AppendJSON appends the record as one JSON object, in the order of the line but
// without its sum.
func (i *Interaction) AppendJSON(dst []byte) ([]byte, error) {
	dst, err := i.appendMembers(dst)
	if err != nil {
		return nil, fmt.Errorf("interaction %s: %w", i.ID, err)
	}
	return append(dst, '}'), nil
}

// appendMembers appends the line up to where the sum begins.
func (i *Interaction) appendMembers(dst []byte) ([]byte, error) {
	e := encoder{line: append(dst, interactionStart...)}
	e.line = append(e.line, i.ID.String()...)
	e.text(`","kind":`, i.Kind)
	e.time(`,"created_at":"`, i.CreatedAt)
	e.text(`,"actor":`, i.Actor)
	e.filled(`,"issue_id":`, i.Issue)
	e.filled(`,"model":`, i.Model)
	e.filled(`,"prompt":`, i.Prompt)
	e.filled(`,"response":`, i.Response)
	e.filled(`,"error":`, i.Error)
	e.filled(`,"tool_name":`, i.ToolName)
	if i.ExitCode != nil {
		e.line = append(e.line, `,"exit_code":`...)
		e.line = strconv.AppendInt(e.line, int64(*i.ExitCode), 10)
	}
	if !i.Parent.IsZero() {
		e.text(`,"parent_id":`, i.Parent.String())
	}
	e.filled(`,"label":`, i.Label)
	e.filled(`,"reason":`, i.Reason)
	if i.Extra != nil {
		e.line = append(e.line, `,"extra":`...)
		e.raw(i.Extra)
	}
	e.unknown(i.Unknown, isInteractionMember)
	return e.line, e.err
}

// filled writes a text that is not empty.
func (e *encoder) filled(start, s string) {
	if s != "" {
		e.text(start, s)
	}
}
