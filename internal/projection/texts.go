package projection

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"

	"zombiezen.com/go/sqlite"

	"beads/internal/oplog"
	"beads/internal/trigram"
)

// metaTexts is the key of the name that a text index has to bear to be believed.
const metaTexts = "texts"

// disownTexts makes every text index there is one of another database: numbers of
// issues and rows of operations, which an index speaks of, are not what they were.
// The name is random, so that no file that was put here can bear it.
func disownTexts(conn *sqlite.Conn) error {
	return execute(conn, "INSERT INTO meta (key, value) VALUES (?, hex(randomblob(16)))\n"+
		"ON CONFLICT (key) DO UPDATE SET value = excluded.value", metaTexts)
}

// textIndex is the index of the texts of a database, as one snapshot of it may use
// it: files beside the database that say which issues may hold a text.
//
// An index only ever narrows what is looked at, so it may name too many issues
// and never too few. Issues are in parts, by their numbers, and each part has a file
// that was right when operation To was the last. One more file, the recent one, has
// the issues that changed since, up to an operation of its own. Who changed after
// that is asked of the table of operations, and always looked at.
//
// So whatever is missing, damaged, foreign or from the future makes a search slower.
type textIndex struct {
	db *DB
	textLimits

	loaded  bool
	owner   [16]byte
	last    int64 // operation
	numbers int64 // the greatest number of an issue
	files   []oplog.File
	parts   []textPart
	latest  recentTexts
	since   int64   // operation that all of it, or all that is used, has taken in
	fresh   []int64 // numbers of the issues that changed after it, in parts that have a file
	ahead   bool    // somebody has written it from a newer snapshot
}

// textPart is what is known of the issues from number n*part on.
type textPart struct {
	segment *trigram.Segment // nil: nothing
	opened  oplog.Info       // the file that segment would have to be in; zero if there is none
}

// recentTexts are the issues that changed since the parts were written. Its
// documents are numbered by their places in numbers.
type recentTexts struct {
	segment *trigram.Segment // nil: there is none that can be used
	opened  oplog.Info
	damaged bool    // all that it has been asked for may be in any of its issues
	parts   []int64 // of each part To; -1 if it had no file
	numbers []int64
}

// textIndex is the index for one snapshot. Nothing is opened before it is needed.
func (db *DB) textIndex() *textIndex {
	x := &textIndex{db: db, textLimits: defaultTextLimits()}
	if db.textLimits != nil {
		x.textLimits = *db.textLimits
	}
	return x
}

// recentPart is what the recent file has in the place of the number of a part.
const recentPart = math.MaxUint32

func (x *textIndex) partPath(n int) string { return x.db.path + "-search-" + strconv.Itoa(n) }
func (x *textIndex) recentPath() string    { return x.db.path + "-search-recent" }

// snapshotSQL is what an index is held against.
const snapshotSQL = `SELECT (SELECT value FROM meta WHERE key = 'texts'), (SELECT max(seq) FROM operation),
  (SELECT max(number) FROM issue)`

// load opens what there is and asks what it lacks.
func (x *textIndex) load(q *Query) error {
	if x.loaded {
		return nil
	}
	name := ""
	err := query(q.conn, snapshotSQL, func(s *sqlite.Stmt) error {
		name, x.last, x.numbers = s.ColumnText(0), s.ColumnInt64(1), s.ColumnInt64(2)
		return nil
	})
	if err != nil {
		return err
	}
	if n, err := hex.Decode(x.owner[:], []byte(name)); err != nil || n != len(x.owner) {
		return fmt.Errorf("%w: its name for text indexes is %q", ErrCorrupt, name)
	}
	x.parts = make([]textPart, x.numbers/x.part+1)
	for n := range x.parts {
		x.parts[n].segment, x.parts[n].opened = x.open(x.partPath(n), uint32(n))
	}
	x.openRecent()
	if err := x.checkMark(q); err != nil {
		return err
	}
	x.loaded = true
	x.fresh, err = x.changed(q)
	return err
}

// open opens a file of the index if it can be used.
func (x *textIndex) open(path string, part uint32) (*trigram.Segment, oplog.Info) {
	file, err := oplog.OS{}.Open(path, false)
	if err != nil {
		return nil, oplog.Info{}
	}
	x.files = append(x.files, file)
	info, err := file.Stat()
	if err != nil {
		return nil, oplog.Info{}
	}
	segment, err := trigram.Open(file, info.Size, x.owner)
	if err != nil || segment.Part != part {
		return nil, info
	}
	if segment.To > x.last {
		// It knows the texts of a later snapshot, and no longer those of ours.
		x.ahead = true
		return nil, info
	}
	return segment, info
}

