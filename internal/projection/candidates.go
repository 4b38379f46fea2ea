package projection

import (
	"fmt"
	"slices"
	"strconv"

	"zombiezen.com/go/sqlite"

	"beads/internal/trigram"
)

// candidates are the issues that may hold a text, by number: part of them in each set.
type candidates struct {
	part int64
	sets []trigram.Set
}

func (c *candidates) has(number int64) bool {
	n := int(number / c.part)
	return n >= len(c.sets) || c.sets[n].Has(uint16(number%c.part))
}

func (c *candidates) add(number int64) {
	c.sets[number/c.part].Add(uint16(number % c.part))
}

// addPart adds all issues of a part up to a number.
func (c *candidates) addPart(n int, greatest int64) {
	first := int64(n) * c.part
	for number := first; number <= min(greatest, first+c.part-1); number++ {
		c.add(number)
	}
}

func (c *candidates) len() int {
	count := 0
	for n := range c.sets {
		count += c.sets[n].Len()
	}
	return count
}

// numbers lists them.
func (c *candidates) numbers() []int64 {
	var all []int64
	for n := range c.sets {
		for document := range c.sets[n].All() {
			all = append(all, int64(n)*c.part+int64(document))
		}
	}
	return all
}

// candidates are the issues that may hold the text, which is at least trigram.Least
// bytes long when folded.
func (x *textIndex) candidates(text string) *candidates {
	c := &candidates{part: x.part, sets: make([]trigram.Set, len(x.parts))}
	for n := range x.parts {
		p := &x.parts[n]
		if p.segment == nil || p.segment.Lookup(text, &c.sets[n]) != nil {
			p.segment = nil // it is to be written again
			c.addPart(n, x.numbers)
		}
	}
	if r := &x.latest; r.segment != nil {
		var found trigram.Set
		r.damaged = r.damaged || r.segment.Lookup(text, &found) != nil
		for document, number := range r.numbers {
			if number <= x.numbers && (r.damaged || found.Has(uint16(document))) {
				c.add(number)
			}
		}
	}
	for _, number := range x.fresh {
		c.add(number)
	}
	return c
}

// Steps of a search in nanoseconds, which decide how candidates are put to SQLite:
// to read an issue out of order, and to pass one in the index of an order.
const (
	costOfReading = 7000
	costOfPassing = 600
)

// narrow adds which issues may hold all of the texts, if an index knows that. wanted
// is how many rows are asked for; 0: all.
func (s *selection) narrow(q *Query, texts []string, wanted int) error {
	texts = slices.DeleteFunc(texts, func(text string) bool { return len(trigram.Fold(text)) < trigram.Least })
	if q.texts == nil || len(texts) == 0 {
		return nil
	}
	x := q.texts
	if err := x.load(q); err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	found := x.candidates(texts[0])
	for _, text := range texts[1:] {
		also := x.candidates(text)
		for n := range found.sets {
			found.sets[n].Intersect(&also.sets[n])
		}
	}
	count, all := int64(found.len()), x.numbers
	if 2*count > all {
		return nil // it would spare nothing
	}
	// Few are read and sorted. Of many, those that are wanted are met soon enough
	// on a walk in the order of the list.
	walk := all
	if wanted > 0 && count > 0 {
		walk = min(walk, all*int64(wanted)/count)
	}
	if count*costOfReading < walk*costOfPassing {
		s.add("i.number IN (SELECT value FROM json_each(?))", jsonNumbers(found.numbers()))
		return nil
	}
	if err := x.db.provideCandidate(found); err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	s.add("bd_candidate(i.number)")
	return nil
}

// provideCandidate makes bd_candidate(number) answer from c on this connection.
func (db *DB) provideCandidate(c *candidates) error {
	if db.candidates != nil {
		*db.candidates = *c
		return nil
	}
	err := db.conn.CreateFunction("bd_candidate", &sqlite.FunctionImpl{
		NArgs: 1,
		Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
			if c.has(args[0].Int64()) {
				return sqlite.IntegerValue(1), nil
			}
			return sqlite.IntegerValue(0), nil
		},
	})
	if err == nil {
		db.candidates = c
	}
	return err
}

// jsonNumbers writes numbers as a JSON array, for json_each.
func jsonNumbers(numbers []int64) string {
	b := []byte{'['}
	for n, v := range numbers {
		if n > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, v, 10)
	}
	return string(append(b, ']'))
}
