package projection

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
	"beads/internal/oplog"
)

// Cursor is how far a copy was read; zero if never.
func (q *Query) Cursor(c Copy) (oplog.Cursor, error) {
	var cur oplog.Cursor
	err := query(q.conn, "SELECT device, inode, size, mtime, ctime, offset, lines, tail FROM cursor WHERE copy = ?",
		func(s *sqlite.Stmt) error {
			cur.Info.Dev = uint64(s.ColumnInt64(0))
			cur.Info.Inode = uint64(s.ColumnInt64(1))
			cur.Info.Size = s.ColumnInt64(2)
			cur.Info.ModTime = s.ColumnInt64(3)
			cur.Info.ChangeTime = s.ColumnInt64(4)
			cur.Offset = s.ColumnInt64(5)
			cur.Lines = s.ColumnInt64(6)
			s.ColumnBytes(7, cur.Tail[:])
			return nil
		}, string(c))
	if err != nil {
		return oplog.Cursor{}, fmt.Errorf("read cursor %s: %w", c, err)
	}
	return cur, nil
}

// LegacyIDs are the ids of the issue's import operations that carry a legacy
// record, also those added in this transaction, in order.
func (q *Query) LegacyIDs(issueID string) ([]op.ID, error) {
	var ids []op.ID
	err := query(q.conn, "SELECT id FROM operation WHERE issue = ? AND legacy = 1 ORDER BY id", func(s *sqlite.Stmt) error {
		ids = append(ids, columnID(s, 0))
		return nil
	}, issueID)
	if err != nil {
		return nil, fmt.Errorf("import operations of %s: %w", issueID, err)
	}
	return ids, nil
}
