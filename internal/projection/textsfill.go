package projection

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"zombiezen.com/go/sqlite"

	"beads/internal/oplog"
	"beads/internal/trigram"
)

// textLimits are when the text index is written, and what.
type textLimits struct {
	// part is how many numbers of issues a file is for, at most trigram.Span.
	part int64

	// unindexed is how many issues a search reads besides those that the index
	// names, before it writes down which texts they have; unread is how many
	// operations it asks for them.
	unindexed int
	unread    int64

	// recent is how many changed issues of a part, and recentOfAll how many in all,
	// are kept in the recent file: to write it takes some 10 µs each.
	recent, recentOfAll int
}

// defaultTextLimits are for all but tests.
func defaultTextLimits() textLimits {
	return textLimits{part: trigram.Span, unindexed: 128, unread: 1024, recent: trigram.Span / 8, recentOfAll: trigram.Span / 2}
}

// FillTextIndex lets the views of this connection write what their searches missed
// in the text index. It is done after the answer was found, and at most one file of
// it each time, which is for a bounded number of issues. Nothing waits for
// it but the view itself, and no failure of it matters.
func (db *DB) FillTextIndex() { db.fillTexts = true }

// fill writes the file that a search of this view missed most. The lock keeps others
// from doing the same work at the same time; no reader looks at it, and a file that
// is written in spite of it does no harm.
func (x *textIndex) fill(ctx context.Context, q *Query) {
	if !x.loaded || !x.db.fillTexts || x.db.readOnly || x.ahead {
		return
	}
	plan := x.plan()
	if plan == nil {
		return
	}
	lock, err := oplog.OpenLock(x.db.path + "-search-lock")
	if err != nil {
		return
	}
	defer lock.Close()
	if free, err := lock.TryLock(); err != nil || !free {
		return
	}
	// Somebody may have been faster.
	if now, err := statIfThere(plan.path); err != nil || now != plan.opened {
		return
	}
	builder, err := plan.read(q)
	if err != nil || ctx.Err() != nil {
		return
	}
	_ = replaceFile(plan.path, x.db.path+"-search-tmp", builder)
}

func statIfThere(path string) (oplog.Info, error) {
	info, err := oplog.OS{}.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return oplog.Info{}, nil
	}
	return info, err
}

// replaceFile writes a file under another name and renames it. It is not synced:
// what a power loss leaves of it is told by its checksums.
func replaceFile(path, unfinished string, builder *trigram.Builder) (err error) {
	if err := remove(unfinished); err != nil {
		return err
	}
	file, err := os.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY|oplog.NoFollow, 0o600)
	if err != nil {
		return err
	}
	_, err = builder.WriteTo(file)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(unfinished, path)
	}
	if err != nil {
		err = errors.Join(err, remove(unfinished))
	}
	return err
}

// textFile is a file of the index that is to be written.
type textFile struct {
	path   string
	opened oplog.Info // what was there when it was found wanting
	read   func(*Query) (*trigram.Builder, error)
}

// plan is what to write next; nil if the index is good enough.
func (x *textIndex) plan() *textFile {
	for n := range x.parts {
		// The last part is not full.
		if x.parts[n].segment == nil && min(x.part, x.numbers-int64(n)*x.part) > int64(x.unindexed) {
			return x.planPart(n)
		}
	}
	if len(x.fresh) <= x.unindexed && x.last-x.since <= x.unread && !x.latest.damaged {
		return nil
	}
	numbers := slices.Clone(x.fresh)
	if r := &x.latest; r.segment != nil {
		for _, number := range r.numbers {
			// A part that was written since knows them.
			if n := number / x.part; number <= x.numbers && x.parts[n].segment != nil && x.parts[n].segment.To < r.segment.To {
				numbers = append(numbers, number)
			}
		}
		slices.Sort(numbers)
		numbers = slices.Compact(numbers)
	}
	most, count := 0, make([]int, len(x.parts))
	for _, number := range numbers {
		n := int(number / x.part)
		if count[n]++; count[n] > count[most] {
			most = n
		}
	}
	if count[most] > x.textLimits.recent || len(numbers) > x.recentOfAll {
		return x.planPart(most)
	}
	return x.planRecent(numbers)
}

func (x *textIndex) planPart(n int) *textFile {
	return &textFile{path: x.partPath(n), opened: x.parts[n].opened, read: func(q *Query) (*trigram.Builder, error) {
		b, err := x.builder(q, trigram.Header{Part: uint32(n)}, int(x.part))
		if err != nil {
			return nil, err
		}
		first := int64(n) * x.part
		err = query(q.conn, partTextsSQL, func(s *sqlite.Stmt) error {
			addTexts(b, uint16(s.ColumnInt64(0)-first), s)
			return nil
		}, first, first+x.part-1)
		return b, err
	}}
}

func (x *textIndex) planRecent(numbers []int64) *textFile {
	r := &recentTexts{numbers: numbers}
	for n := range x.parts {
		to := int64(-1)
		if s := x.parts[n].segment; s != nil {
			to = s.To
		}
		r.parts = append(r.parts, to)
	}
	return &textFile{path: x.recentPath(), opened: x.latest.opened, read: func(q *Query) (*trigram.Builder, error) {
		b, err := x.builder(q, trigram.Header{Part: recentPart, Note: r.encode()}, len(numbers))
		if err != nil {
			return nil, err
		}
		for document, number := range numbers {
			err := query(q.conn, textsSQL, func(s *sqlite.Stmt) error {
				addTexts(b, uint16(document), s)
				return nil
			}, number)
			if err != nil {
				return nil, err
			}
		}
		return b, nil
	}}
}

// builder makes the builder of a file that is right as of this snapshot.
func (x *textIndex) builder(q *Query, h trigram.Header, documents int) (b *trigram.Builder, err error) {
	h.Owner, h.To = x.owner, x.last
	if h.Mark, err = tailSum(q, x.last); err != nil {
		return nil, err
	}
	return trigram.NewBuilder(h, documents), nil
}

const (
	selectTexts = `SELECT i.number, i.id, i.title, i.description, i.design, i.acceptance_criteria, i.notes
FROM issue AS i
WHERE i.visible = 1 AND i.number `
	textsSQL     = selectTexts + "= ?"
	partTextsSQL = selectTexts + "BETWEEN ? AND ? ORDER BY i.number"
)

// addTexts adds the row of selectTexts.
func addTexts(b *trigram.Builder, document uint16, s *sqlite.Stmt) {
	b.Add(document, s.ColumnText(1), s.ColumnText(2), s.ColumnText(3), s.ColumnText(4), s.ColumnText(5), s.ColumnText(6))
}
