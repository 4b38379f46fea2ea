package op

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Encode writes the canonical line with its sum, without LF. It fails when
// the operation could not be read back: over a limit, invalid UTF-8, a
// required member missing, a version that is not ours.
func Encode(o *Operation) ([]byte, error) {
	if o.V != Version {
		return nil, fmt.Errorf("operation %s: cannot write format version %d", o.ID, o.V)
	}
	e := encoder{line: make([]byte, 0, 512)}
	e.operation(o)
	if e.err != nil {
		return nil, fmt.Errorf("operation %s: %w", o.ID, e.err)
	}
	line := append(e.line, sumStart...)
	line = appendSum(line, e.line)
	line = append(line, `"}`...)
	// What goes into the log must be readable for ever, so the reader has
	// the last word.
	if _, err := Read(line); err != nil {
		return nil, fmt.Errorf("operation %s cannot be written: %w", o.ID, err)
	}
	return line, nil
}

// encoder appends members to line and remembers the first error.
type encoder struct {
	line []byte
	err  error
}

func (e *encoder) operation(o *Operation) {
	e.line = append(e.line, canonicalStart...)
	e.line = append(e.line, o.ID.String()...)
	e.line = append(e.line, `","v":`...)
	e.line = strconv.AppendInt(e.line, int64(o.V), 10)
	e.text(`,"do":`, o.Do)
	if o.Issue != "" {
		e.text(`,"issue":`, o.Issue)
	}
	e.time(`,"at":"`, o.At)
	e.text(`,"by":`, o.By)
	if o.Session != "" {
		e.text(`,"session":`, o.Session)
	}
	if o.If != nil {
		e.condition(o.If)
	}
	if len(o.Set) > 0 {
		e.line = append(e.line, `,"set":`...)
		e.rawMap(o.Set)
	}
	e.elements(`,"remove":`, o.Remove)
	e.elements(`,"add":`, o.Add)
	if len(o.Append) > 0 {
		e.line = append(e.line, `,"append":{`...)
		for i, name := range sortedKeys(o.Append) {
			e.key(i, name)
			e.text("", o.Append[name])
		}
		e.line = append(e.line, '}')
	}
	if c := o.Comment; c != nil {
		e.text(`,"comment":{"text":`, c.Text)
		e.line = append(e.line, '}')
	}
	if c := o.CommentEdit; c != nil {
		e.text(`,"comment_edit":{"ref":`, c.Ref)
		e.text(`,"text":`, c.Text)
		e.line = append(e.line, '}')
	}
	if c := o.CommentDelete; c != nil {
		e.text(`,"comment_delete":{"ref":`, c.Ref)
		e.line = append(e.line, '}')
	}
	if o.Legacy != nil {
		e.line = append(e.line, `,"legacy":`...)
		e.raw(o.Legacy)
	}
	e.unknown(o.Unknown, isMember)
}

// unknown writes the members that this version does not know, which must not
// pass for ones that it does.
func (e *encoder) unknown(members map[string]json.RawMessage, known func(string) bool) {
	for _, name := range sortedKeys(members) {
		if known(name) {
			e.fail(fmt.Errorf("unknown member %q has a known name", name))
			return
		}
		e.key(1, name)
		e.raw(members[name])
	}
}

func isMember(name string) bool {
	switch name {
	case "op", "v", "do", "issue", "at", "by", "session", "if", "set", "remove", "add", "append",
		"comment", "comment_edit", "comment_delete", "legacy", "sum":
		return true
	}
	return false
}

func (e *encoder) condition(c *Condition) {
	e.line = append(e.line, `,"if":`...)
	if c.Raw != nil {
		e.raw(c.Raw)
		return
	}
	if c.Unknown || c.Lease < 0 || c.Lease > maxLease || c.Lease != 0 && !c.Unassigned {
		e.fail(errors.New("condition has no meaning"))
	}
	e.line = append(e.line, '{')
	n := 0
	if c.Lease != 0 {
		e.key(n, "lease")
		e.line = strconv.AppendInt(e.line, c.Lease, 10)
		n++
	}
	if c.Unassigned {
		e.key(n, "unassigned")
		e.line = append(e.line, "true"...)
		n++
	}
	if c.Unset {
		e.key(n, "unset")
		e.line = append(e.line, "true"...)
	}
	e.line = append(e.line, '}')
}

func (e *encoder) elements(start string, el *Elements) {
	if el == nil || len(el.Labels)+len(el.Deps)+len(el.Unknown) == 0 {
		return
	}
	all := make(map[string]json.RawMessage, len(el.Unknown)+2)
	for name, raw := range el.Unknown {
		if name == "labels" || name == "deps" {
			e.fail(fmt.Errorf("unknown collection %q has a known name", name))
			return
		}
		all[name] = raw
	}
	if len(el.Labels) > 0 {
		sub := encoder{line: []byte{'['}}
		for i, label := range el.Labels {
			sub.comma(i)
			sub.text("", label)
		}
		e.fail(sub.err)
		all["labels"] = append(sub.line, ']')
	}
	if len(el.Deps) > 0 {
		sub := encoder{line: []byte{'['}}
		for i, dep := range el.Deps {
			sub.comma(i)
			sub.dep(dep)
		}
		e.fail(sub.err)
		all["deps"] = append(sub.line, ']')
	}
	e.line = append(e.line, start...)
	e.rawMap(all)
}

func (e *encoder) dep(d Dep) {
	e.line = append(e.line, '{')
	if d.Metadata != nil {
		e.key(0, "metadata")
		e.raw(d.Metadata)
		e.line = append(e.line, ',')
	}
	e.text(`"to":`, d.To)
	e.text(`,"type":`, d.Type)
	e.line = append(e.line, '}')
}

func (e *encoder) rawMap(m map[string]json.RawMessage) {
	e.line = append(e.line, '{')
	for i, name := range sortedKeys(m) {
		e.key(i, name)
		e.raw(m[name])
	}
	e.line = append(e.line, '}')
}

// raw writes a value; none is null.
func (e *encoder) raw(value json.RawMessage) {
	if len(value) == 0 {
		e.line = append(e.line, "null"...)
		return
	}
	line, err := appendCanonical(e.line, value)
	if err != nil {
		e.fail(err)
		return
	}
	e.line = line
}

func (e *encoder) key(i int, name string) {
	e.comma(i)
	e.text("", name)
	e.line = append(e.line, ':')
}

func (e *encoder) comma(i int) {
	if i > 0 {
		e.line = append(e.line, ',')
	}
}

func (e *encoder) text(start, s string) {
	line, err := appendString(append(e.line, start...), s)
	if err != nil {
		e.fail(fmt.Errorf("text %q: %w", clip(s), err))
	}
	e.line = line
}

func (e *encoder) time(start string, t time.Time) {
	t = t.UTC()
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		e.fail(errors.New("time is missing or out of range"))
	}
	e.line = t.AppendFormat(append(e.line, start...), "2006-01-02T15:04:05.000Z")
	e.line = append(e.line, '"')
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}
