package issue

import "time"

// Condition is a boolean expression over the fields of one issue. Exactly one of
// its members is set; the zero Condition holds for every issue.
type Condition struct {
	All  []Condition // every one of them
	Any  []Condition // at least one of them
	Not  *Condition
	Test *Test
}

// IsZero reports whether c is the zero Condition.
func (c Condition) IsZero() bool {
	return c.All == nil && c.Any == nil && c.Not == nil && c.Test == nil
}

// Relation is how a Test compares.
type Relation string

// The relations. Contains ignores case; a label contains a text if one of the
// labels does.
const (
	Equal    Relation = "="
	Unequal  Relation = "!="
	Less     Relation = "<"
	AtMost   Relation = "<="
	Greater  Relation = ">"
	AtLeast  Relation = ">="
	Contains Relation = "~"
)

// Test compares one field with a value. What the value is depends on the field's
// kind (package query knows which is which).
type Test struct {
	Field    string // status, priority, created … or metadata.KEY
	Relation Relation
	None     bool      // compared with nothing at all: Equal holds if the field is empty
	Text     string    // of words and texts
	Number   int       // of numbers
	Time     time.Time // of dates: the start of what was named
	Until    time.Time // and its end, exclusive: a day has many moments
	Flag     bool      // of flags
}

// Mentions reports whether a Test in c is on the field.
func (c Condition) Mentions(field string) bool {
	if c.Test != nil {
		return c.Test.Field == field
	}
	if c.Not != nil {
		return c.Not.Mentions(field)
	}
	for _, part := range append(append([]Condition(nil), c.All...), c.Any...) {
		if part.Mentions(field) {
			return true
		}
	}
	return false
}
