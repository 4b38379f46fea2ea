package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// Bounds of memory: a longer suffix is treated as a full scan, whose
// bookkeeping is one bit an operation, and restored lines are written in blocks.
const (
	maxSuffix    = 16 << 20
	restoreBlock = 4 << 20
)

// copyScan is one copy during a union.
type copyScan struct {
	name   projection.Copy
	log    *oplog.Log
	cursor oplog.Cursor
	state  oplog.State
	seen   bitmap // rows of the operation table that this copy was seen to hold
	plain  bool   // a scan of the whole found nothing but lines of the stream
}

// union is set union over the copies of one stream, within one database
// transaction.
type union struct {
	ctx    context.Context
	s      *session
	of     *copies
	tx     *projection.Tx
	lines  projection.Lines
	report *Report
	moved  Moved
	full   bool
	limit  int // new lines; 0: all. Only in suffix mode
	taken  int // towards the limit
	bytes  int // of the lines taken
	copies []*copyScan

	added    []addition         // suffix mode: lines that were new to the database
	news     bitmap             // rows that were new to the database
	imported bitmap             // those among them that were made of snapshot records
	records  map[string][]op.ID // see prior
}

type addition struct {
	seq  int64
	line []byte
}

// unite makes the copies equal: lines the database lacks are added to it, and
// lines a copy lacks are appended to it. The files are written before the
// transaction commits, which is harmless: applying a line twice is not possible.
func (s *session) unite(ctx context.Context, tx *projection.Tx, of *copies, report *Report, verify bool) error {
	u := &union{ctx: ctx, s: s, of: of, tx: tx, lines: tx.Of(of.stream), report: report, full: verify}
	defer u.account()
	quiet, err := u.look()
	if err != nil {
		return err
	}
	for n, c := range u.copies {
		if n > 0 && u.full && u.twin(u.copies[0], c) {
			continue
		}
		if err := u.scan(c); err != nil {
			return err
		}
	}
	if !report.More { // else it is for the last batch
		source, err := u.sourceChanged()
		if err != nil || quiet && source == nil {
			return err
		}
		if source != nil {
			if err := u.importSource(source); err != nil {
				return err
			}
		}
	}
	for _, c := range u.copies {
		if err := u.complete(c); err != nil {
			return err
		}
	}
	if u.of.guard == nil {
		_, guard := cursorsOf(u.of.stream)
		return unguarded(tx, guard)
	}
	return nil
}

// account enters what moved in the report.
func (u *union) account() {
	if u.of.stream == op.Interactions {
		u.report.Interactions = u.moved
		return
	}
	u.report.FullScan, u.report.Applied, u.report.Restored = u.full, u.moved.Applied, u.moved.Restored
}

// look compares each copy with its cursor and decides between reading suffixes
// and reading everything: if one copy departed from its cursor, both are read.
// A suffix can be read in batches if only one copy has one: else a batch of one
// copy would be appended to the other, which may hold the same lines.
func (u *union) look() (quiet bool, err error) {
	log, guard := cursorsOf(u.of.stream)
	u.copies = []*copyScan{{name: log, log: u.of.log}}
	if u.of.guard != nil {
		u.copies = append(u.copies, &copyScan{name: guard, log: u.of.guard})
	}
	grown, whole, long := 0, false, false
	for _, c := range u.copies {
		if c.cursor, err = u.tx.Cursor(c.name); err != nil {
			return false, err
		}
		if c.state, err = c.log.Check(c.cursor); err != nil {
			return false, err
		}
		info, err := c.log.Stat()
		if err != nil {
			return false, err
		}
		if c.state == oplog.Grown {
			grown++
		}
		whole = whole || c.state == oplog.Changed
		long = long || info.Size-c.cursor.Offset > maxSuffix
	}
	if u.s.limit > 0 && u.of.stream == op.Operations && grown == 1 && !whole {
		u.report.More, u.full, u.limit = u.full, false, u.s.limit
		return false, nil
	}
	quiet = !u.full && grown == 0 && !whole
	u.full = u.full || whole || long
	return quiet, nil
}

// scan reads what is to be read of one copy.
func (u *union) scan(c *copyScan) error {
	if u.full {
		c.cursor = oplog.Cursor{}
	} else if c.state == oplog.Fresh {
		return nil
	}
	info, err := c.log.Stat()
	if err != nil {
		return err
	}
	entries, stopped := 0, false
	last, lookup := u.lines.MaxSeq()
	if lookup != nil {
		return lookup
	}
	held := func(line []byte) bool {
		id, ok := u.of.stream.PeekID(line)
		if !ok {
			return false
		}
		seq, known, err := u.lines.Seq(id, op.Hash(line))
		if lookup = errors.Join(lookup, err); known {
			c.seen.set(seq)
		}
		return known && err == nil
	}
	if last == 0 {
		held = nil // there is nothing to be found
	}
	c.plain = u.full
	c.cursor, err = c.log.Scan(u.ctx, c.cursor, held, func(e oplog.Entry) error {
		c.plain = c.plain && !e.Record.ID().IsZero()
		if entries++; entries%1024 == 0 {
			u.s.w.opts.Progress("reading "+string(c.name), e.Offset, info.Size)
		}
		if err := u.take(c.log.Path(), e, &c.seen); err != nil {
			return err
		}
		if stopped = u.enough(e); stopped {
			return oplog.ErrStop
		}
		return nil
	})
	if stopped && c.cursor.Offset < info.Size {
		u.report.More = true
	}
	return errors.Join(err, lookup)
}

// enough counts an entry and reports whether the batch is full. Bytes count too,
// since new lines are kept in memory for the other copy.
func (u *union) enough(e oplog.Entry) bool {
	u.taken, u.bytes = u.taken+1, u.bytes+len(e.Record.Line)+len(e.Raw)
	return u.limit > 0 && (u.taken >= u.limit || u.bytes >= restoreBlock)
}

