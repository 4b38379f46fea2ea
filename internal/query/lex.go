package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on an expression.
const (
	maxLength = 16 << 10 // bytes
	maxDepth  = 100
	maxTests  = 500 // SQLite nests a chain of ANDs, at most 1000 deep
)

// Error says what is wrong with an expression and where.
type Error struct {
	At     int // in characters, from 1
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("at character %d: %s", e.At, e.Reason) }

// token is one piece of an expression.
type token struct {
	kind   tokenKind
	text   string
	quoted bool
	at     int
}

type tokenKind int

const (
	end      tokenKind = iota
	name               // a word or a quoted text
	relation           // = != < <= > >= ~
	open
	shut
	and
	or
	not
)

// lex cuts an expression into tokens; the last is end.
func lex(input string) ([]token, error) {
	if len(input) > maxLength {
		return nil, &Error{1, fmt.Sprintf("the expression is longer than %d bytes", maxLength)}
	}
	if !utf8.ValidString(input) {
		return nil, &Error{1, "the expression is not valid UTF-8"}
	}
	l := lexer{input: []rune(input)}
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		l.tokens = append(l.tokens, t)
		if t.kind == end {
			return l.tokens, nil
		}
	}
}

type lexer struct {
	input  []rune
	pos    int
	tokens []token
}

// symbols are the tokens that are no words, the longer first.
func symbols() []token {
	return []token{
		{kind: relation, text: "!="}, {kind: relation, text: "<="}, {kind: relation, text: ">="}, {kind: relation, text: "=="},
		{kind: and, text: "&&"}, {kind: or, text: "||"},
		{kind: relation, text: "="}, {kind: relation, text: "<"}, {kind: relation, text: ">"}, {kind: relation, text: "~"},
		{kind: open, text: "("}, {kind: shut, text: ")"}, {kind: not, text: "!"},
	}
}

func (l *lexer) next() (token, error) {
	for l.pos < len(l.input) && unicode.IsSpace(l.input[l.pos]) {
		l.pos++
	}
	at := l.pos + 1
	if l.pos == len(l.input) {
		return token{kind: end, at: at}, nil
	}
	rest := string(l.input[l.pos:min(l.pos+2, len(l.input))])
	for _, s := range symbols() {
		if strings.HasPrefix(rest, s.text) {
			l.pos += len(s.text)
			s.at = at
			if s.text == "==" {
				s.text = "="
			}
			return s, nil
		}
	}
	if quote := l.input[l.pos]; quote == '"' || quote == '\'' {
		return l.quoted(quote)
	}
	from := l.pos
	for l.pos < len(l.input) && !unicode.IsSpace(l.input[l.pos]) && !strings.ContainsRune(`=!<>~()&|"'`, l.input[l.pos]) {
		l.pos++
	}
	if l.pos == from {
		return token{}, &Error{at, fmt.Sprintf("%q means nothing here", string(l.input[from]))}
	}
	t := token{kind: name, text: string(l.input[from:l.pos]), at: at}
	switch strings.ToUpper(t.text) {
	case "AND":
		t.kind = and
	case "OR":
		t.kind = or
	case "NOT":
		t.kind = not
	}
	return t, nil
}

// quoted reads up to the closing quote; a backslash takes the next character as
// it is.
func (l *lexer) quoted(quote rune) (token, error) {
	at := l.pos + 1
	var b strings.Builder
	for l.pos++; l.pos < len(l.input); l.pos++ {
		switch r := l.input[l.pos]; {
		case r == quote:
			l.pos++
			return token{kind: name, text: b.String(), quoted: true, at: at}, nil
		case r == '\\' && l.pos+1 < len(l.input):
			l.pos++
			b.WriteRune(l.input[l.pos])
		default:
			b.WriteRune(r)
		}
	}
	return token{}, &Error{at, "the quote is not closed"}
}
