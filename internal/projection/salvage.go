package projection

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// SalvageLines reads what can be read of one stream's lines in a database that
// was set aside, and calls fn with each line (valid until fn returns), and whether it
// has the hash that it was kept with. It opens the file for reading only and believes
// nothing but bytes: every line is to be decoded and checked by the caller. It stops
// quietly where the file is damaged or has no such table; only errors of fn are
// returned.
//
// Rows are sought from both ends, so that one bad page does not hide all that
// come after it.
func SalvageLines(path string, of op.Stream, fn func(line []byte, intact bool) error) error {
	if _, err := identify(path); err != nil {
		return nil
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil
	}
	defer conn.Close()
	conn.SetBusyTimeout(busyTimeout)
	for _, pragma := range []string{"PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON"} {
		if err := once(conn, pragma); err != nil {
			return nil
		}
	}
	table := linesOf(conn, of).table
	// A view of that name could run anything, for ever.
	if kinds, err := texts(conn, "SELECT type FROM sqlite_schema WHERE name = ?", table); err != nil || len(kinds) != 1 || kinds[0] != "table" {
		return nil
	}
	var buf []byte
	last, read := int64(0), false
	line := func(s *sqlite.Stmt) error {
		last, read = s.ColumnInt64(0), true
		buf = columnRaw(s, 1, buf)
		if err := fn(buf, intact(s, 2, buf)); err != nil {
			return &salvageError{err}
		}
		return nil
	}
	err = stream(conn, "SELECT seq, line, hash FROM "+table+" ORDER BY seq", line)
	if err != nil && !refused(err) {
		above := last
		if !read {
			above = -1 << 63
		}
		err = stream(conn, "SELECT seq, line, hash FROM "+table+" WHERE seq > ? ORDER BY seq DESC", line, above)
	}
	var stop *salvageError
	if errors.As(err, &stop) {
		return fmt.Errorf("salvage %s: %w", path, stop.error)
	}
	return nil
}

// salvageError marks an error of the caller's function.
type salvageError struct{ error }

func refused(err error) bool {
	var stop *salvageError
	return errors.As(err, &stop)
}
