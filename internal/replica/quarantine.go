package replica

import (
	"bytes"

	"beads/internal/op"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// What one step puts into quarantine is bounded: the bytes stay in the ref, so
// nothing is lost by not copying a flood of them.
const (
	maxBad     = 10_000
	maxBadSize = 16 << 20
)

// badLine is a line of a batch file that cannot be read.
type badLine struct {
	file  string
	entry oplog.Entry
}

// refuse remembers a line for the quarantine.
func (s *step) refuse(path string, line, offset int64, raw []byte, reason string) {
	s.badSeen++
	if len(s.bad) >= maxBad || s.badSize >= maxBadSize {
		return
	}
	s.badSize += len(raw)
	s.bad = append(s.bad, badLine{LocalRef + ":" + path, oplog.Entry{
		Bad: &op.BadLine{Reason: reason}, Raw: bytes.Clone(raw), Line: line, Offset: offset,
	}})
}

// quarantine stores them, each once for its file.
func (s *step) quarantine(tx *projection.Tx) error {
	for _, b := range s.bad {
		added, err := tx.Quarantine(b.file, b.entry)
		if err != nil {
			return err
		}
		if added {
			s.report.Quarantined++
		}
	}
	s.bad, s.badSize = nil, 0
	return nil
}
