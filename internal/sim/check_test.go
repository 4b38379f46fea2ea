package sim

import (
	"bytes"
	"slices"
	"strings"

	"beads/internal/beadsjson"
	"beads/internal/oplog"
	"beads/internal/projection"
)

// check demands of all sites, when it is quiet, what no fault may take.
func (w *world) check() {
	w.Helper()
	var fingerprint string
	for n, s := range w.sites {
		s.restart() // whatever a process kept in mind is gone
		export, sum := s.export()
		if n == 0 {
			w.export, fingerprint = export, sum
		}
		if export != w.export {
			w.Errorf("%s and %s export differently:\n%s", w.sites[0].name, s.name, difference(w.export, export))
		} else if sum != fingerprint {
			w.Errorf("%s and %s export the same, but their databases differ", w.sites[0].name, s.name)
		}
		s.checkHeld()
		s.checkQuarantine()
		s.checkRebuilt()
	}
	w.checkReference()
}

// export is what bd export writes, and a hash over every derived row.
func (s *site) export() (text, fingerprint string) {
	s.Helper()
	var b bytes.Buffer
	s.view(func(q *projection.Query) (err error) {
		b.Reset()
		out := beadsjson.NewWriter(&b)
		if err := q.Each(out.Write); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
		fingerprint, err = q.Fingerprint()
		return err
	})
	return b.String(), fingerprint
}

// difference shows the lines that only one of two texts has.
func difference(a, b string) string {
	only := func(sign, a, b string) (found []string) {
		have := strings.Split(b, "\n")
		for _, l := range strings.Split(a, "\n") {
			if !slices.Contains(have, l) {
				found = append(found, sign+l)
			}
		}
		return found
	}
	return strings.Join(append(only("- ", a, b), only("+ ", b, a)...), "\n")
}

// checkHeld demands that every acknowledged line is in the site's database, log
// and guard copy, and that no line is there that nobody wrote.
func (s *site) checkHeld() {
	s.Helper()
	copies := map[string]map[string]bool{"database": {}, "log": {}, "guard copy": {}}
	for _, l := range s.lines() {
		copies["database"][l.text] = true
		made := s.attempted[l] || strings.Contains(l.text, `"do":"import"`) || strings.Contains(l.text, `"v":2`)
		if !made {
			s.Errorf("%s holds an operation that nobody made: %s", s.name, l.text)
		}
	}
	p := s.place()
	for name, path := range map[string]string{"log": p.LogPath(), "guard copy": p.GuardPath()} {
		s.scan(path, func(e oplog.Entry) { copies[name][string(e.Record.Line)] = true })
	}
	for name, held := range copies {
		for l, by := range s.acknowledged {
			if !held[l.text] {
				s.Errorf("%s acknowledged an operation that the %s of %s lacks: %s", by, name, s.name, l.text)
			}
		}
		for l := range copies["database"] {
			if !held[l] {
				s.Errorf("the %s of %s lacks what its database has: %s", name, s.name, l)
			}
		}
	}
}

// checkQuarantine demands that only what was written to be unreadable is there,
// or a part of it or of a line, as a torn write leaves it.
func (s *site) checkQuarantine() {
	s.Helper()
	s.view(func(q *projection.Query) error {
		entries, err := q.Quarantined()
		for _, e := range entries {
			if !s.torn(string(e.Raw)) {
				s.Errorf("%s quarantined (%s): %q", s.name, e.Reason, e.Raw)
			}
		}
		return err
	})
}

// torn is whether raw consists of nothing but beginnings of what was written: a
// torn line, whatever was appended to it, and whole lines glued to a torn one.
func (s *site) torn(raw string) bool {
	known := slices.Concat(s.garbage, s.records)
	for l := range s.attempted {
		known = append(known, l.text)
	}
	for raw = strings.Trim(raw, blanks); raw != ""; raw = strings.TrimLeft(raw, blanks) {
		longest := 0
		for _, text := range known {
			text = strings.Trim(text, blanks)
			n := 0
			for n < min(len(text), len(raw)) && text[n] == raw[n] {
				n++
			}
			longest = max(longest, n)
		}
		if longest == 0 {
			return false
		}
		raw = raw[longest:]
	}
	return true
}

// blanks are what a power loss and strange line ends leave.
const blanks = "\x00\r\n \ufeff"

// checkRebuilt demands that the database is what its log makes.
func (s *site) checkRebuilt() {
	s.Helper()
	opened, err := s.workspace()
	s.must(err)
	equal, err := opened.Verify(s.Context())
	if err != nil || !equal {
		s.Errorf("%s: the database is not what the log makes: equal=%v, %v", s.name, equal, err)
	}
}

// scan reads a log from its start.
func (w *world) scan(path string, fn func(oplog.Entry)) {
	w.Helper()
	log, err := oplog.Open(oplog.OS{}, path, false)
	w.must(err)
	_, err = log.Scan(w.Context(), oplog.Cursor{}, nil, func(e oplog.Entry) error {
		fn(e)
		return nil
	})
	w.must(err)
	w.must(log.Close())
}
