package projection

import (
	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
	"beads/internal/op"
)

// foldBytes is how many bytes of lines are folded at once, beside the reading
// of the next ones and the storing of the ones before.
const foldBytes = 256 << 10

// foldRow is one operation as read from its table.
type foldRow struct {
	id    op.ID
	issue string
	line  []byte
}

// folded is an issue whose last operation was applied.
type folded struct {
	state    op.State
	problems []op.Problem
}

// foldBatch is some operations in the order of the fold, then the issues that
// they complete.
type foldBatch struct {
	buf    []byte // the lines lie in it
	rows   []foldRow
	folded []folded
}

// foldEach streams all operations by issue and id, and inserts each issue when
// its last operation was applied. Issues come in the order of their ids, so
// the tables grow at their ends. Only this goroutine uses the connection; the
// lines are decoded and applied on another one, a batch behind the reading.
func (tx *Tx) foldEach() error {
	read, done := make(chan *foldBatch), make(chan *foldBatch, 1)
	go func() {
		defer close(done)
		var f folder
		for b := range read {
			f.fold(b)
			done <- b
		}
	}()
	insert := insertIssueText()
	batch, other := &foldBatch{}, (*foldBatch)(nil)
	turn := func() error {
		if other != nil {
			other = <-done
		}
		read <- batch
		batch, other = other, batch
		if batch == nil {
			batch = &foldBatch{}
		}
		err := tx.insertFolded(insert, batch.folded)
		batch.reset()
		return err
	}
	err := query(tx.conn, foldOrderSQL, func(s *sqlite.Stmt) error {
		if batch.full(s.ColumnLen(2)) {
			if err := turn(); err != nil {
				return err
			}
		}
		batch.read(s)
		return nil
	})
	if err == nil {
		batch.rows = append(batch.rows, foldRow{}) // it ends the last issue
		err = turn()
	}
	close(read)
	for b := range done {
		if err == nil {
			err = tx.insertFolded(insert, b.folded)
		}
	}
	return err
}

func (tx *Tx) insertFolded(insert string, all []folded) error {
	for i := range all {
		state := &all[i].state
		if err := insertIssue(tx.conn, insert, state); err != nil {
			return err
		}
		if err := storeParts(tx.conn, &issue.Issue{}, &state.Issue); err != nil {
			return err
		}
		if err := insertProblems(tx.conn, state.Issue.ID, all[i].problems); err != nil {
			return err
		}
	}
	return nil
}

// full reports whether a line of n bytes is for the next batch. A batch takes
// at least one.
func (b *foldBatch) full(n int) bool {
	return len(b.rows) > 0 && len(b.buf)+n > cap(b.buf)
}

func (b *foldBatch) read(s *sqlite.Stmt) {
	n := s.ColumnLen(2)
	if len(b.buf)+n > cap(b.buf) {
		b.buf = make([]byte, 0, max(n, foldBytes))
	}
	start := len(b.buf)
	b.buf = b.buf[:start+n]
	s.ColumnBytes(2, b.buf[start:])
	b.rows = append(b.rows, foldRow{columnID(s, 0), s.ColumnText(1), b.buf[start : start+n : start+n]})
}

func (b *foldBatch) reset() {
	clear(b.folded) // it holds texts
	b.buf, b.rows, b.folded = b.buf[:0], b.rows[:0], b.folded[:0]
}

// folder applies operations that come by issue and id.
type folder struct {
	current folded
	started bool
	decoder op.Decoder
}

func (f *folder) fold(b *foldBatch) {
	for _, row := range b.rows {
		if !f.started || row.issue != f.current.state.Issue.ID {
			if f.started {
				b.folded = append(b.folded, f.current)
			}
			f.current, f.started = folded{}, true
			f.current.state.Issue.ID = row.issue
		}
		if row.issue == "" {
			continue // after the last issue
		}
		o, problem := readOperation(&f.decoder, row.id, row.issue, row.line)
		if problem != nil {
			f.current.problems = append(f.current.problems, *problem)
			continue
		}
		_, reported := f.current.state.Apply(o)
		f.current.problems = append(f.current.problems, reported...)
	}
}
