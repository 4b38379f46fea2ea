package projection

import (
	"fmt"
	"testing"

	"beads/internal/op"
)

// Somebody may give one id to very many lines: which of them counts is decided once,
// not with every one. Written rows are counted, since times differ.
func TestManyLinesOfOneID(t *testing.T) {
	const count = 400
	for name, line := range map[string]func(n int) string{
		"operations": func(n int) string {
			return fmt.Sprintf(`{"op":"01KAQ0T6V3R8M0X2E9F1C4H7JK","v":1,"do":"create","issue":"bd-a","at":"2026-11-23T03:02:47.857Z","by":"x%03d","set":{"title":"A"}}`, n)
		},
		"interactions": func(n int) string {
			return fmt.Sprintf(`{"id":"01KAQ0T6V3R8M0X2E9F1C4H7JK","kind":"tool_call","created_at":"2026-11-23T03:02:47.857Z","actor":"x%03d","tool_name":"t"}`, n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			of := op.Operations
			if name == "interactions" {
				of = op.Interactions
			}
			db := newDB(t)
			decoder := op.Decoder{Stream: of}
			before, err := number(db.conn, "SELECT total_changes()")
			must(t, err)
			must(t, db.Update(t.Context(), func(tx *Tx) error {
				for n := range count {
					record, err := decoder.Read([]byte(line(n)))
					if err != nil {
						return err
					}
					if _, _, err := tx.AddRecord(record); err != nil {
						return err
					}
				}
				return nil
			}))
			after, err := number(db.conn, "SELECT total_changes()")
			must(t, err)
			if written := after - before; written > 10*count {
				t.Errorf("%d lines wrote %d rows", count, written)
			}
			table := linesOf(db.conn, of).table
			counting, err := texts(db.conn, "SELECT CAST(line AS TEXT) FROM "+table+" WHERE counts = 1")
			must(t, err)
			if len(counting) != 1 || counting[0] != line(0) {
				t.Errorf("%d lines count: %.200q", len(counting), counting)
			}
		})
	}
}
