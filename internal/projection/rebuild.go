package projection

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

var (
	//go:embed queries/same_id.sql
	sameIDSQL string
	//go:embed queries/fold_order.sql
	foldOrderSQL string
)

// Rebuild drops and recreates every table, lets load add the operations in any
// order, folds every issue in bounded memory and builds the indexes, all in
// one transaction: readers keep the old answers until it commits, and a
// failure leaves the old database. With keepOld the readable lines of the old
// database, and the old quarantine, are added before load is called.
//
// In load the queries about issues find nothing, since nothing is folded yet.
func (db *DB) Rebuild(ctx context.Context, keepOld bool, load func(*Tx) error) error {
	size := cmp.Or(db.cache, rebuildCache)
	setCache(db.conn, size)
	defer setCache(db.conn, min(size, defaultCache))
	err := db.transact(ctx, func() error {
		tx := db.begin()
		tx.rebuilding, tx.cache = true, size
		if err := db.renew(tx, keepOld); err != nil {
			return fmt.Errorf("rebuild database: %w", err)
		}
		if err := load(tx); err != nil {
			return err
		}
		if err := tx.foldAll(); err != nil {
			return fmt.Errorf("rebuild database: %w", err)
		}
		return nil
	})
	if err == nil {
		db.checkpointLarge()
		db.touch()
	}
	return err
}

// renew replaces whatever schema there is by ours without most indexes, and
// saves the old lines over if asked to.
func (db *DB) renew(tx *Tx, keepOld bool) error {
	found, err := readObjects(db.conn)
	if err != nil {
		return err
	}
	kept, err := clearSchema(db.conn, found, keepOld)
	if err != nil {
		return err
	}
	err = createObjects(db.conn, func(d definition) bool { return d.kind == "table" || sparse(d) })
	if err != nil {
		return err
	}
	if err := stamp(db.conn, db.id, db.workspace); err != nil {
		return err
	}
	for _, name := range kept {
		// An older schema may lack a column: then there is nothing to keep.
		if err := tx.keep(name); err != nil && sqlite.ErrCode(err) != sqlite.ResultError {
			return err
		}
		if err := once(db.conn, "DROP TABLE "+quoteName(name)); err != nil {
			return err
		}
	}
	return nil
}

func oldName(table string) string { return "old_" + table }

// clearSchema drops every object. With keep, the tables of lines are renamed
// instead; their names now are returned.
func clearSchema(conn *sqlite.Conn, found []object, keep bool) (kept []string, err error) {
	// What refers to tables goes first: a view without its table would stop
	// the renaming.
	for _, kind := range []string{"trigger", "view", "index"} {
		for _, o := range found {
			if o.kind != kind {
				continue
			}
			if err := once(conn, "DROP "+kind+" "+quoteName(o.name)); err != nil {
				return nil, err
			}
		}
	}
	for _, o := range found {
		if o.kind != "table" || strings.HasPrefix(o.name, "sqlite_") {
			continue
		}
		text := "DROP TABLE " + quoteName(o.name)
		if keep && (o.name == "operation" || o.name == "interaction" || o.name == "quarantine") {
			text = "ALTER TABLE " + quoteName(o.name) + " RENAME TO " + quoteName(oldName(o.name))
			kept = append(kept, oldName(o.name))
		}
		if err := once(conn, text); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func quoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// keep copies what can be read of an old table that was renamed.
func (tx *Tx) keep(table string) error {
	switch table {
	case oldName("quarantine"):
		return tx.copyQuarantine(table)
	case oldName("interaction"):
		return tx.copyLines(table, op.Interactions)
	}
	return tx.copyLines(table, op.Operations)
}

// copyLines adds the lines of an old table that can be read.
func (tx *Tx) copyLines(table string, of op.Stream) error {
	var buf []byte
	decoder := op.Decoder{Stream: of}
	return stream(tx.conn, "SELECT line, hash FROM "+quoteName(table)+" ORDER BY rowid", func(s *sqlite.Stmt) error {
		buf = columnRaw(s, 0, buf)
		record, err := decoder.Read(buf)
		if err != nil || record.Legacy != nil || !record.Sum && !intact(s, 1, buf) {
			return nil
		}
		_, _, err = tx.AddRecord(record)
		return err
	})
}

func (tx *Tx) copyQuarantine(table string) error {
	return once(tx.conn, `INSERT INTO quarantine (file, hash, line, offset, reason, raw)
SELECT file, hash, line, offset, reason, raw FROM `+quoteName(table)+` ORDER BY rowid`)
}

// foldAll derives every row from the operation table, which is complete.
func (tx *Tx) foldAll() error {
	if err := tx.needIssueIndex(); err != nil {
		return err
	}
	if err := tx.settleSame(); err != nil { // of the interactions
		return err
	}
	var same []op.ID
	err := query(tx.conn, sameIDSQL, func(s *sqlite.Stmt) error {
		same = append(same, columnID(s, 0))
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range same {
		if err := tx.settleSameID(id); err != nil {
			return err
		}
	}
	if err := tx.foldEach(); err != nil {
		return err
	}
	if err := tx.foldSettings(); err != nil {
		return err
	}
	// The whole of blocked is set before the indexes that hold it are made.
	if err := tx.createIndexes(func(d definition) bool { return d.name == blockedNeeds }); err != nil {
		return err
	}
	if err := execute(tx.conn, blockedWholeSQL); err != nil {
		return err
	}
	return tx.createIndexes(func(d definition) bool {
		return d.kind == "index" && !sparse(d) && d.name != operationIssueIndex && d.name != blockedNeeds
	})
}

// Indexes that a rebuild needs before its end.
const (
	operationIssueIndex = "operation_issue_index"
	blockedNeeds        = "dependency_target_index"
)

// sparse are the indexes that leave out nearly every row.
// A rebuild has them from the start: reading a whole table once more for each of
// them would cost more than entering those rows one by one.
func sparse(d definition) bool {
	switch d.name {
	case "operation_lost_index", "issue_blocked_index", "issue_due_index", "issue_defer_index",
		"issue_hidden_index", "issue_external_index", "interaction_lost_index":
		return true
	}
	return false
}

// createIndexes keeps the sorter small, which may be as large as the page cache:
// what it once had is never given back to the system, and sorting is not faster
// with more.
func (tx *Tx) createIndexes(want func(definition) bool) error {
	setCache(tx.conn, min(tx.cache, sorterMemory))
	defer setCache(tx.conn, tx.cache)
	return createObjects(tx.conn, want)
}
