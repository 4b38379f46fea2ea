package op

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"time"
)

// importActor is who an import operation is by.
const importActor = "import"

// LegacyRecord is an upstream snapshot record.
type LegacyRecord struct {
	Issue     string
	Canonical json.RawMessage // as RFC 8785 writes it, numbers as in the source
	Time      time.Time       // the greatest of its times, microseconds kept; zero if it has none
}

func legacyRecord(id string, line []byte) (*LegacyRecord, error) {
	canonical, err := appendCanonical(make([]byte, 0, len(line)), line)
	if err != nil {
		return nil, syntax(err)
	}
	r := &LegacyRecord{Issue: id, Canonical: canonical}
	err = eachMember(canonical, func(name string, value json.RawMessage) error {
		switch name {
		case "updated_at", "created_at", "closed_at", "deleted_at":
			r.see(value)
		case "dependencies", "comments":
			return r.seeElements(value)
		}
		return nil
	})
	return r, err
}

func (r *LegacyRecord) seeElements(value json.RawMessage) error {
	if value[0] != '[' {
		return nil // the fold reports it
	}
	return eachElement(value, func(element json.RawMessage) error {
		if element[0] != '{' {
			return nil
		}
		return eachMember(element, func(name string, value json.RawMessage) error {
			if name == "created_at" {
				r.see(value)
			}
			return nil
		})
	})
}

func (r *LegacyRecord) see(value json.RawMessage) {
	if s, ok := textOf(value); ok {
		if t, err := parseTime(s); err == nil && t.After(r.Time) {
			r.Time = t
		}
	}
}

// ImportOperation makes the import operation of r. It depends on nothing but
// r and prior, so two clones that import one record write one line. prior are
// the ids of the import operations of that issue which carry a legacy record.
// ok is false when the record is already held.
func ImportOperation(r *LegacyRecord, prior []ID) (o *Operation, ok bool) {
	digest := sha256.Sum256(r.Canonical)
	low := binary.BigEndian.Uint64(digest[:8])
	micros := int64(0)
	if !r.Time.IsZero() {
		micros = min(max(r.Time.UnixMicro(), 0), endMillis*1000-1)
	}
	millis, counter := micros/1000, int(micros%1000)
	for _, id := range prior {
		if id.low() == low {
			return nil, false
		}
		if id.millis() == millis && int(id.Counter()) >= counter {
			counter = int(id.Counter()) + 1
		}
	}
	// Sixty-five thousand records of one issue within a millisecond: from
	// there on the digest decides the order.
	id := makeID(millis, uint16(min(counter, 1<<16-1)), low)
	if id.IsZero() {
		id = makeID(0, 0, 1)
	}
	return &Operation{
		ID: id, V: Version, Do: DoImport, Issue: r.Issue,
		At: id.Time(), By: importActor,
		Legacy: r.Canonical,
	}, true
}

// importedCommentID is the id of a comment that came without one of ours.
func importedCommentID(issueID, author, createdAt, text string) string {
	b := []byte{'['}
	for i, s := range []string{issueID, author, createdAt, text} {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = appendString(b, s) // decoded from JSON, hence valid UTF-8
	}
	digest := sha256.Sum256(append(b, ']'))
	return hex.EncodeToString(digest[:importedIDBytes])
}

const importedIDBytes = 13
