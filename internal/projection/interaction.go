package projection

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"beads/internal/op"
)

// AddRecord stores a line in the table of its stream; see Add.
func (tx *Tx) AddRecord(r op.Record) (seq int64, added bool, err error) {
	if r.Interaction != nil {
		return tx.addInteraction(r.Interaction, r.Line)
	}
	return tx.Add(r.Op, r.Line, r.Sum)
}

// addInteraction stores a line of the interactions log. Nothing is folded: the
// line is the whole of it.
func (tx *Tx) addInteraction(i *op.Interaction, line []byte) (seq int64, added bool, err error) {
	hash := op.Hash(line)
	var parent any
	if !i.Parent.IsZero() {
		parent = i.Parent
	}
	err = execute(tx.conn, `INSERT INTO interaction (id, hash, counts, created_at, issue, kind, actor, model, tool_name, label, parent, line)
VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, hash) DO NOTHING`,
		i.ID, hash[:], micros(i.CreatedAt), i.Issue, i.Kind, i.Actor, i.Model, i.ToolName, i.Label, parent, line)
	if err != nil {
		return 0, false, fmt.Errorf("store interaction %s: %w", i.ID, err)
	}
	if tx.conn.Changes() == 0 {
		seq, _, err = tx.Of(op.Interactions).Seq(i.ID, hash)
		return seq, false, err
	}
	seq = tx.conn.LastInsertRowID()
	if err := tx.noteSame(op.Interactions, i.ID); err != nil {
		return 0, false, fmt.Errorf("store interaction %s: %w", i.ID, err)
	}
	return seq, true, nil
}

// settleInteraction decides which of the lines of one id counts.
func (tx *Tx) settleInteraction(id op.ID) error {
	var winner int64
	var best []byte
	err := query(tx.conn, "SELECT seq, line FROM interaction WHERE id = ?", func(s *sqlite.Stmt) error {
		if line := columnBlob(s, 1); best == nil || op.Wins(line, best) {
			winner, best = s.ColumnInt64(0), line
		}
		return nil
	}, id)
	if err != nil {
		return err
	}
	return execute(tx.conn, "UPDATE interaction SET counts = (seq = ?1) WHERE id = ?2 AND counts <> (seq = ?1)", winner, id)
}

// InteractionFilter narrows a list of interactions. Empty members narrow nothing.
type InteractionFilter struct {
	Issue, Kind, Actor, Model, ToolName, Label string // exact
	Parent                                     op.ID
	Since, Until                               time.Time // of creation, both included
	Text                                       string    // in any of its texts, whatever the case
	Limit                                      int       // the newest so many; 0: all
}

// Interactions are the records that fit, in the order of their ids.
func (q *Query) Interactions(f InteractionFilter) ([]op.Interaction, error) {
	text := "SELECT line FROM interaction WHERE counts = 1"
	var args []any
	add := func(condition string, value any) {
		text += " AND " + condition
		args = append(args, value)
	}
	for _, c := range []struct{ column, value string }{
		{"kind", f.Kind}, {"actor", f.Actor}, {"model", f.Model}, {"tool_name", f.ToolName}, {"label", f.Label},
	} {
		if c.value != "" {
			add(c.column+" = ?", c.value)
		}
	}
	if f.Issue != "" {
		add("issue <> '' AND issue = ?", f.Issue) // as its index has it
	}
	if !f.Parent.IsZero() {
		add("parent IS NOT NULL AND parent = ?", f.Parent)
	}
	if !f.Since.IsZero() {
		add("created_at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		add("created_at <= ?", micros(f.Until))
	}
	return q.interactions(text+" ORDER BY id DESC", args, f)
}

// interactions reads the newest first, so that a limit ends the search.
func (q *Query) interactions(text string, args []any, f InteractionFilter) ([]op.Interaction, error) {
	var found []op.Interaction
	decoder := op.Decoder{Stream: op.Interactions}
	wanted := strings.ToLower(f.Text)
	if f.Limit > 0 && wanted == "" {
		text, args = text+" LIMIT ?", append(args, f.Limit)
	}
	enough := errors.New("enough")
	err := stream(q.conn, text, func(s *sqlite.Stmt) error {
		if f.Limit > 0 && len(found) >= f.Limit {
			return enough
		}
		record, err := decoder.Read(columnBlob(s, 0))
		if err != nil {
			return fmt.Errorf("%w: an interaction cannot be read: %w", ErrCorrupt, err)
		}
		if wanted == "" || mentions(record.Interaction, wanted) {
			found = append(found, *record.Interaction)
		}
		return nil
	}, args...)
	if err != nil && !errors.Is(err, enough) {
		return nil, fmt.Errorf("list interactions: %w", err)
	}
	slices.Reverse(found)
	return found, nil
}

// mentions reports whether one of the texts of i holds lower-case wanted.
func mentions(i *op.Interaction, wanted string) bool {
	for _, text := range []string{i.Prompt, i.Response, i.Error, i.Reason, i.ToolName, i.Model, i.Label, i.Kind, i.Actor, i.Issue} {
		if strings.Contains(strings.ToLower(text), wanted) {
			return true
		}
	}
	if bytes.Contains(bytes.ToLower(i.Extra), []byte(wanted)) {
		return true
	}
	for name, value := range i.Unknown {
		if strings.Contains(strings.ToLower(name), wanted) || bytes.Contains(bytes.ToLower(value), []byte(wanted)) {
			return true
		}
	}
	return false
}

// Interaction finds a record by its id or the only start of one, whatever its
// case. It fails with *NoInteractionError.
func (q *Query) Interaction(typed string) (op.Interaction, error) {
	least, greatest, ok := op.IDRange(typed)
	if !ok {
		return op.Interaction{}, &NoInteractionError{Input: typed}
	}
	found, err := q.interactions("SELECT line FROM interaction WHERE counts = 1 AND id >= ? AND id <= ? ORDER BY id DESC",
		[]any{least, greatest}, InteractionFilter{Limit: mostListed})
	switch {
	case err != nil:
		return op.Interaction{}, err
	case len(found) != 1:
		return op.Interaction{}, &NoInteractionError{Input: typed, Fitting: len(found)}
	}
	return found[0], nil
}

// NoInteractionError says that no record, or more than one, has an id that
// begins as typed. More than ten are counted as ten.
type NoInteractionError struct {
	Input   string
	Fitting int
}

func (e *NoInteractionError) Error() string {
	if e.Fitting > 0 {
		return fmt.Sprintf("%q may be any of %d interactions", e.Input, e.Fitting)
	}
	return fmt.Sprintf("interaction %q not found", e.Input)
}

// leastInteraction is how many characters of an interaction's id are shown at
// least: those of its time.
const leastInteraction = 10

// ShortInteraction is the start of an id that only one record has.
func (q *Query) ShortInteraction(id op.ID) (string, error) {
	length := leastInteraction
	for _, neighbour := range []string{
		"SELECT id FROM interaction WHERE id < ? ORDER BY id DESC LIMIT 1",
		"SELECT id FROM interaction WHERE id > ? ORDER BY id LIMIT 1",
	} {
		other, err := operationID(q.conn, neighbour, id)
		if err != nil {
			return "", fmt.Errorf("abbreviate %s: %w", id, err)
		}
		if !other.IsZero() {
			length = max(length, commonPrefix(id.String(), other.String())+1)
		}
	}
	return id.String()[:length], nil
}
