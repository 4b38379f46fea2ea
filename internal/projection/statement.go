package projection

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// query runs a cached statement and calls row for every row of its answer.
// The same text must not be run again from inside row: a cached statement is
// one cursor. Use stream where row calls out of this package.
func query(conn *sqlite.Conn, text string, row func(*sqlite.Stmt) error, args ...any) error {
	stmt, err := conn.Prepare(text)
	if err != nil {
		return err
	}
	if err := bind(stmt, args); err != nil {
		return err
	}
	for {
		more, err := stmt.Step()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if row == nil {
			continue
		}
		if err := row(stmt); err != nil {
			return with(err, stmt.Reset())
		}
	}
	// A statement that is not reset would hold its read transaction open.
	return stmt.Reset()
}

// with adds the failure of tidying up to err. Alone, err stays as it is, so
// that callers get their own errors back.
func with(err, tidying error) error {
	switch {
	case tidying == nil:
		return err
	case err == nil:
		return tidying
	}
	return errors.Join(err, tidying)
}

// stream is query with a statement of its own, so that row may run any query.
func stream(conn *sqlite.Conn, text string, row func(*sqlite.Stmt) error, args ...any) error {
	stmt, _, err := conn.PrepareTransient(text)
	if err != nil {
		return err
	}
	defer stmt.Finalize()
	if err := bind(stmt, args); err != nil {
		return err
	}
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return err
		}
		if err := row(stmt); err != nil {
			return err
		}
	}
}

// execute runs a cached statement for its effect.
func execute(conn *sqlite.Conn, text string, args ...any) error {
	return query(conn, text, nil, args...)
}

// once runs a statement that will hardly be needed again: it is not cached.
func once(conn *sqlite.Conn, text string, args ...any) error {
	return stream(conn, text, func(*sqlite.Stmt) error { return nil }, args...)
}

// number answers a query for one integer; 0 if there is no row or it is null.
func number(conn *sqlite.Conn, text string, args ...any) (int64, error) {
	var n int64
	err := query(conn, text, func(s *sqlite.Stmt) error {
		n = s.ColumnInt64(0)
		return nil
	}, args...)
	return n, err
}

// operationID answers a query for one operation id; zero if there is none.
func operationID(conn *sqlite.Conn, text string, args ...any) (op.ID, error) {
	var id op.ID
	err := query(conn, text, func(s *sqlite.Stmt) error {
		id = columnID(s, 0)
		return nil
	}, args...)
	return id, err
}

// texts answers a query for one column of strings.
func texts(conn *sqlite.Conn, text string, args ...any) ([]string, error) {
	var all []string
	err := query(conn, text, func(s *sqlite.Stmt) error {
		all = append(all, s.ColumnText(0))
		return nil
	}, args...)
	return all, err
}

func bind(stmt *sqlite.Stmt, args []any) error {
	for i, arg := range args {
		switch v := arg.(type) {
		case nil:
			stmt.BindNull(i + 1)
		case string:
			stmt.BindText(i+1, v)
		case int64:
			stmt.BindInt64(i+1, v)
		case int:
			stmt.BindInt64(i+1, int64(v))
		case bool:
			stmt.BindBool(i+1, v)
		case []byte:
			stmt.BindBytes(i+1, v)
		case op.ID:
			stmt.BindBytes(i+1, v[:])
		default:
			return fmt.Errorf("bind parameter %d: no SQL type for %T", i+1, arg)
		}
	}
	return nil
}

func columnID(s *sqlite.Stmt, column int) op.ID {
	var id op.ID
	s.ColumnBytes(column, id[:])
	return id
}

// columnBlob copies a column; nil if it is null or empty.
func columnBlob(s *sqlite.Stmt, column int) []byte {
	n := s.ColumnLen(column)
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	return b[:s.ColumnBytes(column, b)]
}

// columnRaw is columnBlob into buf, which is grown as needed.
func columnRaw(s *sqlite.Stmt, column int, buf []byte) []byte {
	n := s.ColumnLen(column)
	if cap(buf) < n {
		buf = make([]byte, n+n/2)
	}
	buf = buf[:n]
	return buf[:s.ColumnBytes(column, buf)]
}

// classify makes damage of the file recognisable as ErrCorrupt.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrCorrupt) {
		return err
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}
