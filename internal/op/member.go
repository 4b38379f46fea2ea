package op

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"beads/internal/issue"
)

// The bounds of an operation's short members, in characters.
const (
	maxVerb      = 50
	maxActor     = issue.MaxActor
	maxIssueID   = issue.MaxForeignID
	maxReference = 100
)

// operation decodes an operation line of our version in one pass and reports
// whether it carries a sum, which it has checked.
func (d *Decoder) operation(line []byte, o *Operation) (sum bool, err error) {
	d.reset(line)
	var have members
	err = d.items("line", '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		if name == "sum" {
			sum = true
			return d.checkSum(line)
		}
		return d.member(name, o, &have)
	})
	if err != nil {
		return false, err
	}
	if err := d.end(); err != nil {
		return false, err
	}
	if sum && !sumHolds(line) {
		return false, bad("wrong sum")
	}
	return sum, have.complete()
}

// members notes which of the required ones were there.
type members struct{ op, v, do, at, by bool }

func (m members) complete() error {
	switch {
	case !m.op:
		return bad("op is missing")
	case !m.v:
		return bad("v is missing")
	case !m.do:
		return bad("do is missing")
	case !m.at:
		return bad("at is missing")
	case !m.by:
		return bad("by is missing")
	}
	return nil
}

func (d *Decoder) checkSum(line []byte) error {
	if _, err := d.text("sum"); err != nil {
		return err
	}
	if _, ok := cutSum(line); !ok {
		return bad("sum is not where it belongs")
	}
	return nil
}

func (d *Decoder) member(name string, o *Operation, have *members) (err error) {
	switch name {
	case "op":
		have.op = true
		raw, err := d.value()
		if err != nil {
			return err
		}
		o.ID, err = idOf(raw)
		return err
	case "v":
		have.v = true
		raw, err := d.value()
		if err != nil {
			return err
		}
		o.V, err = versionOf(raw)
		return err
	case "do":
		have.do = true
		o.Do, err = d.name(name, maxVerb)
	case "issue":
		o.Issue, err = d.name(name, maxIssueID)
	case "at":
		have.at = true
		o.At, err = d.time(name)
	case "by":
		have.by = true
		o.By, err = d.bounded(name, maxActor)
	case "session":
		o.Session, err = d.bounded(name, maxActor)
	case "if":
		o.If, err = d.condition()
	case "set":
		o.Set, err = d.fields(name)
	case "remove":
		o.Remove, err = d.elements(name)
	case "add":
		o.Add, err = d.elements(name)
	case "append":
		o.Append, err = d.texts(name)
	case "comment":
		o.Comment, err = d.comment(name, false, true)
	case "comment_edit":
		o.CommentEdit, err = d.comment(name, true, true)
	case "comment_delete":
		o.CommentDelete, err = d.comment(name, true, false)
	case "legacy":
		o.Legacy, err = d.legacy()
	default:
		if o.Unknown == nil {
			o.Unknown = make(map[string]json.RawMessage, 1)
		}
		o.Unknown[name], err = d.value()
	}
	return err
}

func (d *Decoder) name(what string, most int) (string, error) {
	s, err := d.text(what)
	if err != nil {
		return "", err
	}
	if err := short(s, most); err != nil {
		return "", bad("%s %v", what, err)
	}
	return s, nil
}

func (d *Decoder) bounded(what string, most int) (string, error) {
	s, err := d.text(what)
	if err != nil {
		return "", err
	}
	if err := tooLong(s, most); err != nil {
		return "", bad("%s %v", what, err)
	}
	return s, nil
}

func tooLong(s string, most int) error {
	if len(s) > most && utf8.RuneCountInString(s) > most {
		return fmt.Errorf("is longer than %d characters", most)
	}
	return nil
}

func (d *Decoder) time(what string) (t time.Time, err error) {
	s, err := d.text(what)
	if err != nil {
		return t, err
	}
	if t, err = parseTime(s); err != nil {
		return t, bad("%s %v", what, err)
	}
	return t, nil
}

func (d *Decoder) fields(what string) (map[string]json.RawMessage, error) {
	set := make(map[string]json.RawMessage, 8)
	err := d.items(what, '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		set[name], err = d.value()
		return err
	})
	return set, err
}

func (d *Decoder) texts(what string) (map[string]string, error) {
	texts := make(map[string]string, 1)
	err := d.items(what, '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		texts[name], err = d.text(what)
		return err
	})
	return texts, err
}

func (d *Decoder) elements(what string) (*Elements, error) {
	e := &Elements{}
	err := d.items(what, '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		switch name {
		case "labels":
			return d.items("labels", '[', func() error {
				label, err := d.text("labels")
				e.Labels = append(e.Labels, label)
				return err
			})
		case "deps":
			return d.items("deps", '[', func() error {
				dep, err := d.dep()
				e.Deps = append(e.Deps, dep)
				return err
			})
		}
		if e.Unknown == nil {
			e.Unknown = make(map[string]json.RawMessage, 1)
		}
		e.Unknown[name], err = d.value()
		return err
	})
	return e, err
}

func (d *Decoder) dep() (dep Dep, err error) {
	err = d.items("deps", '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		switch name {
		case "to":
			dep.To, err = d.text("to")
		case "type":
			dep.Type, err = d.text("type")
		case "metadata":
			if dep.Metadata, err = d.value(); string(dep.Metadata) == "null" {
				dep.Metadata = nil
			}
		default:
			_, err = d.value()
		}
		return err
	})
	if err == nil && (dep.To == "" || dep.Type == "") {
		err = bad("deps: an element without to or type")
	}
	return dep, err
}

func (d *Decoder) comment(what string, ref, text bool) (*CommentText, error) {
	c := &CommentText{}
	var hasRef, hasText bool
	err := d.items(what, '{', func() error {
		name, err := d.fieldName()
		if err != nil {
			return err
		}
		switch {
		case name == "ref" && ref:
			hasRef = true
			c.Ref, err = d.name("ref", maxReference)
		case name == "text" && text:
			hasText = true
			c.Text, err = d.text("text")
		default:
			_, err = d.value()
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case ref && !hasRef:
		return nil, bad("%s without ref", what)
	case text && !hasText:
		return nil, bad("%s without text", what)
	}
	return c, nil
}

// condition reads if. A member that is unknown, or known with a value that
// this version cannot have meant, makes the whole condition unknown: guessing
// would let two versions disagree about who won a claim.
func (d *Decoder) condition() (*Condition, error) {
	c := &Condition{}
	lease := false
	raw, err := d.value()
	if err != nil {
		return nil, err
	}
	if raw[0] != '{' {
		return nil, bad("if is not an object")
	}
	c.Raw = raw
	err = eachMember(raw, func(name string, value json.RawMessage) error {
		isTrue := string(value) == "true"
		switch {
		case name == "unassigned" && isTrue:
			c.Unassigned = true
		case name == "unset" && isTrue:
			c.Unset = true
		case name == "lease":
			lease = true
			n, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil || n < 0 || n > maxLease {
				c.Unknown = true
			}
			c.Lease = n
		default:
			c.Unknown = true
		}
		return nil
	})
	if lease && !c.Unassigned {
		c.Unknown = true
	}
	return c, err
}

func (d *Decoder) legacy() (json.RawMessage, error) {
	raw, err := d.value()
	if err != nil {
		return nil, err
	}
	if raw[0] != '{' {
		return nil, bad("legacy is not an object")
	}
	return raw, nil
}
