package projection

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"zombiezen.com/go/sqlite"

	"beads/internal/issue"
)

// Each calls fn with every visible issue whole, in id order, streaming: three
// cursors walk side by side. fn may query.
func (q *Query) Each(fn func(issue.Issue) error) error {
	return q.each("i.visible = 1", func(i issue.Issue, _ bool) error { return fn(i) })
}

// EachExisting is Each with the deleted issues among the others.
func (q *Query) EachExisting(fn func(i issue.Issue, deleted bool) error) error {
	return q.each("i.existing = 1", fn)
}

func (q *Query) each(condition string, fn func(issue.Issue, bool) error) error {
	dependencies := &feed{text: `SELECT issue, target, type, created_at, created_by, metadata FROM dependency
ORDER BY issue, target, type`}
	comments := &feed{text: `SELECT issue, id, author, text, created_at, updated_at FROM comment
ORDER BY issue, created_at, id`}
	for _, f := range []*feed{dependencies, comments} {
		if err := f.open(q.conn); err != nil {
			return fmt.Errorf("read issues: %w", err)
		}
		defer f.close()
	}
	text := "SELECT " + labelledColumns + ", i.deleted FROM issue AS i WHERE " + condition + " ORDER BY i.id"
	return stream(q.conn, text, func(s *sqlite.Stmt) error {
		i, err := scanLabelled(s)
		if err != nil {
			return err
		}
		err = dependencies.take(i.ID, func(s *sqlite.Stmt) { i.Dependencies = append(i.Dependencies, scanDependency(s, 1)) })
		if err != nil {
			return err
		}
		err = comments.take(i.ID, func(s *sqlite.Stmt) { i.Comments = append(i.Comments, scanComment(s, 1)) })
		if err != nil {
			return err
		}
		return fn(i, s.ColumnBool(s.ColumnCount()-1))
	})
}

// feed is a cursor over rows in the order of their first column.
type feed struct {
	text string
	stmt *sqlite.Stmt
	more bool
	at   string // first column of the row it stands on
}

func (f *feed) open(conn *sqlite.Conn) error {
	var err error
	if f.stmt, _, err = conn.PrepareTransient(f.text); err != nil {
		return err
	}
	return f.step()
}

func (f *feed) close() {
	if f.stmt != nil {
		f.stmt.Finalize()
	}
}

func (f *feed) step() error {
	var err error
	if f.more, err = f.stmt.Step(); err == nil && f.more {
		f.at = f.stmt.ColumnText(0)
	}
	return err
}

// take calls row for the rows of key and leaves out those before it.
func (f *feed) take(key string, row func(*sqlite.Stmt)) error {
	for f.more && f.at <= key {
		if f.at == key {
			row(f.stmt)
		}
		if err := f.step(); err != nil {
			return err
		}
	}
	return nil
}

// fingerprinted are the rows that follow from the set of operations alone.
func fingerprinted() []string {
	return []string{
		"SELECT id, hash, issue, counts, summed, legacy, line FROM operation ORDER BY id, hash",
		"SELECT id, blocked, " + strings.Join(stateColumns[:], ", ") + " FROM issue ORDER BY id",
		"SELECT issue, label FROM label ORDER BY issue, label",
		"SELECT issue, target, type, created_at, created_by, metadata FROM dependency ORDER BY issue, target, type",
		"SELECT issue, created_at, id, author, text, updated_at FROM comment ORDER BY issue, created_at, id",
		"SELECT key, value FROM setting ORDER BY key",
		"SELECT issue, op, kind, detail FROM problem ORDER BY issue, op, kind, detail",
		"SELECT id, hash, counts, created_at, issue, kind, actor, model, tool_name, label, parent, line FROM interaction ORDER BY id, hash",
	}
}

// Fingerprint is a hash over every derived row (not row numbers, cursors,
// quarantine or identity): equal for two databases with the same lines.
func (q *Query) Fingerprint() (string, error) {
	h := sha256.New()
	for _, text := range fingerprinted() {
		err := stream(q.conn, text, func(s *sqlite.Stmt) error {
			for column := range s.ColumnCount() {
				hashColumn(h, s, column)
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("fingerprint: %w", err)
		}
		// Rows of one table cannot pass for rows of the next.
		h.Write([]byte{0xff})
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashColumn writes type, length and bytes of a value.
func hashColumn(h hash.Hash, s *sqlite.Stmt, column int) {
	var head [9]byte
	kind := s.ColumnType(column)
	head[0] = byte(kind)
	switch kind {
	case sqlite.TypeInteger:
		binary.BigEndian.PutUint64(head[1:], uint64(s.ColumnInt64(column)))
		h.Write(head[:])
	case sqlite.TypeNull:
		h.Write(head[:1])
	default:
		binary.BigEndian.PutUint64(head[1:], uint64(s.ColumnLen(column)))
		h.Write(head[:])
		h.Write(columnRaw(s, column, nil))
	}
}
