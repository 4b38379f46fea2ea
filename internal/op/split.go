package op

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Split cuts a physical line (without LF) into its records: it strips a BOM,
// CR and outer blanks, and splits objects that were glued together where they
// split cleanly. A torn fragment, or NULs, before one or more whole records
// becomes a part of its own, so that what follows it is not lost with it. A
// blank line gives none. The parts alias raw.
func Split(raw []byte) [][]byte { return Operations.Split(raw) }

// Split is the function Split for lines of the stream s.
func (s Stream) Split(raw []byte) [][]byte {
	line := trim(raw)
	if len(line) == 0 {
		return nil
	}
	if len(line) > 1 && mayBeGlued(line, s.start()) {
		if parts := objects(line); parts != nil {
			return parts
		}
		if parts := afterFragment(line, s.start()); parts != nil {
			return parts
		}
	}
	return [][]byte{line}
}

const blanks = " \t\r"

func trim(raw []byte) []byte {
	for {
		line := bytes.TrimPrefix(bytes.Trim(raw, blanks), []byte("\xef\xbb\xbf"))
		if len(line) == len(raw) {
			return line
		}
		raw = line
	}
}

// mayBeGlued is the quick answer for the usual line: false when no object can
// begin right after another or after a fragment.
func mayBeGlued(line []byte, start string) bool {
	if bytes.Contains(line[1:], []byte(start)) {
		return true
	}
	for rest := line; ; {
		i := bytes.IndexByte(rest, '}')
		if i < 0 {
			return false
		}
		rest = bytes.TrimLeft(rest[i+1:], blanks+"\ufeff")
		if len(rest) > 0 && rest[0] == '{' {
			return true
		}
	}
}

// objects splits line into JSON objects, nil unless it consists of nothing
// else. Each part is judged by itself later, so what Read would find wrong
// inside one (duplicate keys, bad UTF-8) does not matter here.
func objects(line []byte) [][]byte {
	if tooDeep(line) {
		return nil
	}
	var parts [][]byte
	var dec jsontext.Decoder
	for rest := line; len(rest) > 0; rest = trim(rest) {
		if rest[0] != '{' {
			return nil
		}
		dec.Reset(bytes.NewBuffer(rest), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err := dec.SkipValue(); err != nil {
			return nil
		}
		end := dec.InputOffset()
		parts = append(parts, rest[:end:end])
		rest = rest[end:]
	}
	return parts
}

// afterFragment looks for whole records behind something unreadable. In a JSON
// string quotes are escaped, so a record that is only quoted in a
// text does not look like one.
func afterFragment(line []byte, start string) [][]byte {
	// A line made to hold very many starts must not cost their square.
	const tries = 8
	from := 1
	for range tries {
		i := bytes.Index(line[from:], []byte(start))
		if i < 0 {
			return nil
		}
		at := from + i
		if parts := objects(line[at:]); parts != nil {
			return append([][]byte{trim(line[:at:at])}, parts...)
		}
		from = at + 1
	}
	return nil
}