// openRecent opens the recent file. It has to reach back to every part: one that is
// older than when the recent file was written, or was not there, is done without.
func (x *textIndex) openRecent() {
	r := &x.latest
	r.segment, r.opened = x.open(x.recentPath(), recentPart)
	if r.segment == nil {
		return
	}
	if !r.decode(r.segment.Note) {
		r.segment = nil
		return
	}
	for n := range x.parts {
		p := &x.parts[n]
		least := r.segment.To
		if n < len(r.parts) && r.parts[n] >= 0 {
			least = r.parts[n]
		}
		if p.segment != nil && p.segment.To < least {
			p.segment = nil
		}
	}
}

// encode is the note of the recent file.
func (r *recentTexts) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(r.parts)))
	for _, to := range r.parts {
		b = binary.AppendVarint(b, to)
	}
	last := int64(0)
	for _, number := range r.numbers {
		b = binary.AppendUvarint(b, uint64(number-last))
		last = number
	}
	return b
}

func (r *recentTexts) decode(note []byte) bool {
	count, n := binary.Uvarint(note)
	if n <= 0 || count > uint64(len(note)) {
		return false
	}
	note = note[n:]
	for range count {
		to, n := binary.Varint(note)
		if n <= 0 {
			return false
		}
		r.parts, note = append(r.parts, to), note[n:]
	}
	last := int64(0)
	for len(note) > 0 {
		distance, n := binary.Uvarint(note)
		if n <= 0 || len(r.numbers) == trigram.Span {
			return false
		}
		last += int64(distance)
		r.numbers, note = append(r.numbers, last), note[n:]
	}
	return true
}

// marked is how many of the last operations a mark is made of.
const marked = 32

// tailSum is the mark of an index that is made when to is the last operation.
func tailSum(q *Query, to int64) (sum [16]byte, err error) {
	h := sha256.New()
	err = query(q.conn, "SELECT id, hash FROM operation WHERE seq > ? AND seq <= ?", func(s *sqlite.Stmt) error {
		h.Write(columnBlob(s, 0))
		h.Write(columnBlob(s, 1))
		return nil
	}, to-marked, to)
	copy(sum[:], h.Sum(nil))
	return sum, err
}

// checkMark does without the index if the latest file of it was made of operations
// that are others now: a database that lost its end to a power failure may have got
// them again in another order.
func (x *textIndex) checkMark(q *Query) error {
	latest := x.latest.segment
	for n := range x.parts {
		if s := x.parts[n].segment; s != nil && (latest == nil || s.To > latest.To) {
			latest = s
		}
	}
	if latest == nil {
		return nil
	}
	sum, err := tailSum(q, latest.To)
	if err != nil || sum == latest.Mark {
		return err
	}
	for n := range x.parts {
		x.parts[n].segment = nil
	}
	x.latest.segment = nil
	return nil
}

// changedSQL are the issues that changed after an operation, with the last one that
// changed each: those that a later one names, and those that lost one to a later
// line of the same id.
const changedSQL = `SELECT i.number, max(o.seq)
FROM operation AS o
CROSS JOIN operation AS s ON s.id = o.id
CROSS JOIN issue AS i ON i.id = s.issue
WHERE o.seq > ?
GROUP BY 1 ORDER BY 1`

// changed are the numbers of the issues, in parts that have a file, whose texts the
// index may not know.
func (x *textIndex) changed(q *Query) ([]int64, error) {
	x.since = x.last
	for n := range x.parts {
		if s := x.parts[n].segment; s != nil {
			x.since = min(x.since, s.To)
		}
	}
	if s := x.latest.segment; s != nil {
		x.since = max(x.since, s.To)
	}
	var numbers []int64
	err := query(q.conn, changedSQL, func(s *sqlite.Stmt) error {
		number, seq := s.ColumnInt64(0), s.ColumnInt64(1)
		if part := x.parts[number/x.part].segment; part != nil && seq > part.To {
			numbers = append(numbers, number)
		}
		return nil
	}, x.since)
	return numbers, err
}

// close closes the files.
func (x *textIndex) close() {
	for _, file := range x.files {
		_ = file.Close() // read only
	}
	x.files = nil
}
