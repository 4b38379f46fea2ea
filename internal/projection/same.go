package projection

import "beads/internal/op"

// noteSame leaves it to Settle to decide which line counts if more than one has
// this id: to decide anew with each of ten thousand lines that somebody gave one id
// would take hours.
func (tx *Tx) noteSame(stream op.Stream, id op.ID) error {
	n, err := number(tx.conn, "SELECT count(*) FROM (SELECT 1 FROM "+tx.Of(stream).table+" WHERE id = ? LIMIT 2)", id)
	if err != nil || n < 2 {
		return err
	}
	if tx.same == nil {
		tx.same = map[op.Stream]map[op.ID]bool{op.Operations: {}, op.Interactions: {}}
	}
	tx.same[stream][id] = true
	return nil
}

// settleSame decides what was noted.
func (tx *Tx) settleSame() error {
	for id := range tx.same[op.Operations] {
		if err := tx.settleSameID(id); err != nil {
			return err
		}
	}
	for id := range tx.same[op.Interactions] {
		if err := tx.settleInteraction(id); err != nil {
			return err
		}
	}
	tx.same = nil
	return nil
}