// take brings one entry of a file into the database.
func (u *union) take(file string, e oplog.Entry, seen *bitmap) error {
	switch {
	case e.Bad != nil:
		added, err := u.tx.Quarantine(file, e)
		if added {
			u.report.Quarantined++
		}
		return err
	case e.Record.Legacy != nil:
		return u.importRecord(file, e)
	}
	seq, added, err := u.tx.AddRecord(e.Record)
	if err != nil {
		return err
	}
	seen.set(seq)
	if added {
		u.imports(e.Record.Op)
		u.remember(seq, e.Record.Line)
	}
	return nil
}

// remember keeps a new line for the copies that lack it. In a full scan the
// operation table itself remembers.
func (u *union) remember(seq int64, line []byte) {
	u.moved.Applied++
	u.news.set(seq)
	if !u.full {
		u.added = append(u.added, addition{seq, bytes.Clone(line)})
	}
}

// importRecord makes the operation of a snapshot record that another program
// wrote, unless it is held already.
func (u *union) importRecord(file string, e oplog.Entry) error {
	prior, err := u.prior(e.Record.Legacy.Issue)
	if err != nil {
		return err
	}
	o, news := op.ImportOperation(e.Record.Legacy, prior)
	if !news {
		return nil
	}
	line, err := op.Encode(o)
	if err != nil {
		added, err := u.tx.Quarantine(file, oplog.Entry{
			Bad: &op.BadLine{Reason: err.Error()}, Raw: e.Record.Line, Line: e.Line, Offset: e.Offset,
		})
		if added {
			u.report.Quarantined++
		}
		return err
	}
	seq, added, err := u.tx.Add(o, line, true)
	if added {
		u.imports(o)
		u.report.Imported++
		u.imported.set(seq)
		u.remember(seq, line)
	}
	return err
}

// sourceChanged opens the tracked snapshot if it differs from what was imported
// last; nil means that there is nothing to do.
func (u *union) sourceChanged() (*oplog.Log, error) {
	path := u.s.w.place.Source
	if path == "" || u.of.stream != op.Operations {
		return nil, nil
	}
	info, err := u.s.w.opts.FS.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cursor, err := u.tx.Cursor(projection.SourceCopy)
	if err != nil || cursor.Info == info && !u.full {
		return nil, err
	}
	return oplog.Open(u.s.w.opts.FS, path, false)
}

// importSource reads the tracked snapshot. It is the user's file: nothing is
// ever written to it, and nothing follows from what it lacks.
func (u *union) importSource(source *oplog.Log) (err error) {
	defer func() { err = errors.Join(err, source.Close()) }()
	var ignored bitmap
	cursor, err := source.Scan(u.ctx, oplog.Cursor{}, nil, func(e oplog.Entry) error {
		return u.take(source.Path(), e, &ignored)
	})
	if err != nil {
		return err
	}
	return u.tx.SetCursor(projection.SourceCopy, cursor)
}

// complete appends to one copy what it lacks and stores its cursor. If the copy
// cannot be written, its cursor is voided, so that the next union reads it
// whole, and the failure is left for who needs the copy to be writable.
func (u *union) complete(c *copyScan) error {
	failure, err := u.appendMissing(c)
	if err != nil {
		return err
	}
	if failure != nil {
		u.s.degraded = errors.Join(u.s.degraded, failure)
		return u.tx.SetCursor(c.name, oplog.Cursor{})
	}
	return u.tx.SetCursor(c.name, c.cursor)
}

// appendMissing returns a failure to write the copy apart from one of the
// database.
func (u *union) appendMissing(c *copyScan) (failure, err error) {
	var block [][]byte
	size, restored := 0, 0
	flush := func() {
		if failure == nil && len(block) > 0 {
			var to oplog.Cursor
			to, failure = c.log.Append(block, c.cursor)
			c.cursor = advanced(c.cursor, to)
		}
		block, size = block[:0], 0
	}
	lacks := func(seq int64) bool { return !c.seen.has(seq) }
	put := func(seq int64, line []byte) error {
		if u.lost(c, seq) {
			restored++
		}
		block, size = append(block, bytes.Clone(line)), size+len(line)
		if size >= restoreBlock {
			flush()
		}
		return failure
	}
	switch {
	case !u.full:
		for _, a := range u.added {
			if lacks(a.seq) && put(a.seq, a.line) != nil {
				break
			}
		}
	default:
		total, err := u.lines.Held()
		if err != nil {
			return nil, err
		}
		if int64(c.seen.count) == total {
			return nil, nil
		}
		if err := u.lines.EachLine(lacks, put); err != nil && failure == nil {
			return nil, err
		}
	}
	flush()
	if failure == nil {
		u.moved.Restored = max(u.moved.Restored, restored) // both copies may have lost the same
	}
	return failure, nil
}

// lost tells a line that the copy should have had from one that only now came
// to it.
func (u *union) lost(c *copyScan, seq int64) bool {
	return u.full && !u.imported.has(seq) && (c.state == oplog.Changed || !u.news.has(seq))
}

// salvage adds what can still be read of a corrupt database.
func salvage(tx *projection.Tx, path string) error {
	for _, stream := range []op.Stream{op.Operations, op.Interactions} {
		decoder := op.Decoder{Stream: stream}
		err := projection.SalvageLines(path, stream, func(line []byte, intact bool) error {
			record, err := decoder.Read(line)
			if err != nil || record.Legacy != nil || !record.Sum && !intact {
				return nil // corruption; the other copies have what this was
			}
			if _, _, err := tx.AddRecord(record); err != nil {
				return fmt.Errorf("salvage: %w", err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
