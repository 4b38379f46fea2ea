package replica

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"beads/internal/op"
	"beads/internal/projection"
)

type span = projection.Run

// rows is a set of rows of one stream: all up to Through and those in Spans,
// which lie beyond, ascend and do not touch.
type rows struct {
	Through int64  `json:"through"`
	Spans   []span `json:"spans,omitempty"`
}

// coverage says which rows the tree of a commit holds: of the operations, and of
// the interactions where they are replicated (nil: nobody has looked). The zero
// coverage is that of no commit.
type coverage struct {
	Commit string `json:"commit"`
	rows
	Interactions *rows `json:"interactions,omitempty"`
}

// of are the rows of one stream that are covered.
func (c *coverage) of(s op.Stream) rows {
	switch {
	case s == op.Operations:
		return c.rows
	case c.Interactions == nil:
		return rows{}
	}
	return *c.Interactions
}

// cover enters rows of one stream.
func (c *coverage) cover(s op.Stream, rows []int64) {
	if s == op.Operations {
		c.add(rows)
		return
	}
	c.Interactions.add(rows)
}

// fill enters runs of rows of one stream as far as the row last.
func (c *coverage) fill(s op.Stream, runs []span, last int64) {
	into := &c.rows
	if s == op.Interactions {
		into = c.Interactions
	}
	var spans []span
	for _, run := range runs {
		if run[0] <= last {
			spans = append(spans, span{run[0], min(run[1], last)})
		}
	}
	into.merge(spans)
}

// unite enters what other covers, of the streams that both know.
func (c *coverage) unite(other coverage) {
	c.rows.unite(other.rows)
	if c.Interactions == nil || other.Interactions == nil {
		c.Interactions = nil
		return
	}
	c.Interactions.unite(*other.Interactions)
}

func (c coverage) clone() coverage {
	c.Spans = slices.Clone(c.Spans)
	if c.Interactions != nil {
		c.Interactions = &rows{c.Interactions.Through, slices.Clone(c.Interactions.Spans)}
	}
	return c
}

// fit makes of c what counts where the interactions are replicated or not. A
// tree whose interactions nobody has looked at is read once more, whole.
func (c *coverage) fit(interactions bool) {
	switch {
	case !interactions:
		c.Interactions = nil
	case c.Interactions == nil:
		*c = coverage{Interactions: &rows{}}
	}
}

// add enters rows, in any order.
func (c *rows) add(rows []int64) {
	slices.Sort(rows)
	spans := make([]span, 0, len(rows))
	for _, row := range rows {
		if last := len(spans) - 1; last >= 0 && row <= spans[last][1]+1 {
			spans[last][1] = row
		} else {
			spans = append(spans, span{row, row})
		}
	}
	c.merge(spans)
}

// unite enters what other covers.
func (c *rows) unite(other rows) {
	spans := slices.Clone(other.Spans)
	if other.Through > 0 {
		spans = append([]span{{1, other.Through}}, spans...)
	}
	c.merge(spans)
}

func (c *rows) merge(spans []span) {
	all := append(spans, c.Spans...)
	slices.SortFunc(all, func(a, b span) int { return int(min(max(a[0]-b[0], -1), 1)) })
	var merged []span
	for _, s := range all {
		if s[0] <= c.Through+1 {
			c.Through = max(c.Through, s[1])
			continue
		}
		if last := len(merged) - 1; last >= 0 && s[0] <= merged[last][1]+1 {
			merged[last][1] = max(merged[last][1], s[1])
			continue
		}
		merged = append(merged, s)
	}
	c.Spans = merged
}

// gaps are the rows that are not covered; the last run is without end.
func (c *rows) gaps() []span {
	gaps, next := make([]span, 0, len(c.Spans)+1), c.Through+1
	for _, s := range c.Spans {
		gaps, next = append(gaps, span{next, s[0] - 1}), s[1]+1
	}
	return append(gaps, span{next, math.MaxInt64})
}

// size is how many rows are covered, those beyond Through, and all.
func (c *rows) size() (beyond, all int64) {
	for _, s := range c.Spans {
		beyond += s[1] - s[0] + 1
	}
	return beyond, beyond + c.Through
}

// lacking is how many rows are not covered.
func (c *rows) lacking(l projection.Lines) (int64, error) {
	since, err := l.CountSince(c.Through)
	beyond, _ := c.size()
	return max(since-beyond, 0), err
}

// oldest is when the first of the rows that are not covered was made; zero if
// all are. Rows come without gaps and no span touches Through, so it is the next.
func (c *rows) oldest(l projection.Lines) (time.Time, error) {
	id, err := l.IDAt(c.Through + 1)
	if err != nil || id.IsZero() {
		return time.Time{}, err
	}
	return id.Time(), nil
}

// Keys of what a step records in the database. The generation is drawn anew for
// every database, since row numbers mean nothing in another one.
const (
	metaGeneration = "replica.generation"
	metaLocal      = "replica.local"
	metaRemote     = "replica.remote"
	metaLast       = "replica.last"
	metaLooked     = "replica.consolidated"
)

// record is what the database remembers of the steps before.
type record struct {
	generation    string
	local, remote coverage
	remoteRef     string // the tracking ref that remote is about
	looked        string // the day on which our ref was last found to hold nothing to consolidate
}

// remoteRecord is how record.remote is stored.
type remoteRecord struct {
	Ref string `json:"ref"`
	coverage
}

// load reads the record. One that cannot be read counts as none.
func load(q *projection.Query) (record, error) {
	var r record
	var err error
	if r.generation, err = q.Meta(metaGeneration); err != nil || r.generation == "" {
		return r, err
	}
	if r.looked, err = q.Meta(metaLooked); err != nil {
		return r, err
	}
	local, err := q.Meta(metaLocal)
	if err != nil {
		return r, err
	}
	if json.Unmarshal([]byte(local), &r.local) != nil {
		r.local = coverage{}
	}
	text, err := q.Meta(metaRemote)
	if err != nil {
		return r, err
	}
	var remote remoteRecord
	if json.Unmarshal([]byte(text), &remote) == nil {
		r.remote, r.remoteRef = remote.coverage, remote.Ref
	}
	return r, nil
}

// store writes the record, unless the database was built anew since it was
// loaded: then its row numbers are another's.
func (r record) store(tx *projection.Tx) error {
	generation, err := tx.Meta(metaGeneration)
	if err != nil || generation != r.generation {
		return err
	}
	for key, value := range map[string]any{metaLocal: r.local, metaRemote: remoteRecord{r.remoteRef, r.remote}} {
		data, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("record the sync: %w", err)
		}
		if err := tx.SetMeta(key, string(data)); err != nil {
			return err
		}
	}
	return tx.SetMeta(metaLooked, r.looked)
}
