package projection

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// Lines are the lines of one stream as the database keeps them, verbatim. Rows
// are numbered in the order they came, without gaps and never anew, until the
// database is rebuilt.
type Lines struct {
	lines *sqlite.Conn
	table string
}

func linesOf(conn *sqlite.Conn, s op.Stream) Lines {
	table := "operation"
	if s == op.Interactions {
		table = "interaction"
	}
	return Lines{conn, table}
}

// Of are the lines of a stream.
func (q *Query) Of(s op.Stream) Lines { return linesOf(q.conn, s) }

// StoredLine is one line with its row. Line is valid until the function that got
// it returns.
type StoredLine struct {
	Seq   int64
	ID    op.ID
	Issue string // "" if it is about none
	Line  []byte
}

// Seq finds a line by id and hash.
func (l Lines) Seq(id op.ID, hash [32]byte) (seq int64, held bool, err error) {
	err = query(l.lines, "SELECT seq FROM "+l.table+" WHERE id = ? AND hash = ?", func(s *sqlite.Stmt) error {
		seq, held = s.ColumnInt64(0), true
		return nil
	}, id, hash[:])
	if err != nil {
		return 0, false, fmt.Errorf("find %s %s: %w", l.table, id, err)
	}
	return seq, held, nil
}

// Held is how many lines there are.
func (l Lines) Held() (int64, error) {
	return number(l.lines, "SELECT count(*) FROM "+l.table)
}

// MaxID is the greatest id whose time is not after notAfter, zero if there is
// none.
func (l Lines) MaxID(notAfter time.Time) (op.ID, error) {
	bound := op.MinID(notAfter.Truncate(time.Millisecond).Add(time.Millisecond))
	return operationID(l.lines, "SELECT id FROM "+l.table+" WHERE id < ? ORDER BY id DESC LIMIT 1", bound)
}

// EachLine calls fn with every stored line that is wanted, in row order, with its
// row number. line is valid until fn returns. Both may query. It fails with
// ErrCorrupt at a wanted line that is not what it was.
func (l Lines) EachLine(wanted func(seq int64) bool, fn func(seq int64, line []byte) error) error {
	var buf []byte
	return stream(l.lines, "SELECT seq, line, hash FROM "+l.table+" ORDER BY seq", func(s *sqlite.Stmt) error {
		seq := s.ColumnInt64(0)
		if !wanted(seq) {
			return nil
		}
		buf = columnRaw(s, 1, buf)
		if !intact(s, 2, buf) {
			return damagedLine(seq)
		}
		return fn(seq, buf)
	})
}

// intact reports whether a line still has the hash in that column. Of a line
// without sum nothing else tells, and a damaged one would pass for a second line
// of its id in every copy.
func intact(s *sqlite.Stmt, column int, line []byte) bool {
	hash := op.Hash(line)
	return bytes.Equal(columnBlob(s, column), hash[:])
}

func damagedLine(seq int64) error {
	return fmt.Errorf("%w: line %d is not what it was", ErrCorrupt, seq)
}

// Run is a run of row numbers, both ends included.
type Run = [2]int64

// EachIn calls fn with every line whose row is in one of the runs, which do not
// touch, in the order of the ids (then of the bytes' hashes). The cost depends on how
// many those are. fn may query. It fails with ErrCorrupt at a line that is not what it
// was.
func (l Lines) EachIn(runs []Run, fn func(StoredLine) error) error {
	list, err := json.Marshal(runs)
	if err != nil {
		return err
	}
	var row StoredLine
	err = stream(l.lines, linesInSQL(l.table), func(s *sqlite.Stmt) error {
		row.Seq, row.ID, row.Issue = s.ColumnInt64(0), columnID(s, 1), s.ColumnText(2)
		row.Line = columnRaw(s, 3, row.Line)
		if !intact(s, 4, row.Line) {
			return damagedLine(row.Seq)
		}
		return fn(row)
	}, string(list))
	if err != nil {
		return fmt.Errorf("lines of %s: %w", l.table, err)
	}
	return nil
}

// linesInSQL asks for lines in runs of rows. The unary plus keeps SQLite from walking
// the whole index of ids.
func linesInSQL(table string) string {
	return "SELECT l.seq, l.id, l.issue, l.line, l.hash FROM json_each(?) AS r CROSS JOIN " + table + ` AS l
WHERE l.seq BETWEEN r.value ->> 0 AND r.value ->> 1 ORDER BY +l.id, +l.hash`
}

// CountSince is how many lines have a row number greater than after.
func (l Lines) CountSince(after int64) (int64, error) {
	return number(l.lines, "SELECT count(*) FROM "+l.table+" WHERE seq > ?", after)
}

// IDAt is the id of the line with this row number; zero if there is none.
func (l Lines) IDAt(seq int64) (op.ID, error) {
	return operationID(l.lines, "SELECT id FROM "+l.table+" WHERE seq = ?", seq)
}

// MaxSeq is the greatest row number in use, 0 if there is none.
func (l Lines) MaxSeq() (int64, error) {
	return number(l.lines, "SELECT max(seq) FROM "+l.table)
}
