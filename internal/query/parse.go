package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"beads/internal/issue"
	"beads/internal/spelling"
)

// Date reads a point in time as people write it. Of what names a whole day it
// gives the start, or with endOfDay the last second.
type Date func(text string, endOfDay bool) (time.Time, error)

// Parse reads an expression. An empty one is the zero Condition. What is wrong is
// an *Error, or the error of date.
func Parse(input string, date Date) (issue.Condition, error) {
	tokens, err := lex(input)
	if err != nil {
		return issue.Condition{}, err
	}
	p := parser{tokens: tokens, date: date}
	if p.peek().kind == end {
		return issue.Condition{}, nil
	}
	c, err := p.expression(0)
	if err != nil {
		return issue.Condition{}, err
	}
	if t := p.peek(); t.kind != end {
		return issue.Condition{}, p.unexpected(t, "the end")
	}
	return c, nil
}

type parser struct {
	tokens []token
	pos    int
	date   Date
	tests  int
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) take() token {
	t := p.tokens[p.pos]
	if t.kind != end {
		p.pos++
	}
	return t
}

func (p *parser) unexpected(t token, wanted string) error {
	if t.kind == end {
		return &Error{t.at, "the expression ends where " + wanted + " should be"}
	}
	return &Error{t.at, fmt.Sprintf("%q stands where %s should be", t.text, wanted)}
}

// expression is terms joined by OR.
func (p *parser) expression(depth int) (issue.Condition, error) {
	first, err := p.term(depth)
	if err != nil || p.peek().kind != or {
		return first, err
	}
	parts := []issue.Condition{first}
	for p.peek().kind == or {
		p.take()
		next, err := p.term(depth)
		if err != nil {
			return issue.Condition{}, err
		}
		parts = append(parts, next)
	}
	return issue.Condition{Any: parts}, nil
}

// term is factors joined by AND, or simply one after the other.
func (p *parser) term(depth int) (issue.Condition, error) {
	var parts []issue.Condition
	for {
		next, err := p.factor(depth)
		if err != nil {
			return issue.Condition{}, err
		}
		parts = append(parts, next)
		switch p.peek().kind {
		case and:
			p.take()
		case name, not, open:
		default:
			if len(parts) == 1 {
				return parts[0], nil
			}
			return issue.Condition{All: parts}, nil
		}
	}
}

func (p *parser) factor(depth int) (issue.Condition, error) {
	t := p.take()
	if depth > maxDepth {
		return issue.Condition{}, &Error{t.at, fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	switch t.kind {
	case not:
		inner, err := p.factor(depth + 1)
		return issue.Condition{Not: &inner}, err
	case open:
		inner, err := p.expression(depth + 1)
		if err != nil {
			return inner, err
		}
		if closing := p.take(); closing.kind != shut {
			return inner, p.unexpected(closing, ")")
		}
		return inner, nil
	case name:
		test, err := p.test(t)
		return issue.Condition{Test: test}, err
	}
	return issue.Condition{}, p.unexpected(t, "a field")
}

// test reads what follows the name of a field.
func (p *parser) test(t token) (*issue.Test, error) {
	if p.tests++; p.tests > maxTests {
		return nil, &Error{t.at, fmt.Sprintf("more than %d tests", maxTests)}
	}
	f, ok := find(t.text)
	if !ok {
		reason := fmt.Sprintf("unknown field %q; known are %s", t.text, strings.Join(names(), ", "))
		if near := spelling.Nearest(strings.ToLower(t.text), names(), max(1, len(t.text)/3)); near != "" {
			reason = fmt.Sprintf("unknown field %q; did you mean %s?", t.text, near)
		}
		return nil, &Error{t.at, reason}
	}
	if f.kind == flag && p.peek().kind != relation {
		return &issue.Test{Field: f.name, Relation: issue.Equal, Flag: true}, nil
	}
	how := p.take()
	if how.kind != relation {
		return nil, p.unexpected(how, "= or another comparison")
	}
	value := p.take()
	if value.kind != name && !(value.kind == and || value.kind == or || value.kind == not) || value.text == "!" {
		return nil, p.unexpected(value, "a value")
	}
	test := &issue.Test{Field: f.name, Relation: issue.Relation(how.text)}
	if err := p.value(f, test, value); err != nil {
		return nil, err
	}
	if !fits(f.kind, test) {
		return nil, &Error{how.at, fmt.Sprintf("%s cannot be compared by %s here", f.name, how.text)}
	}
	return test, nil
}

// fits reports whether values of a kind can be compared so.
func fits(k kind, t *issue.Test) bool {
	equality := t.Relation == issue.Equal || t.Relation == issue.Unequal
	switch {
	case t.None || k == flag:
		return equality
	case k == number, k == date:
		return t.Relation != issue.Contains
	}
	return equality || t.Relation == issue.Contains
}

// value puts the value into test, as the field's kind has it.
func (p *parser) value(f field, test *issue.Test, t token) (err error) {
	if !t.quoted && strings.EqualFold(t.text, "none") && f.kind != flag {
		test.None = true
		return nil
	}
	bad := func(wanted string) error {
		return &Error{t.at, fmt.Sprintf("%s: %q is not %s", f.name, t.text, wanted)}
	}
	switch f.kind {
	case flag:
		if test.Flag, err = strconv.ParseBool(strings.ToLower(t.text)); err != nil {
			return bad("true or false")
		}
	case number:
		if f.name == "priority" {
			if test.Number, err = issue.ParsePriority(t.text); err != nil {
				return bad("a priority, 0 to 4")
			}
			return nil
		}
		if test.Number, err = strconv.Atoi(t.text); err != nil {
			return bad("a whole number")
		}
	case date:
		return p.day(test, t.text)
	default:
		test.Text = t.text
	}
	return nil
}

// day reads a date. A span without a sign, such as 7d, lies in the past, as in
// updated>7d.
func (p *parser) day(test *issue.Test, text string) error {
	if last := len(text) - 1; last > 0 && strings.Trim(text[:last], "0123456789") == "" && strings.ContainsAny(text[last:], "hdwmy") {
		text = "-" + text
	}
	start, err := p.date(text, false)
	if err != nil {
		return err
	}
	last, err := p.date(text, true)
	if err != nil {
		return err
	}
	test.Time, test.Until = start, start.Add(time.Microsecond)
	if last.After(start) {
		test.Until = last.Add(time.Second)
	}
	return nil
}
